//! Placeholders of plain templates: `<KEY>`, `{KEY}` and `${KEY}`, filled from `--set KEY=value`.
//!
//! They are filled in the tree rather than in the text, so that a value cannot change the
//! document's structure and positions stay those of the file. `$(KEY)` is not a placeholder: it is
//! how a container's arguments name a variable of its environment.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::node::{Node, NodeValue, Scalar, Unresolved};

/// The values that `--set` gave.
pub(crate) type Set = BTreeMap<String, String>;

/// Stand for the braces of a known `{KEY}` while YAML is parsed, which would read a mapping there.
/// They are private-use characters, so they mean nothing else.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// The longest key, in characters; a text full of `<` must not take long to look through.
const LONGEST_KEY: usize = 128;
/// The most placeholders of one value that are named.
const MOST_REPORTED: usize = 8;

/// Puts the stand-ins around every `{KEY}` whose key is in `set`.
pub(crate) fn guard<'t>(text: &'t str, set: &Set) -> Cow<'t, str> {
    if set.is_empty() || !text.contains('{') {
        return Cow::Borrowed(text);
    }
    let mut guarded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        guarded.push_str(before);
        rest = &from[1..];
        match until(rest, '}') {
            Some((key, after)) if set.contains_key(key) => {
                guarded.extend([OPEN].into_iter().chain(key.chars()).chain([CLOSE]));
                rest = after;
            }
            _ => guarded.push('{'),
        }
    }
    guarded.push_str(rest);
    Cow::Owned(guarded)
}

/// Fills the placeholders of all values of a tree, and marks those that have no value.
pub(crate) fn fill(node: &mut Node, set: &Set) {
    match &mut node.value {
        NodeValue::Scalar(scalar) => fill_scalar(scalar, set),
        NodeValue::Sequence(items) => {
            for item in items {
                fill(item, set);
            }
        }
        NodeValue::Mapping(entries) => {
            for entry in entries {
                fill(&mut entry.value, set);
            }
        }
    }
}

fn fill_scalar(scalar: &mut Scalar, set: &Set) {
    if !scalar.text.contains(['<', OPEN]) {
        return;
    }
    let mut filled = String::new();
    let mut missing: Vec<&str> = Vec::new();
    let mut replaced = false;
    let mut rest = scalar.text.as_str();
    while let Some(open) = rest.find(['<', OPEN]) {
        let (before, from) = rest.split_at(open);
        let (key, after) = key_of(from);
        rest = after;
        if let Some(value) = key.and_then(|key| set.get(key)) {
            let dollar = from.starts_with(OPEN) && before.ends_with('$');
            filled.push_str(&before[..before.len() - usize::from(dollar)]);
            filled.push_str(value);
            replaced = true;
        } else {
            let new = |key: &&str| {
                is_upper_case(key) && missing.len() < MOST_REPORTED && !missing.contains(key)
            };
            missing.extend(key.filter(new));
            filled.push_str(before);
            filled.push_str(&from[..from.len() - after.len()]);
        }
    }
    filled.push_str(rest);
    let unresolved = no_value(&missing).map(Unresolved::Placeholder);
    scalar.plain &= !replaced;
    scalar.text = filled;
    scalar.unresolved = unresolved;
}

/// What to say of placeholders without a value, if there are any.
fn no_value(keys: &[&str]) -> Option<String> {
    match keys {
        [] => None,
        [key] => Some(format!(
            "the placeholder <{key}> has no value; give it one with `--set {key}=value`"
        )),
        keys => Some(format!(
            "the placeholders <{}> have no value; give each one with `--set NAME=value`",
            keys.join(">, <")
        )),
    }
}

/// The key of the placeholder that `from` begins with, and what follows; without one, what
/// follows the opening character.
fn key_of(from: &str) -> (Option<&str>, &str) {
    let mut characters = from.chars();
    let close = if characters.next() == Some('<') {
        '>'
    } else {
        CLOSE
    };
    let inside = characters.as_str();
    match until(inside, close) {
        Some((key, after)) if !key.contains(['<', OPEN]) => (Some(key), after),
        _ => (None, inside),
    }
}

/// Splits at the first `close`, if it comes within the length of a key.
fn until(text: &str, close: char) -> Option<(&str, &str)> {
    let mut near = text.char_indices().take(LONGEST_KEY);
    let (end, _) = near.find(|(_, c)| *c == close)?;
    Some((&text[..end], &text[end + close.len_utf8()..]))
}

/// Whether `<key>` looks like something that was to be filled.
fn is_upper_case(key: &str) -> bool {
    key.len() > 1
        && key.starts_with(|c: char| c.is_ascii_uppercase())
        && key
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::load::load;

    fn filled(text: &str, set: &[(&str, &str)]) -> Node {
        let set = (set.iter())
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let mut node = load(&guard(text, &set)).documents.remove(0);
        fill(&mut node, &set);
        node
    }

    #[test]
    fn each_style_is_filled() {
        let set = [("REG", "r.io"), ("tag", "v1: #x")];
        let cases = [
            ("<REG>/a:<tag>", "r.io/a:v1: #x"),
            ("{REG}/a:{tag}", "r.io/a:v1: #x"),
            ("${REG}/a:${tag}", "r.io/a:v1: #x"),
            ("{REG}", "r.io"),
            (
                "$(REG) {other} <lower> < <REG>",
                "$(REG) {other} <lower> < r.io",
            ),
            ("$<REG>", "$r.io"),
        ];
        for (text, expected) in cases {
            let node = filled(&format!("a: \"{text}\""), &set);
            assert_eq!(node.get("a").and_then(Node::text), Some(expected), "{text}");
        }
        let plain = filled("a: {REG}/x\nb: [{tag}]", &set);
        assert_eq!(plain.get("a").and_then(Node::text), Some("r.io/x"));
    }

    #[test]
    fn a_value_is_text_whatever_it_says() {
        let node = filled("a: <KEY>", &[("KEY", "null")]);
        assert_eq!(node.get("a").and_then(Node::text), Some("null"));
    }

    #[test]
    fn what_has_no_value_is_marked() {
        let missing = |text: &str| {
            let NodeValue::Scalar(scalar) = filled(text, &[]).value else {
                panic!("a scalar");
            };
            scalar.unresolved.is_some()
        };
        assert!(missing("<ACR_LOGIN_SERVER>/x:<TAG>"));
        for text in [
            "$(PORT)",
            "<b>",
            "<T>",
            "a < B > c",
            "${NAME}",
            "'{NAME}'",
            "<A",
            "<<A>>>x",
        ] {
            let expected = text == "<<A>>>x" && is_upper_case("A");
            assert_eq!(missing(text), expected, "{text}");
        }
    }
}
