//! YAML text into trees of nodes, within bounds of depth and size.
//!
//! The parser's events are used rather than serde, because every error of a document is wanted
//! with its place, and because aliases have to be counted before they are expanded.

use std::collections::{BTreeMap, BTreeSet};

use serde_saphyr::granit_parser::{
    ErrorKind, Event, Options, Parser, ScalarStyle, ScanError, Span, Tag,
};

use super::node::{Entry, Node, NodeValue, Position, Scalar};

/// The longest text that is read, in bytes.
const MAX_BYTES: usize = 4 << 20;
/// The deepest nesting, aliases expanded.
const MAX_DEPTH: usize = 64;
/// The most that all trees of a text may take, in bytes, aliases expanded.
const MAX_WEIGHT: usize = 32 << 20;

/// Something wrong with the text itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) at: Position,
    pub(crate) message: String,
}

/// The documents that could be read, and what was wrong with the others.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) documents: Vec<Node>,
    pub(crate) problems: Vec<Problem>,
}

/// Reads all documents of `text`.
pub(crate) fn load(text: &str) -> Loaded {
    load_within(text, MAX_WEIGHT)
}

/// Reads all documents of `text`, which may take `most` bytes, aliases expanded.
pub(crate) fn load_within(text: &str, most: usize) -> Loaded {
    if text.len() > MAX_BYTES {
        let message = format!("the text is longer than {} MiB", MAX_BYTES >> 20);
        let at = Position { line: 1, column: 1 };
        return Loaded {
            documents: Vec::new(),
            problems: vec![Problem { at, message }],
        };
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut builder = Builder {
        most,
        ..Builder::default()
    };
    for event in Parser::new_from_str_with_options(text, options) {
        let done = match event {
            Ok((event, span)) => builder.event(event, start(&span)),
            Err(error) => Err(problem(&error)),
        };
        if let Err(problem) = done {
            builder.loaded.problems.push(problem);
            break;
        }
    }
    builder.loaded
}

fn problem(error: &ScanError) -> Problem {
    let at = position(error.marker().line(), error.marker().col());
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => too_deep(at),
        _ => Problem {
            at,
            message: error.info(),
        },
    }
}

fn start(span: &Span) -> Position {
    position(span.start.line(), span.start.col())
}

/// A place from a line that counts from one and a column that counts from zero.
fn position(line: usize, column: usize) -> Position {
    let wide = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
    Position {
        line: wide(line).max(1),
        column: wide(column).saturating_add(1),
    }
}

/// Puts events together.
#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    weight: usize,
    /// The most that `weight` may be.
    most: usize,
    loaded: Loaded,
}

/// A sequence or mapping whose end has not come yet.
struct Open {
    at: Position,
    anchor: usize,
    content: Content,
}

enum Content {
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        /// What stands under `<<`.
        merged: Vec<Node>,
        /// The key whose value comes next.
        key: Option<(Scalar, Position)>,
    },
}

impl Builder {
    fn event(&mut self, event: Event<'_>, at: Position) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && !tag.is_some_and(|tag| is_text(&tag));
                let scalar = Scalar {
                    plain,
                    ..Scalar::quoted(text.into_owned())
                };
                self.add(Node::scalar(at, scalar), anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(at, anchor, Content::Sequence(Vec::new()))
            }
            Event::MappingStart(_, anchor, _) => {
                let content = Content::Mapping {
                    entries: Vec::new(),
                    merged: Vec::new(),
                    key: None,
                };
                self.begin(at, anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(anchor, at),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, at: Position, anchor: usize, content: Content) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(at));
        }
        self.open.push(Open {
            at,
            anchor,
            content,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        let value = match open.content {
            Content::Sequence(items) => NodeValue::Sequence(items),
            Content::Mapping {
                entries, merged, ..
            } => {
                self.report_repeated_keys(&entries);
                NodeValue::Mapping(merge(entries, merged))
            }
        };
        let at = open.at;
        self.add(Node { at, value }, open.anchor)
    }

    fn alias(&mut self, anchor: usize, at: Position) -> Result<(), Problem> {
        let Some(node) = self.anchors.get(&anchor) else {
            let message = "an alias inside the very node that it names".to_owned();
            return Err(Problem { at, message });
        };
        if self.open.len() + node.height() > MAX_DEPTH {
            return Err(too_deep(at));
        }
        let weight = node.weight();
        self.charge(weight, at)?;
        let node = self.anchors.get(&anchor).cloned();
        node.map_or(Ok(()), |node| self.add(node, 0))
    }

    /// Puts a finished node where it belongs.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), Problem> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(node.at));
        }
        if let NodeValue::Scalar(scalar) = &node.value {
            self.charge(64 + scalar.text.len(), node.at)?;
        }
        if anchor != 0 {
            self.charge(node.weight(), node.at)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.loaded.documents.push(node),
            Some(Content::Sequence(items)) => items.push(node),
            Some(Content::Mapping {
                entries,
                merged,
                key,
            }) => match key.take() {
                Some((key, _)) if key.plain && key.text == "<<" => merged.push(node),
                Some((key, at)) => entries.push(Entry {
                    key: key.text,
                    at,
                    value: node,
                }),
                None => *key = Some(as_key(node)?),
            },
        }
        Ok(())
    }

    fn charge(&mut self, weight: usize, at: Position) -> Result<(), Problem> {
        self.weight = self.weight.saturating_add(weight);
        if self.weight <= self.most {
            return Ok(());
        }
        let message = "the document is too large once its aliases are expanded".to_owned();
        Err(Problem { at, message })
    }

    fn report_repeated_keys(&mut self, entries: &[Entry]) {
        let mut first = BTreeMap::new();
        for entry in entries {
            let before = *first.entry(entry.key.as_str()).or_insert(entry.at);
            if before != entry.at {
                let (key, line) = (&entry.key, before.line);
                let message = format!("`{key}` is given twice, the first time on line {line}");
                let at = entry.at;
                self.loaded.problems.push(Problem { at, message });
            }
        }
    }
}

fn too_deep(at: Position) -> Problem {
    let message = format!("nested more than {MAX_DEPTH} levels deep");
    Problem { at, message }
}

fn is_text(tag: &Tag) -> bool {
    tag.is_yaml_core_schema_tag("str")
}

fn as_key(node: Node) -> Result<(Scalar, Position), Problem> {
    let at = node.at;
    match node.value {
        NodeValue::Scalar(scalar) => Ok((scalar, at)),
        NodeValue::Sequence(_) | NodeValue::Mapping(_) => {
            let message = "a key must be text, not a list or a mapping".to_owned();
            Err(Problem { at, message })
        }
    }
}

/// Takes in what stands under `<<`: keys that the mapping itself does not have.
fn merge(mut own: Vec<Entry>, merged: Vec<Node>) -> Vec<Entry> {
    if merged.is_empty() {
        return own;
    }
    let mut names: BTreeSet<_> = own.iter().map(|entry| entry.key.clone()).collect();
    for node in merged {
        let sources = match node.value {
            NodeValue::Sequence(items) => items,
            NodeValue::Mapping(_) | NodeValue::Scalar(_) => vec![node],
        };
        for source in sources {
            if let NodeValue::Mapping(entries) = source.value {
                let new = |entry: &Entry| names.insert(entry.key.clone());
                own.extend(entries.into_iter().filter(new));
            }
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use serde_json::json;

    use super::*;

    fn values(text: &str) -> Vec<serde_json::Value> {
        let loaded = load(text);
        assert_eq!(loaded.problems, []);
        loaded.documents.iter().map(Node::to_value).collect()
    }

    fn problem(text: &str) -> String {
        let loaded = load(text);
        let problem = loaded.problems.first().expect("a problem");
        let Position { line, column } = problem.at;
        format!("{line}:{column}: {}", problem.message)
    }

    #[test]
    fn documents_become_trees() {
        assert_eq!(
            values("a: 1\nb: [x, 'y', \"z\"]\n---\n- ~\n- !!str 80\n"),
            [json!({"a": 1, "b": ["x", "y", "z"]}), json!([null, "80"])]
        );
        assert_eq!(values("{\n\t\"a\":\t1}"), [json!({"a": 1})]);
    }

    #[test]
    fn aliases_and_merges_are_expanded() {
        assert_eq!(
            values("base: &b {x: 1, y: 2}\nuse: {<<: *b, y: 3}\n"),
            [json!({"base": {"x": 1, "y": 2}, "use": {"x": 1, "y": 3}})]
        );
    }

    #[test]
    fn nodes_know_where_they_are() {
        let loaded = load("a:\n  ü: x\n");
        let inner = loaded.documents[0].get("a").unwrap();
        let NodeValue::Mapping(entries) = &inner.value else {
            panic!("a mapping");
        };
        assert_eq!(entries[0].at, Position { line: 2, column: 3 });
        assert_eq!(entries[0].value.at, Position { line: 2, column: 6 });
    }

    #[test]
    fn what_is_wrong_is_placed() {
        assert_eq!(
            problem("a: 1\na: 2\n"),
            "2:1: `a` is given twice, the first time on line 1"
        );
        assert_eq!(
            problem("? [a]\n: b\n"),
            "1:3: a key must be text, not a list or a mapping"
        );
        assert_eq!(problem("a: [1\n"), "1:4: unclosed bracket '['");
        assert_eq!(
            problem("a: &a [*a]\n"),
            "1:8: an alias inside the very node that it names"
        );
    }

    #[test]
    fn depth_and_size_are_bounded() {
        let deep = "[".repeat(10_000);
        assert!(problem(&deep).contains("nested more than"));
        let long = format!("a: {}", "x".repeat(MAX_BYTES));
        assert!(problem(&long).contains("longer than 4 MiB"));
        let mut bomb = String::from("l0: &l0 [a, b, c, d, e, f, g, h, i, j]\n");
        for level in 1..20 {
            let alias = format!("*l{}, ", level - 1).repeat(10);
            writeln!(bomb, "l{level}: &l{level} [{alias}]").unwrap();
        }
        assert!(problem(&bomb).contains("too large"));
        let mut tower = String::from("l0: &l0 [a]\n");
        for level in 1..100 {
            writeln!(tower, "l{level}: &l{level} [*l{}]", level - 1).unwrap();
        }
        assert!(problem(&tower).contains("nested more than"));
    }
}
