//! Values of expressions: parameters, variables, and what functions make of them.
//!
//! A template is a program that someone else wrote. Its evaluation is bounded in depth and in the
//! amount of text it makes.

use std::collections::BTreeMap;

use super::expression::{Expression, parse};
use super::functions;
use crate::document::load::load;
use crate::document::node::{Entry, Node, NodeValue, Position, Scalar, Unresolved};
use crate::document::placeholder::Set;
use crate::document::reader::{Field, Reader};

/// The most steps from a resource's property to the innermost value that it is made of.
const MAX_DEPTH: usize = 100;
/// The most that may be made, in bytes and nodes together.
const MAX_WORK: usize = 8 << 20;

/// Evaluates the expressions of one template.
pub(super) struct Evaluator<'t> {
    /// By their names in lower case, as ARM compares them; the same for variables.
    parameters: BTreeMap<String, Option<Node>>,
    variables: BTreeMap<String, &'t Node>,
    work: usize,
}

impl<'t> Evaluator<'t> {
    /// An evaluator that knows these variables and no parameters yet.
    pub(super) fn new(variables: Option<&'t Node>) -> Self {
        let entries = match variables.map(|node| &node.value) {
            Some(NodeValue::Mapping(entries)) => entries.as_slice(),
            _ => &[],
        };
        let variable = |entry: &'t Entry| (entry.key.to_ascii_lowercase(), &entry.value);
        Self {
            parameters: BTreeMap::new(),
            variables: entries.iter().map(variable).collect(),
            work: 0,
        }
    }

    /// Takes a parameter: its value is that of `--set`, or else its default. Without either it is
    /// an error, reported here and not where it is used.
    pub(super) fn add_parameter(
        &mut self,
        reader: &mut Reader<'_>,
        name: &str,
        definition: &Field<'_>,
        set: &Set,
    ) {
        let given = (set.iter()).find(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = match given {
            Some((_, text)) => Some(given_value(definition.node, text)),
            None => definition.node.get("defaultValue").cloned(),
        };
        if value.is_none() {
            let message = "the parameter has no value; give it one with";
            reader.error(definition, format!("{message} `--set {name}=value`"));
        }
        self.parameters.insert(name.to_ascii_lowercase(), value);
    }

    /// A node with all its expressions evaluated.
    pub(super) fn resolve(&mut self, node: &Node) -> Node {
        self.resolve_at(node, 0)
    }

    fn resolve_at(&mut self, node: &Node, depth: usize) -> Node {
        let at = node.at;
        if depth > MAX_DEPTH || !self.charge(1) {
            let message = "the template's expressions are too deep or too large";
            return unresolved(at, String::new(), message.to_owned().into());
        }
        let value = match &node.value {
            NodeValue::Scalar(scalar) => return self.resolve_scalar(at, scalar, depth),
            NodeValue::Sequence(items) => {
                let items = items.iter().map(|item| self.resolve_at(item, depth + 1));
                NodeValue::Sequence(items.collect())
            }
            NodeValue::Mapping(entries) => {
                let resolve = |entry: &Entry| Entry {
                    key: entry.key.clone(),
                    at: entry.at,
                    value: self.resolve_at(&entry.value, depth + 1),
                };
                NodeValue::Mapping(entries.iter().map(resolve).collect())
            }
        };
        Node { at, value }
    }

    /// A text in brackets is an expression; `[[` stands for a text that begins with a bracket.
    fn resolve_scalar(&mut self, at: Position, scalar: &Scalar, depth: usize) -> Node {
        if let Some(text) = scalar.text.strip_prefix("[[") {
            let text = format!("[{text}");
            return Node::scalar(at, Scalar::quoted(text));
        }
        let inside = (scalar.text.strip_prefix('[')).and_then(|text| text.strip_suffix(']'));
        let Some(inside) = inside else {
            self.charge(scalar.text.len());
            return Node::scalar(at, scalar.clone());
        };
        let value = match parse(inside) {
            Ok(expression) => self.evaluate(&expression, at, depth + 1),
            Err(message) => Err(format!("the expression cannot be read: {message}").into()),
        };
        match value {
            Ok(node) => Node { at, ..node },
            Err(reason) => unresolved(at, scalar.text.clone(), reason),
        }
    }

    /// The value of an expression that stands at `at`.
    pub(super) fn evaluate(
        &mut self,
        expression: &Expression,
        at: Position,
        depth: usize,
    ) -> Result<Node, Unresolved> {
        if depth > MAX_DEPTH {
            let message = "the expression is too deep; do variables name each other?";
            return Err(message.to_owned().into());
        }
        let value = match expression {
            Expression::Text(text) => super::text_node(at, text.clone()),
            Expression::Integer(integer) => Node::scalar(at, Scalar::plain(integer.to_string())),
            Expression::Call { name, arguments } => {
                functions::call(self, name, arguments, at, depth + 1)?
            }
            Expression::Member { of, name } => member(&self.evaluate(of, at, depth + 1)?, name)?,
            Expression::Index { of, index } => {
                let of = self.evaluate(of, at, depth + 1)?;
                let index = text(&self.evaluate(index, at, depth + 1)?)?;
                member(&of, &index)?
            }
        };
        if self.charge(value.weight()) {
            Ok(value)
        } else {
            Err("the template's expressions make too much text"
                .to_owned()
                .into())
        }
    }

    /// The value of a parameter.
    pub(super) fn parameter(&mut self, name: &str, depth: usize) -> Result<Node, Unresolved> {
        match self.parameters.get(&name.to_ascii_lowercase()) {
            Some(Some(node)) => {
                let node = node.clone();
                Ok(self.resolve_at(&node, depth + 1))
            }
            Some(None) => Err(Unresolved::Reported),
            None => Err(format!("the template has no parameter `{name}`").into()),
        }
    }

    /// The value of a variable.
    pub(super) fn variable(&mut self, name: &str, depth: usize) -> Result<Node, Unresolved> {
        match self.variables.get(&name.to_ascii_lowercase()).copied() {
            Some(node) => Ok(self.resolve_at(node, depth + 1)),
            None => Err(format!("the template has no variable `{name}`").into()),
        }
    }

    /// Whether there is room for this much more.
    fn charge(&mut self, work: usize) -> bool {
        let total = self.work.saturating_add(work);
        if total <= MAX_WORK {
            self.work = total;
        }
        total <= MAX_WORK
    }
}

/// A text that `--set` gave, as the parameter's type has it.
fn given_value(definition: &Node, text: &str) -> Node {
    let at = definition.at;
    let kind = definition
        .get("type")
        .and_then(Node::text)
        .unwrap_or("string");
    match kind.to_ascii_lowercase().as_str() {
        "int" | "bool" => Node::scalar(at, Scalar::plain(text.to_owned())),
        "array" | "object" | "secureobject" => {
            let document = load(text).documents.into_iter().next();
            document.unwrap_or_else(|| super::text_node(at, text.to_owned()))
        }
        _ => super::text_node(at, text.to_owned()),
    }
}

/// `of.name` or `of[name]`.
fn member(of: &Node, name: &str) -> Result<Node, Unresolved> {
    let index: Option<usize> = name.parse().ok();
    let found = match (of.items(), index) {
        (Some(items), Some(index)) => items.get(index),
        _ => of.get(name),
    };
    found
        .cloned()
        .ok_or_else(|| format!("there is no `{name}` in the value").into())
}

/// The text of a value; of nothing, no text.
pub(super) fn text(node: &Node) -> Result<String, Unresolved> {
    match &node.value {
        NodeValue::Scalar(scalar) => match &scalar.unresolved {
            Some(reason) => Err(reason.clone()),
            None if scalar.is_null() => Ok(String::new()),
            None => Ok(scalar.text.clone()),
        },
        NodeValue::Sequence(_) | NodeValue::Mapping(_) => Ok(node.to_value().to_string()),
    }
}

fn unresolved(at: Position, text: String, reason: Unresolved) -> Node {
    let unresolved = Some(reason);
    Node::scalar(
        at,
        Scalar {
            unresolved,
            ..Scalar::quoted(text)
        },
    )
}
