//! Which items of a list are meant.

use super::glob::Glob;
use super::{Found, Path};

/// Something that is so of an item: what is at a path in it, compared with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    /// Where in the item; none for the item itself.
    path: Option<Path>,
    /// None if it only has to be there.
    comparison: Option<(Comparison, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
    Like,
    NotLike,
}

/// How comparisons are written, longer ones first.
const COMPARISONS: [(&str, Comparison); 9] = [
    ("==", Comparison::Equal),
    ("!=", Comparison::NotEqual),
    ("<=", Comparison::AtMost),
    (">=", Comparison::AtLeast),
    ("!%", Comparison::NotLike),
    ("=", Comparison::Equal),
    ("<", Comparison::Less),
    (">", Comparison::More),
    ("%", Comparison::Like),
];

impl Query {
    /// The query that `text` begins with, `#(…)`, and what follows.
    ///
    /// # Errors
    /// It is none, as the end of a sentence.
    pub(super) fn parse(text: &str, depth: usize) -> Result<(Self, &str), String> {
        let inner = text.get(2..).unwrap_or_default();
        let (end, comparison) = extent(inner).ok_or("has a query without its end")?;
        let (query, rest) = (&inner[..end], &inner[end + 1..]);
        let (path, compared) = match comparison {
            Some(at) => (&query[..at], Some(query[at..].trim())),
            None => (query, None),
        };
        let path = path.trim();
        let path = match path {
            "" => None,
            _ => Some(Path::within(path, depth)?),
        };
        let comparison = compared.map(comparison_with).transpose()?;
        Ok((Self { path, comparison }, rest))
    }

    /// Whether it is so of an item.
    pub(super) fn is_of(&self, item: &Found<'_>) -> bool {
        let found = match &self.path {
            Some(path) => path.find_in(item),
            None => Some(item.clone()),
        };
        let Some(found) = found else { return false };
        match &self.comparison {
            None => true,
            Some((comparison, value)) => compare(&found, *comparison, value),
        }
    }
}

/// Where a query ends, and where in it its comparison begins.
fn extent(text: &str) -> Option<(usize, Option<usize>)> {
    let (mut depth, mut comparison) = (1, None);
    let (mut is_escaped, mut is_quoted) = (false, false);
    for (at, c) in text.char_indices() {
        if std::mem::take(&mut is_escaped) {
            continue;
        }
        match c {
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '!' | '=' | '<' | '>' | '%' if depth == 1 => {
                comparison.get_or_insert(at);
            }
            '(' | '[' => depth += 1,
            ')' | ']' => {
                depth -= 1;
                if depth == 0 {
                    return Some((at, comparison));
                }
            }
            _ => {}
        }
    }
    None
}

fn comparison_with(text: &str) -> Result<(Comparison, String), String> {
    let found = COMPARISONS.iter().find_map(|(written, comparison)| {
        let value = text.strip_prefix(written)?.trim();
        Some((*comparison, value))
    });
    let (comparison, value) = found.ok_or("has a query with ! that neither = nor % follows")?;
    if value.starts_with('~') {
        return Err("has a query that compares with ~, which is not read".to_owned());
    }
    let quoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'));
    let value = match quoted {
        Some(_) if comparison.is_of_patterns() => value[1..value.len() - 1].to_owned(),
        Some(_) => serde_json::from_str(value)
            .map_err(|_| "has a query with a text that is not as JSON writes it")?,
        None => value.to_owned(),
    };
    Ok((comparison, value))
}

impl Comparison {
    /// Whether the value is a pattern, in which a backslash is the pattern's.
    fn is_of_patterns(self) -> bool {
        matches!(self, Self::Like | Self::NotLike)
    }

    fn holds<T: PartialOrd + ?Sized>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::More => left > right,
            Self::AtLeast => left >= right,
            Self::Like | Self::NotLike => false,
        }
    }
}

/// A value is compared as what the item has: a text, a number, or true or false.
fn compare(found: &Found<'_>, comparison: Comparison, value: &str) -> bool {
    if let Some(text) = found.text() {
        return match comparison {
            Comparison::Like => Glob::parse(value).fits(text),
            Comparison::NotLike => !Glob::parse(value).fits(text),
            _ => comparison.holds(text, value),
        };
    }
    if let Some(number) = found.plain_number() {
        return comparison.holds(&number, &value.parse().unwrap_or(0.0));
    }
    match found.boolean() {
        Some(_) if value != "true" && value != "false" => comparison == Comparison::NotEqual,
        Some(is) => comparison.holds(&is, &(value == "true")),
        None => false,
    }
}
