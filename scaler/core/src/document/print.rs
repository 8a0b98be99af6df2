//! The model as a document again, in the shape that Azure's command line shows and takes.

mod configuration;
mod http_route;
mod template;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::model::{ContainerApp, Declaration, DeclaredRevision, HttpRouteConfig};
use super::read::{APP_TYPE, REVISION_TYPE, ROUTES_TYPE};

/// Whether the values of secrets are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretDisplay {
    /// Names only, for people and logs.
    Hidden,
    /// Names and values, for a document that is to be read again.
    Shown,
}

/// The declaration as a document. With secrets shown, [`parse`](super::parse) reads an equal
/// declaration from it.
pub fn to_value(declaration: &Declaration, secrets: SecretDisplay) -> Value {
    match declaration {
        Declaration::App(app) => app_value(app, secrets),
        Declaration::Revision(revision) => revision_value(revision),
        Declaration::Routes(config) => routes_value(config),
    }
}

/// The declaration as YAML, otherwise as [`to_value`].
pub fn to_yaml(declaration: &Declaration, secrets: SecretDisplay) -> String {
    let value = to_value(declaration, secrets);
    // Long identifiers stay on their line.
    let options = serde_saphyr::ser_options! { min_fold_chars: usize::MAX };
    // JSON is YAML too, should the serializer ever refuse a value.
    serde_saphyr::to_string_with_options(&value, options).unwrap_or_else(|_| value.to_string())
}

fn app_value(app: &ContainerApp, secrets: SecretDisplay) -> Value {
    let properties = Mapping::default()
        .with(
            "configuration",
            configuration::value(&app.configuration, secrets),
        )
        .with("template", template::value(&app.template));
    let document = Mapping::default()
        .with("name", app.name.as_str())
        .with("type", APP_TYPE)
        .maybe("location", app.location.clone())
        .texts("tags", &app.tags)
        .with("properties", properties);
    with_accepted(document.into(), &app.accepted)
}

fn revision_value(revision: &DeclaredRevision) -> Value {
    let properties = Mapping::default()
        .with("active", revision.active)
        .with("template", template::value(&revision.template));
    let document = Mapping::default()
        .with("name", revision.name.as_str())
        .with("type", REVISION_TYPE)
        .with("properties", properties);
    with_accepted(document.into(), &revision.accepted)
}

fn routes_value(config: &HttpRouteConfig) -> Value {
    let document = Mapping::default()
        .with("name", config.name.as_str())
        .with("type", ROUTES_TYPE)
        .with("properties", http_route::value(config));
    with_accepted(document.into(), &config.accepted)
}

/// Puts the accepted properties back where they were.
fn with_accepted(mut document: Value, accepted: &BTreeMap<String, Value>) -> Value {
    for (path, value) in accepted {
        put(&mut document, path, value);
    }
    document
}

/// Puts `value` at `path`, such as `a.b[0].c`, making mappings and list entries on the way.
fn put(document: &mut Value, path: &str, value: &Value) {
    let mut place = document;
    for part in path.split(['.', '[']) {
        place = match part.strip_suffix(']').map(str::parse::<usize>) {
            Some(Ok(index)) => entry(place, index),
            _ => property(place, part),
        };
    }
    *place = value.clone();
}

fn property<'v>(place: &'v mut Value, key: &str) -> &'v mut Value {
    if !place.is_object() {
        *place = Value::Object(Map::new());
    }
    &mut place[key]
}

fn entry(place: &mut Value, index: usize) -> &mut Value {
    if !place.is_array() {
        *place = Value::Array(Vec::new());
    }
    if let Value::Array(items) = place
        && items.len() <= index
    {
        items.resize(index + 1, Value::Null);
    }
    &mut place[index]
}

/// A mapping in the making; what is absent or empty is not written.
#[derive(Default)]
struct Mapping(Map<String, Value>);

impl Mapping {
    fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.0.insert(key.to_owned(), value.into());
        self
    }

    fn maybe(self, key: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    fn list<T>(self, key: &str, items: &[T], value: impl Fn(&T) -> Value) -> Self {
        if items.is_empty() {
            return self;
        }
        self.with(key, items.iter().map(value).collect::<Vec<_>>())
    }

    fn texts(self, key: &str, texts: &BTreeMap<String, String>) -> Self {
        if texts.is_empty() {
            return self;
        }
        let entry = |(key, text): (&String, &String)| (key.clone(), text.clone().into());
        self.with(key, texts.iter().map(entry).collect::<Map<_, _>>())
    }
}

impl From<Mapping> for Value {
    fn from(mapping: Mapping) -> Self {
        Self::Object(mapping.0)
    }
}
