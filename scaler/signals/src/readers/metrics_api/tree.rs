//! What an answer has, in the order in which it has it.

mod xml;

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value of JSON, YAML or XML.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Tree {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
    List(Vec<Tree>),
    Object(Vec<(String, Tree)>),
}

impl Tree {
    /// An answer in JSON.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn of_json(answer: &[u8]) -> Result<Self, String> {
        serde_json::from_slice(answer).map_err(|error| format!("is not JSON: {error}"))
    }

    /// An answer in YAML.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn of_yaml(answer: &[u8]) -> Result<Self, String> {
        // Only true and false are that, as in YAML 1.2, and not n or off.
        let options = serde_saphyr::options! { strict_booleans: true };
        serde_saphyr::from_slice_with_options(answer, options)
            .map_err(|error| format!("is not YAML: {}", error.without_snippet()))
    }

    /// An answer in XML: what the outermost element has. Elements of one name are a list, attributes
    /// are like elements, and text beside them is called [`TEXT`](Self::TEXT).
    ///
    /// # Errors
    /// It is something else, or is nested too deeply.
    pub(super) fn of_xml(answer: &[u8]) -> Result<Self, String> {
        xml::read(answer).map_err(|why| format!("is not XML: {why}"))
    }

    /// The name of text beside elements and attributes.
    pub(super) const TEXT: &'static str = "#text";

    /// What it is, as the end of a sentence.
    pub(super) fn in_words(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Tree;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Boolean(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "KEDA's numbers are floats, too")]
    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "KEDA's numbers are floats, too")]
    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Tree, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Tree::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Tree, A::Error> {
        let mut object = Vec::new();
        while let Some((key, value)) = entries.next_entry::<Tree, Tree>()? {
            let key = match key {
                Tree::Text(text) => text,
                Tree::Number(number) => number.to_string(),
                Tree::Boolean(value) => value.to_string(),
                Tree::Null => "null".to_owned(),
                Tree::List(_) | Tree::Object(_) => {
                    return Err(A::Error::custom("a key is a list or an object"));
                }
            };
            object.push((key, value));
        }
        Ok(Tree::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Tree {
        Tree::Text(text.to_owned())
    }

    #[test]
    fn json_and_yaml_are_the_same_tree() {
        let expected = Tree::Object(vec![
            ("b".to_owned(), Tree::Number(2.5)),
            (
                "a".to_owned(),
                Tree::List(vec![text("off"), Tree::Boolean(true), Tree::Null]),
            ),
            (
                "7".to_owned(),
                Tree::Object(vec![("n".to_owned(), Tree::Number(-3.0))]),
            ),
        ]);
        let json = br#"{"b": 2.5, "a": ["off", true, null], "7": {"n": -3}}"#;
        assert_eq!(Tree::of_json(json), Ok(expected.clone()));
        let yaml = b"b: 2.5\na: [off, true, null]\n7:\n  n: -3\n";
        assert_eq!(Tree::of_yaml(yaml), Ok(expected));
        let quoted = Tree::of_yaml(b"[1k, '64', NaN]");
        let expected = Tree::List(vec![text("1k"), text("64"), text("NaN")]);
        assert_eq!(quoted, Ok(expected));
    }

    #[test]
    fn nonsense_is_said_to_be_that() {
        for answer in [&b"<html>"[..], b"", b"{\"a\": 1", b"{} trailing", b"\xff"] {
            let error = Tree::of_json(answer).unwrap_err();
            assert!(error.starts_with("is not JSON: "), "{error}");
        }
        for answer in [&b"a: [1"[..], b"a: 1\na: 2", b"\xff"] {
            let error = Tree::of_yaml(answer).unwrap_err();
            assert!(error.starts_with("is not YAML: "), "{error}");
        }
        // Neither runs out of the stack.
        assert!(Tree::of_json("[".repeat(100_000).as_bytes()).is_err());
        assert!(Tree::of_yaml("[".repeat(100_000).as_bytes()).is_err());
    }
}
