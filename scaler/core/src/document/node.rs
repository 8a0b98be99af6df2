//! A document as a tree of nodes that know where they stand, before anything is made of them.

use serde_json::{Map, Number, Value};

/// A place in a text; lines and columns count from one, columns in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

/// A scalar, sequence or mapping, and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) at: Position,
    pub(crate) value: NodeValue,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum NodeValue {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

/// A scalar as it was written; its type is decided by whoever reads it.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Written without quotes, so that `80`, `true` and `null` are not text.
    pub(crate) plain: bool,
    /// It may be a secret, which no message repeats.
    pub(crate) hidden: bool,
    /// Why the text is not a value yet.
    pub(crate) unresolved: Option<Unresolved>,
}

/// Why a scalar has no value yet; the text is what to tell the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unresolved {
    /// A placeholder that was not filled: always an error.
    Placeholder(String),
    /// An ARM expression that is not evaluated: an error only where the value is used.
    Expression(String),
    /// Something that was reported already, where it is to be mended.
    Reported,
}

impl From<String> for Unresolved {
    fn from(message: String) -> Self {
        Self::Expression(message)
    }
}

/// One key of a mapping and its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) at: Position,
    pub(crate) value: Node,
}

impl Scalar {
    /// A scalar that is text whatever it looks like.
    pub(crate) fn quoted(text: String) -> Self {
        Self {
            text,
            plain: false,
            hidden: false,
            unresolved: None,
        }
    }

    /// A scalar whose type is to be seen from its text.
    pub(crate) fn plain(text: String) -> Self {
        Self {
            plain: true,
            ..Self::quoted(text)
        }
    }

    /// Whether it stands for nothing.
    pub(crate) fn is_null(&self) -> bool {
        self.plain && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL")
    }

    /// The scalar as JSON, by YAML 1.2's core schema; a number that would not print back as it
    /// was written (`007`) stays text.
    fn to_value(&self) -> Value {
        if self.is_null() {
            return Value::Null;
        }
        let number = || self.plain.then(|| number(&self.text)).flatten();
        match &*self.text {
            "true" | "True" | "TRUE" if self.plain => Value::Bool(true),
            "false" | "False" | "FALSE" if self.plain => Value::Bool(false),
            text => number().map_or_else(|| Value::String(text.to_owned()), Value::Number),
        }
    }
}

impl Node {
    /// A scalar node.
    pub(crate) fn scalar(at: Position, scalar: Scalar) -> Self {
        Self {
            at,
            value: NodeValue::Scalar(scalar),
        }
    }

    /// Whether it stands for nothing: absent and null are the same to a reader.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, NodeValue::Scalar(scalar) if scalar.is_null())
    }

    /// The value under `key`, whatever the case of its letters.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            NodeValue::Mapping(entries) => find(entries, key).map(|entry| &entry.value),
            NodeValue::Scalar(_) | NodeValue::Sequence(_) => None,
        }
    }

    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Scalar(scalar) if !scalar.is_null() => Some(&scalar.text),
            _ => None,
        }
    }

    /// The entries of a sequence.
    pub(crate) fn items(&self) -> Option<&[Node]> {
        match &self.value {
            NodeValue::Sequence(items) => Some(items),
            NodeValue::Scalar(_) | NodeValue::Mapping(_) => None,
        }
    }

    /// The node as JSON.
    pub(crate) fn to_value(&self) -> Value {
        match &self.value {
            NodeValue::Scalar(scalar) => scalar.to_value(),
            NodeValue::Sequence(items) => Value::Array(items.iter().map(Self::to_value).collect()),
            NodeValue::Mapping(entries) => Value::Object(
                (entries.iter())
                    .map(|entry| (entry.key.clone(), entry.value.to_value()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// How many levels of nodes there are, itself included.
    pub(crate) fn height(&self) -> usize {
        1 + self.children().map(Self::height).max().unwrap_or(0)
    }

    /// Roughly how many bytes it takes.
    pub(crate) fn weight(&self) -> usize {
        const NODE: usize = 64;
        let own = match &self.value {
            NodeValue::Scalar(scalar) => scalar.text.len(),
            NodeValue::Sequence(_) => 0,
            NodeValue::Mapping(entries) => entries.iter().map(|entry| entry.key.len()).sum(),
        };
        NODE + own + self.children().map(Self::weight).sum::<usize>()
    }

    fn children(&self) -> impl Iterator<Item = &Node> {
        let (items, entries): (&[Node], &[Entry]) = match &self.value {
            NodeValue::Scalar(_) => (&[], &[]),
            NodeValue::Sequence(items) => (items, &[]),
            NodeValue::Mapping(entries) => (&[], entries),
        };
        items.iter().chain(entries.iter().map(|entry| &entry.value))
    }
}

/// The entry under `key`: as it is written, or else in another case, as ARM reads names.
pub(crate) fn find<'n>(entries: &'n [Entry], key: &str) -> Option<&'n Entry> {
    (entries.iter()).find(|entry| entry.key == key).or_else(|| {
        entries
            .iter()
            .find(|entry| entry.key.eq_ignore_ascii_case(key))
    })
}

/// A JSON number, if `text` is one that prints back the same or nearly so.
fn number(text: &str) -> Option<Number> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let leading_zero = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    let written_as_number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && digits
            .bytes()
            .all(|b| b.is_ascii_digit() || b".eE+-".contains(&b));
    if leading_zero || !written_as_number {
        return None;
    }
    if let Ok(integer) = text.parse::<i64>() {
        return Some(integer.into());
    }
    if let Ok(integer) = text.parse::<u64>() {
        return Some(integer.into());
    }
    text.parse().ok().and_then(Number::from_f64)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn plain_scalars_have_types_and_quoted_ones_are_text() {
        let cases = [
            ("80", json!(80)),
            ("-3", json!(-3)),
            ("18446744073709551615", json!(u64::MAX)),
            ("0.5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("true", json!(true)),
            ("FALSE", json!(false)),
            ("~", json!(null)),
            ("", json!(null)),
            ("007", json!("007")),
            ("1.2.3", json!("1.2.3")),
            ("1e999", json!("1e999")),
            ("inf", json!("inf")),
            ("1.0Gi", json!("1.0Gi")),
        ];
        for (text, expected) in cases {
            assert_eq!(
                Scalar::plain(text.to_owned()).to_value(),
                expected,
                "{text}"
            );
            assert_eq!(Scalar::quoted(text.to_owned()).to_value(), json!(text));
        }
    }
}
