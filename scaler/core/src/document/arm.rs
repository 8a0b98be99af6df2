//! ARM templates: the container apps among a template's resources, with expressions evaluated.
//!
//! What a template computes from deployed resources (`reference()`, `listKeys()`) cannot be known
//! here. Such a value stays as it was written, and is an error only where it would be used.

mod evaluate;
mod expression;
mod functions;

use super::node::{Entry, Node, NodeValue, Position};
use super::placeholder::Set;
use super::read::{APP_TYPE, ROUTES_TYPE};
use super::reader::{Field, Reader};
use evaluate::Evaluator;

/// Whether a document is a template: it says so, or has a template's parts.
pub(super) fn is_template(document: &Node) -> bool {
    let schema = document.get("$schema").and_then(Node::text);
    schema.is_some_and(|schema| schema.contains("deploymentTemplate"))
        || (document.get("contentVersion").is_some() && document.get("resources").is_some())
}

/// The container apps and routes of a template and the path of each. Other resources are mentioned.
pub(super) fn resources(
    reader: &mut Reader<'_>,
    document: &Node,
    set: &Set,
) -> Vec<(Node, String)> {
    let mut evaluator = Evaluator::new(document.get("variables"));
    if let NodeValue::Mapping(entries) = &document.value
        && let Some(parameters) = super::node::find(entries, "parameters")
    {
        let field = parameters.field("");
        for (name, definition) in reader.entries(&field) {
            evaluator.add_parameter(reader, name, &definition, set);
        }
    }
    let mut apps = Vec::new();
    for field in resource_fields(document) {
        if is_wanted(reader, &field, &mut evaluator) {
            apps.push((evaluator.resolve(field.node), field.path));
        }
    }
    apps
}

/// The resources: a list, or since language version 2.0 a mapping by symbolic name.
fn resource_fields(document: &Node) -> Vec<Field<'_>> {
    let path = |key: &str| format!("resources[{key}]");
    match document.get("resources").map(|node| &node.value) {
        Some(NodeValue::Sequence(items)) => (items.iter().enumerate())
            .map(|(index, node)| Field {
                node,
                path: path(&index.to_string()),
            })
            .collect(),
        Some(NodeValue::Mapping(entries)) => (entries.iter())
            .map(|Entry { key, value, .. }| Field {
                node: value,
                path: path(key),
            })
            .collect(),
        Some(NodeValue::Scalar(_)) | None => Vec::new(),
    }
}

/// Whether a resource is a container app, or routes to some, that is to be deployed.
fn is_wanted(reader: &mut Reader<'_>, field: &Field<'_>, evaluator: &mut Evaluator<'_>) -> bool {
    let kind = field
        .node
        .get("type")
        .and_then(Node::text)
        .unwrap_or("unknown");
    let is_read = |wanted: &str| kind.eq_ignore_ascii_case(wanted);
    if !is_read(APP_TYPE) && !is_read(ROUTES_TYPE) {
        let read = format!("{APP_TYPE} and {ROUTES_TYPE}");
        let message = format!("skipped: only {read} are read, and this is {kind}");
        reader.warn(field, message);
        return false;
    }
    if let Some(node) = field.node.get("copy") {
        let path = format!("{}.copy", field.path);
        let message = "loops are not evaluated; write each app out";
        reader.error(&Field { node, path }, message);
        return false;
    }
    let Some(condition) = field.node.get("condition") else {
        return true;
    };
    let path = format!("{}.condition", field.path);
    let node = &evaluator.resolve(condition);
    let deployed = reader.boolean(&Field { node, path });
    if deployed == Some(false) {
        reader.warn(field, "skipped: its condition is false");
    }
    deployed == Some(true)
}

/// A mapping that is not in the text, of texts.
fn mapping(at: Position, entries: &[(&str, &str)]) -> Node {
    let entry = |(key, text): &(&str, &str)| Entry {
        key: (*key).to_owned(),
        at,
        value: text_node(at, (*text).to_owned()),
    };
    Node {
        at,
        value: NodeValue::Mapping(entries.iter().map(entry).collect()),
    }
}

/// A text that is not in the text of the document.
fn text_node(at: Position, text: String) -> Node {
    Node::scalar(at, super::node::Scalar::quoted(text))
}
