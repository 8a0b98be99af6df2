//! Where a number is in an answer, as GJSON writes it.

mod find;
mod glob;
mod query;

pub(super) use find::Found;

use glob::Glob;
use query::Query;

/// How deeply queries may be nested in one another.
const DEEPEST: usize = 8;
/// The modifiers of GJSON, which are not read.
const MODIFIERS: [&str; 14] = [
    "pretty", "ugly", "reverse", "this", "flatten", "join", "valid", "keys", "values", "tostr",
    "fromstr", "group", "dig", "case",
];

/// A path: stages with `|` between, each of which begins at what the one before found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    stages: Vec<Vec<Part>>,
}

/// What is between two points.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A key of an object, or an index of a list.
    Key(Glob),
    /// `#`: each item of a list, or, if nothing follows, how many there are.
    Each,
    /// `#(…)`: the first item of a list for which this is so.
    First(Query),
    /// `#(…)#`: each for which it is.
    All(Query),
}

impl Path {
    /// The path that `text` is.
    ///
    /// # Errors
    /// Why it is none that is read, as the end of a sentence.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Self::within(text, DEEPEST)
    }

    fn within(text: &str, depth: usize) -> Result<Self, String> {
        let depth = depth
            .checked_sub(1)
            .ok_or("has queries that are nested too deeply")?;
        let mut stages = vec![Vec::new()];
        let mut rest = text;
        loop {
            let (part, after) = part(rest, depth)?;
            if let Some(stage) = stages.last_mut() {
                stage.push(part);
            }
            let mut characters = after.chars();
            match characters.next() {
                None => return Ok(Self { stages }),
                Some('|') => stages.push(Vec::new()),
                Some(_) => {}
            }
            rest = characters.as_str();
        }
    }
}

/// The first part of a path, and the rest, which begins with a point or `|` or is empty.
fn part(text: &str, depth: usize) -> Result<(Part, &str), String> {
    let unread = |what: &str| {
        let hint = "keys, indexes, #, queries and | are";
        Err(format!("has {what}, which is not read; {hint}"))
    };
    match text.chars().next() {
        Some('[' | '{') => return unread("a multipath"),
        Some('!') => return unread("a literal"),
        Some('@') if MODIFIERS.contains(&modifier(text)) => return unread("a modifier"),
        _ => {}
    }
    if text.starts_with("#(") || text.starts_with("#[") {
        let (query, rest) = Query::parse(text, depth)?;
        let (part, rest) = match rest.strip_prefix('#') {
            Some(rest) => (Part::All(query), rest),
            None => (Part::First(query), rest),
        };
        if !rest.is_empty() && !rest.starts_with(['.', '|']) {
            return Err("has a query that something other than . or | follows".to_owned());
        }
        return Ok((part, rest));
    }
    let mut is_escaped = false;
    let end = text.find(|c| {
        let ends = !is_escaped && matches!(c, '.' | '|');
        is_escaped = !is_escaped && c == '\\';
        ends
    });
    let (key, rest) = text.split_at(end.unwrap_or(text.len()));
    let part = match key {
        "#" => Part::Each,
        _ => Part::Key(Glob::parse(key)),
    };
    Ok((part, rest))
}

fn modifier(text: &str) -> &str {
    let name = text.get(1..).unwrap_or_default();
    name.split(['.', '|', ':']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_is_said() {
        for (path, expected) in [
            ("a.@reverse.0", "has a modifier"),
            ("@this", "has a modifier"),
            ("{a,b}", "has a multipath"),
            ("a.[b]", "has a multipath"),
            ("a|!5", "has a literal"),
            ("a.#(b==1", "has a query without its end"),
            ("a.#(b==1)c", "has a query that something other"),
            ("a.#(b==~true)", "has a query that compares with ~"),
            (
                &format!("{}{}", "#(".repeat(20), ")".repeat(20)),
                "has queries that are nested too deeply",
            ),
        ] {
            let error = Path::parse(path).unwrap_err();
            assert!(error.starts_with(expected), "{path}: {error}");
        }
        // What only looks like a modifier is a key.
        for path in ["@type", "a.@id.0", r"a\[b", "a[0]"] {
            assert!(Path::parse(path).is_ok(), "{path}");
        }
    }
}
