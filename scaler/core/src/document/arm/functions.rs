//! The functions of template expressions that need nothing but the template.

use super::evaluate::{Evaluator, text};
use super::expression::Expression;
use super::{mapping, text_node};
use crate::document::load::load;
use crate::document::node::{Node, NodeValue, Position, Scalar, Unresolved};

/// Stand for what only a deployment has.
const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";
const RESOURCE_GROUP: &str = "local";
const LOCATION: &str = "local";

/// The longest text that a function makes of shorter ones, in bytes.
const LONGEST_TEXT: usize = 1 << 20;

/// Calls a function. Its arguments are evaluated as it needs them.
pub(super) fn call(
    evaluator: &mut Evaluator<'_>,
    name: &str,
    arguments: &[Expression],
    at: Position,
    depth: usize,
) -> Result<Node, Unresolved> {
    let function = name.to_ascii_lowercase();
    if function == "if" {
        let [condition, yes, no] = arguments else {
            return Err("if() takes three arguments".to_owned().into());
        };
        let condition = is_true(&evaluator.evaluate(condition, at, depth)?)?;
        return evaluator.evaluate(if condition { yes } else { no }, at, depth);
    }
    if !is_known(&function) {
        return Err(format!(
            "calls {name}(), which is not evaluated here; write the value itself, or make it a \
             parameter and give it with --set"
        )
        .into());
    }
    let mut values = Vec::new();
    for argument in arguments {
        values.push(evaluator.evaluate(argument, at, depth)?);
    }
    let no_arguments = || Unresolved::from(format!("{name}() needs an argument"));
    let first = || values.first().ok_or_else(no_arguments);
    match function.as_str() {
        "parameters" => evaluator.parameter(&text(first()?)?, depth),
        "variables" => evaluator.variable(&text(first()?)?, depth),
        "true" | "false" | "null" => Ok(Node::scalar(at, Scalar::plain(function))),
        "resourcegroup" => Ok(resource_group(at)),
        "subscription" => Ok(subscription(at)),
        "concat" => concat(&values, at),
        "coalesce" => Ok(coalesce(&values, at)),
        "and" => logical(&values, at, |mut all| all.all(|value| value)),
        "or" => logical(&values, at, |mut any| any.any(|value| value)),
        "equals" => Ok(boolean(at, equals(&values))),
        "json" => json(first()?),
        "array" | "createarray" => Ok(Node {
            at,
            value: NodeValue::Sequence(values),
        }),
        "not" => Ok(boolean(at, !is_true(first()?)?)),
        "empty" => Ok(boolean(at, is_empty(first()?))),
        "int" | "bool" => Ok(Node::scalar(at, Scalar::plain(text(first()?)?))),
        _ => Ok(text_node(at, of_texts(&function, &texts(&values)?)?)),
    }
}

/// The functions that [`call`] has, in lower case.
fn is_known(function: &str) -> bool {
    const KNOWN: &[&str] = &[
        "and",
        "array",
        "bool",
        "coalesce",
        "concat",
        "createarray",
        "empty",
        "equals",
        "false",
        "format",
        "int",
        "json",
        "not",
        "null",
        "or",
        "parameters",
        "replace",
        "resourcegroup",
        "resourceid",
        "string",
        "subscription",
        "tolower",
        "toupper",
        "trim",
        "true",
        "variables",
    ];
    KNOWN.binary_search(&function).is_ok()
}

/// Functions from texts to a text.
fn of_texts(function: &str, texts: &[String]) -> Result<String, String> {
    match (function, texts) {
        ("tolower", [text]) => Ok(text.to_lowercase()),
        ("toupper", [text]) => Ok(text.to_uppercase()),
        ("trim", [text]) => Ok(text.trim().to_owned()),
        ("string", [text]) => Ok(text.clone()),
        ("replace", [text, from, to]) if !from.is_empty() => {
            let added = text.matches(from).count().saturating_mul(to.len());
            within_bounds(text.len().saturating_add(added))?;
            Ok(text.replace(from, to))
        }
        ("format", [pattern, values @ ..]) => format_pattern(pattern, values),
        ("resourceid", _) => resource_id(texts),
        _ => Err(format!("{function}() has the wrong number of arguments")),
    }
}

fn texts(values: &[Node]) -> Result<Vec<String>, Unresolved> {
    values.iter().map(text).collect()
}

/// Joins lists, or texts.
fn concat(values: &[Node], at: Position) -> Result<Node, Unresolved> {
    if values.first().is_some_and(|value| value.items().is_some()) {
        let items = values.iter().filter_map(Node::items).flatten();
        let value = NodeValue::Sequence(items.cloned().collect());
        return Ok(Node { at, value });
    }
    Ok(text_node(at, texts(values)?.concat()))
}

/// `{0}` stands for the first value; `{{` and `}}` for braces.
fn format_pattern(pattern: &str, values: &[String]) -> Result<String, String> {
    let mut result = String::new();
    let mut rest = pattern;
    while let Some(place) = rest.find(['{', '}']) {
        let (before, from) = rest.split_at(place);
        result.push_str(before);
        if let Some(after) = from.strip_prefix("{{").or(from.strip_prefix("}}")) {
            result.push_str(&from[..1]);
            rest = after;
            continue;
        }
        let inside = from.strip_prefix('{').and_then(|from| from.split_once('}'));
        let value = inside.and_then(|(index, after)| {
            let index: usize = index.trim().parse().ok()?;
            Some((values.get(index)?, after))
        });
        let Some((value, after)) = value else {
            return Err(format!("format() has no value for its pattern `{pattern}`"));
        };
        result.push_str(value);
        within_bounds(result.len())?;
        rest = after;
    }
    Ok(result + rest)
}

/// Refuses a text that would grow too long.
fn within_bounds(length: usize) -> Result<(), String> {
    if length <= LONGEST_TEXT {
        return Ok(());
    }
    Err("the template's expressions make too much text".to_owned())
}

/// The identifier of a resource of this group, from its type and names; a subscription and a
/// group may come before them.
fn resource_id(texts: &[String]) -> Result<String, String> {
    let kind = texts.iter().position(|text| text.contains('/'));
    let Some(kind) = kind else {
        return Err("resourceId() needs a type such as 'Microsoft.App/containerApps'".to_owned());
    };
    let (scope, names) = (&texts[..kind], &texts[kind + 1..]);
    let (subscription, group) = match scope {
        [subscription, group, ..] => (subscription.as_str(), group.as_str()),
        [group] => (SUBSCRIPTION, group.as_str()),
        [] => (SUBSCRIPTION, RESOURCE_GROUP),
    };
    let mut types = texts[kind].split('/').filter(|part| !part.is_empty());
    let provider = types.next().unwrap_or_default();
    let mut id =
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}");
    for (kind, name) in types.zip(names) {
        id = format!("{id}/{kind}/{name}");
    }
    Ok(id)
}

fn resource_group(at: Position) -> Node {
    let id = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{RESOURCE_GROUP}");
    mapping(
        at,
        &[
            ("id", &id),
            ("name", RESOURCE_GROUP),
            ("location", LOCATION),
        ],
    )
}

fn subscription(at: Position) -> Node {
    let id = format!("/subscriptions/{SUBSCRIPTION}");
    mapping(at, &[("id", &id), ("subscriptionId", SUBSCRIPTION)])
}

/// The value that a JSON text has.
fn json(value: &Node) -> Result<Node, Unresolved> {
    let loaded = load(&text(value)?);
    match loaded.documents.into_iter().next() {
        Some(node) if loaded.problems.is_empty() => Ok(node),
        _ => Err("json() has a text that is not JSON".to_owned().into()),
    }
}

fn logical(
    values: &[Node],
    at: Position,
    combine: impl FnOnce(std::vec::IntoIter<bool>) -> bool,
) -> Result<Node, Unresolved> {
    let values: Vec<bool> = values.iter().map(is_true).collect::<Result<_, _>>()?;
    Ok(boolean(at, combine(values.into_iter())))
}

fn equals(values: &[Node]) -> bool {
    values
        .windows(2)
        .all(|pair| pair[0].to_value() == pair[1].to_value())
}

fn is_true(value: &Node) -> Result<bool, Unresolved> {
    match text(value)?.to_ascii_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(format!("found `{other}` where true or false was expected").into()),
    }
}

fn is_empty(value: &Node) -> bool {
    match &value.value {
        NodeValue::Scalar(scalar) => scalar.is_null() || scalar.text.is_empty(),
        NodeValue::Sequence(items) => items.is_empty(),
        NodeValue::Mapping(entries) => entries.is_empty(),
    }
}

fn boolean(at: Position, value: bool) -> Node {
    Node::scalar(at, Scalar::plain(value.to_string()))
}

/// The first value that is not null.
fn coalesce(values: &[Node], at: Position) -> Node {
    let found = values.iter().find(|value| !value.is_null()).cloned();
    found.unwrap_or_else(|| Node::scalar(at, Scalar::plain(String::new())))
}
