//! Reading a text from left to right.

/// What has not been read of a text.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'t> {
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    /// All of a text.
    pub(super) fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    /// What is left.
    pub(super) fn rest(self) -> &'t str {
        self.rest
    }

    /// Passes over spaces, tabs, and ends of lines.
    pub(super) fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    /// Passes over `text` if that comes next, and says whether it did.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes what comes before the first character that does not fit.
    pub(super) fn take_while(&mut self, fits: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !fits(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Takes a name as Prometheus writes those of metrics and labels, if one comes next.
    pub(super) fn name(&mut self) -> Option<&'t str> {
        if self.rest.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let name = self.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | ':'));
        (!name.is_empty()).then_some(name)
    }

    /// Takes a text in `quote`s, in which a backslash changes the meaning of what comes after it.
    pub(super) fn quoted(&mut self, quote: char) -> Option<String> {
        let mut text = String::new();
        let mut characters = self.rest.strip_prefix(quote)?.chars();
        loop {
            match characters.next()? {
                '\\' => match characters.next()? {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    c @ ('\\' | '"' | '\'') => text.push(c),
                    _ => return None,
                },
                c if c == quote => break,
                c => text.push(c),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }
}
