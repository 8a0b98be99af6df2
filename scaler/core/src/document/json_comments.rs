//! JSON as people write it: with comments and tabs, which YAML does not know.

/// Whether `text` is JSON: its first character that is not space or comment opens an object or a
/// list.
pub(crate) fn is_json(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let after = match rest.get(..2) {
            Some("//") => rest.find('\n').map(|end| &rest[end..]),
            Some("/*") => rest.find("*/").map(|end| &rest[end + 2..]),
            _ => return rest.starts_with(['{', '[']),
        };
        let Some(after) = after else {
            return false;
        };
        rest = after.trim_start();
    }
}

/// Puts spaces in the place of comments and tabs outside strings, so that all else keeps its line
/// and column. Characters that JSON takes in strings and YAML does not are escaped.
pub(crate) fn blank(text: &str) -> String {
    let mut blanked = String::with_capacity(text.len());
    let mut state = State::Outside;
    let mut before = ' ';
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        let next = characters.peek().copied().unwrap_or(' ');
        let (kept, new) = step(&state, before, c, next);
        match state {
            State::Text('"') if !is_taken_by_yaml(c) => {
                blanked.extend(format!("\\u{:04x}", u32::from(c)).chars());
            }
            _ => blanked.push(kept),
        }
        state = new;
        before = c;
    }
    blanked
}

enum State {
    Outside,
    /// In a string that ends with this quote.
    Text(char),
    /// After a backslash in such a string.
    Escape(char),
    Line,
    Block,
    /// At the `*` that opens a block comment, which must not close it too.
    BlockOpening,
    /// At the `/` that closes a block comment.
    BlockClosing,
}

/// What becomes of `c`, and the state after it.
fn step(state: &State, before: char, c: char, next: char) -> (char, State) {
    match (state, c) {
        (State::Text(quote), '\\') if *quote == '"' => (c, State::Escape(*quote)),
        (State::Text(quote), _) if c == *quote => (c, State::Outside),
        (State::Text(quote) | State::Escape(quote), _) => (c, State::Text(*quote)),
        (State::Line, '\n') => (c, State::Outside),
        (State::Line, _) => (space(c), State::Line),
        (State::Block, '*') if next == '/' => (' ', State::BlockClosing),
        (State::Block | State::BlockOpening, _) => (space(c), State::Block),
        (State::Outside, '"' | '\'') => (c, State::Text(c)),
        (State::Outside, '/') if next == '/' && may_begin_comment(before) => (' ', State::Line),
        (State::Outside, '/') if next == '*' && may_begin_comment(before) => {
            (' ', State::BlockOpening)
        }
        (State::Outside, '\t') | (State::BlockClosing, _) => (' ', State::Outside),
        (State::Outside, _) => (c, State::Outside),
    }
}

/// A comment follows space, a string, a number or punctuation; `//` after a `:` is more likely an address
/// in a YAML flow mapping.
fn may_begin_comment(before: char) -> bool {
    before.is_whitespace() || before.is_ascii_digit() || ",{}[]\"".contains(before)
}

/// The control characters and non-characters of two bytes; JSON has the first 32 escaped.
fn is_taken_by_yaml(c: char) -> bool {
    !matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
}

fn space(c: char) -> char {
    if matches!(c, '\n' | '\r') { c } else { ' ' }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_how_it_begins() {
        for json in ["{}", " \n[1]", "\u{feff}{", "// a\n/* b */ {}"] {
            assert!(is_json(json), "{json}");
        }
        for yaml in [
            "",
            "a: {}",
            "# c\n{}",
            "// never ends",
            "/* never ends",
            "/",
        ] {
            assert!(!is_json(yaml), "{yaml}");
        }
    }

    #[test]
    fn comments_become_spaces_and_strings_stay() {
        let cases = [
            (
                "{\"a\": 1, // one\n\"b\": 2}",
                "{\"a\": 1,       \n\"b\": 2}",
            ),
            ("{/* x\ny */\"a\": 1}", "{    \n    \"a\": 1}"),
            ("{/*/ x */1}", "{        1}"),
            (
                "{\"a\": \"http://x /* y */\"}",
                "{\"a\": \"http://x /* y */\"}",
            ),
            ("{\"a\": \"\\\" // \"}", "{\"a\": \"\\\" // \"}"),
            ("{a: http://x}", "{a: http://x}"),
            ("{\t\"a\t\": 1}", "{ \"a\t\": 1}"),
            ("[80// port\n]", "[80       \n]"),
            ("[\"ü\" //ü\n]", "[\"ü\"    \n]"),
            ("[\"\u{7f}\"]", "[\"\\u007f\"]"),
        ];
        for (text, expected) in cases {
            assert_eq!(blank(text), expected);
        }
    }
}
