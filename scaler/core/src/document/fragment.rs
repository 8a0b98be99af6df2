//! Limits and rules from elsewhere than a document, read by the document's own reader.

use super::diagnostic::Diagnostic;
use super::load;
use super::model::Scale;
use super::node::{Entry, Node, NodeValue, Position, Scalar};
use super::read;
use super::reader::{Field, Reader};

/// The most rules that are read.
const MOST_RULES: usize = 32;

/// The most that a list of rules may take, in bytes, aliases expanded.
const MOST_BYTES: usize = 1 << 20;

const START: Position = Position { line: 1, column: 1 };

/// A key and its value.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'a> {
    pub(crate) key: &'a str,
    pub(crate) text: &'a str,
    /// The value may be a secret, which no message repeats.
    pub(crate) hidden: bool,
}

/// Where the rules are.
#[derive(Clone)]
pub(crate) enum Rules<'a> {
    /// A list in YAML or JSON, as a document has it.
    List(&'a str),
    /// One rule: its scaler, which is its name too, and its metadata.
    One(&'a str, Vec<Setting<'a>>),
}

/// What was read. Paths are those of a document's `scale`: `minReplicas`, `rules[0].http.metadata`.
pub(crate) struct Fragment {
    /// None if nothing of it could be read.
    pub(crate) scale: Option<Scale>,
    /// Whether each rule could be read, with errors or without.
    pub(crate) is_complete: bool,
    /// What is wrong with it.
    pub(crate) errors: Vec<Diagnostic>,
    /// What may surprise its author.
    pub(crate) warnings: Vec<Diagnostic>,
}

/// Reads `limits`, with the keys of a document's `scale`, and rules.
pub(crate) fn read_scale(limits: &[Setting<'_>], rules: &Rules<'_>) -> Fragment {
    let mut reader = Reader::new("", String::new());
    let rules = match rules {
        Rules::List(text) => list(&mut reader, text),
        Rules::One(scaler, metadata) => Some(one(scaler, metadata)),
    };
    let listed = rules.as_ref().and_then(count);
    let mut entries = settings(limits);
    entries.extend(rules.map(|rules| entry("rules", rules)));
    let node = mapping(entries);
    let path = String::new();
    let scale = read::scale(&mut reader, &Field { node: &node, path });
    Fragment {
        is_complete: scale.as_ref().map(|scale| scale.rules.len()) == listed,
        scale,
        errors: reader.errors,
        warnings: reader.warnings,
    }
}

/// The list of rules in `text`, unless something is wrong with the text itself.
fn list(reader: &mut Reader<'_>, text: &str) -> Option<Node> {
    let mut loaded = load::load_within(text, MOST_BYTES);
    for problem in &loaded.problems {
        let Position { line, column } = problem.at;
        let message = format!("line {line}, column {column}: {}", problem.message);
        reader.error_at(problem.at, "rules", message);
    }
    if !loaded.problems.is_empty() {
        return None;
    }
    let node = loaded.documents.pop().filter(|node| !node.is_null());
    let message = match (&node, node.as_ref().and_then(count)) {
        _ if !loaded.documents.is_empty() => "has more than one document; give one list".to_owned(),
        (None, _) | (_, Some(0)) => "has no rule; give a list of them".to_owned(),
        (_, Some(count)) if count > MOST_RULES => {
            format!("has {count} rules; at most {MOST_RULES} are read")
        }
        _ => return node,
    };
    reader.error_at(START, "rules", message);
    None
}

/// How many entries a list has; those that are null are not read.
fn count(node: &Node) -> Option<usize> {
    let items = node.items()?.iter();
    Some(items.filter(|item| !item.is_null()).count())
}

/// A list of one rule, as a document would have it.
fn one(scaler: &str, metadata: &[Setting<'_>]) -> Node {
    let text = |text: &str| Node::scalar(START, Scalar::quoted(text.to_owned()));
    let metadata = entry("metadata", mapping(settings(metadata)));
    let (form, body) = match scaler {
        "http" | "tcp" => (scaler, vec![metadata]),
        _ => ("custom", vec![entry("type", text(scaler)), metadata]),
    };
    let rule = vec![entry("name", text(scaler)), entry(form, mapping(body))];
    Node {
        at: START,
        value: NodeValue::Sequence(vec![mapping(rule)]),
    }
}

fn settings(settings: &[Setting<'_>]) -> Vec<Entry> {
    let node = |setting: &Setting<'_>| {
        let scalar = Scalar {
            hidden: setting.hidden,
            ..Scalar::quoted(setting.text.to_owned())
        };
        entry(setting.key, Node::scalar(START, scalar))
    };
    settings.iter().map(node).collect()
}

fn mapping(entries: Vec<Entry>) -> Node {
    Node {
        at: START,
        value: NodeValue::Mapping(entries),
    }
}

fn entry(key: &str, value: Node) -> Entry {
    Entry {
        key: key.to_owned(),
        at: START,
        value,
    }
}
