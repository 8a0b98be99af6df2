//! Attributes of spans and of who sends them.

use std::time::Duration;

use ebbtide_proto::otlp::any_value::Value;
use ebbtide_proto::otlp::{AnyValue, KeyValue};

/// Attributes, in the order in which they were added.
#[derive(Default)]
pub(super) struct Attributes(Vec<KeyValue>);

impl Attributes {
    /// Adds a text, if it is known.
    pub(super) fn text(&mut self, key: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(key, Value::Text(value.to_owned()));
        }
    }

    /// Adds a number, if it is known.
    pub(super) fn number(&mut self, key: &str, value: Option<u16>) {
        if let Some(value) = value {
            self.add(key, Value::Integer(value.into()));
        }
    }

    /// Adds a time, if it is known.
    pub(super) fn seconds(&mut self, key: &str, value: Option<Duration>) {
        if let Some(value) = value {
            self.add(key, Value::Number(value.as_secs_f64()));
        }
    }

    /// All of them.
    pub(super) fn into_vec(self) -> Vec<KeyValue> {
        self.0
    }

    fn add(&mut self, key: &str, value: Value) {
        let value = Some(AnyValue { value: Some(value) });
        self.0.push(KeyValue {
            key: key.to_owned(),
            value,
        });
    }
}
