//! Messages as HTTP has them: a body, the header `BrokerProperties`, and headers of the sender's own.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use jiff::fmt::rfc2822::{DateTimeParser, DateTimePrinter};
use serde_json::{Map, Value, json};

use super::answer::Refused;
use crate::broker::{Message, Received};

/// The header with the broker's properties.
pub(super) const BROKER_PROPERTIES: HeaderName = HeaderName::from_static("brokerproperties");

/// Properties that the broker does nothing with but to pass them on.
const PASSED_ON: [&str; 7] = [
    "CorrelationId",
    "Label",
    "PartitionKey",
    "ReplyTo",
    "ReplyToSessionId",
    "SessionId",
    "To",
];

/// Headers of requests that are no property of the message.
const NOT_OF_THE_MESSAGE: [&str; 20] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "brokerproperties",
    "cache-control",
    "connection",
    "content-length",
    "content-type",
    "date",
    "expect",
    "host",
    "keep-alive",
    "pragma",
    "te",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// The message of a request to send one.
pub(super) fn read(headers: &HeaderMap, body: Bytes) -> Result<Message, Refused> {
    let mut message = Message {
        content_type: text(headers, &CONTENT_TYPE)?,
        body,
        ..Message::default()
    };
    if let Some(json) = text(headers, &BROKER_PROPERTIES)? {
        read_broker_properties(&mut message, &json)?;
    }
    for (name, value) in headers {
        let name = name.as_str();
        if NOT_OF_THE_MESSAGE.contains(&name) || name.starts_with("x-ms-") {
            continue;
        }
        let value = value.to_str();
        let value = value.map_err(|_| Refused::bad(format!("the header '{name}' is not ASCII")))?;
        message.custom.push((name.to_owned(), value.to_owned()));
    }
    Ok(message)
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Refused> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let value = String::from_utf8(value.as_bytes().to_vec());
    value
        .map(Some)
        .map_err(|_| Refused::bad(format!("the header '{name}' is not UTF-8")))
}

fn read_broker_properties(message: &mut Message, json: &str) -> Result<(), Refused> {
    let properties: Map<String, Value> = serde_json::from_str(json)
        .map_err(|error| Refused::bad(format!("BrokerProperties is no JSON object: {error}")))?;
    let string = |key: &str| match properties.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(wrong(key, other, "a string")),
    };
    message.identifier = string("MessageId")?;
    for key in PASSED_ON {
        if let Some(text) = string(key)? {
            message.properties.push((key, text));
        }
    }
    if let Some(date) = string("ScheduledEnqueueTimeUtc")? {
        let rule = "a date as in HTTP, or as in ISO 8601";
        let parsed = DateTimeParser::new()
            .parse_timestamp(&date)
            .or_else(|_| date.parse());
        let at = parsed.map_err(|_| wrong("ScheduledEnqueueTimeUtc", &json!(date), rule))?;
        message.scheduled = Some(at);
    }
    match properties.get("TimeToLive") {
        None | Some(Value::Null) => {}
        Some(value) => {
            let seconds = value.as_f64().map(Duration::try_from_secs_f64);
            let Some(Ok(seconds)) = seconds else {
                return Err(wrong("TimeToLive", value, "a number of seconds, 0 or more"));
            };
            message.time_to_live = Some(seconds);
        }
    }
    Ok(())
}

fn wrong(key: &str, value: &Value, rule: &str) -> Refused {
    Refused::bad(format!(
        "{key} of BrokerProperties is {value}, and has to be {rule}"
    ))
}

/// The headers of an answer with a message.
pub(super) fn write(received: &Received, headers: &mut HeaderMap) -> Result<(), Refused> {
    let message = &received.message;
    let mut properties = Map::new();
    for (key, value) in &message.properties {
        properties.insert((*key).to_owned(), json!(value));
    }
    if let Some((token, until)) = received.lock {
        properties.insert("LockToken".to_owned(), json!(token.to_string()));
        properties.insert("LockedUntilUtc".to_owned(), json!(date(until)));
    }
    let own = [
        ("MessageId", json!(message.identifier)),
        ("DeliveryCount", json!(received.deliveries)),
        ("SequenceNumber", json!(received.sequence)),
        ("EnqueuedSequenceNumber", json!(received.enqueued_sequence)),
        ("EnqueuedTimeUtc", json!(date(received.enqueued))),
        ("State", json!("Active")),
        ("TimeToLive", json!(received.time_to_live.as_secs_f64())),
    ];
    properties.extend(own.map(|(key, value)| (key.to_owned(), value)));
    insert(
        headers,
        "brokerproperties",
        &ascii(&Value::Object(properties).to_string()),
    )?;

    if let Some(kind) = &message.content_type {
        insert(headers, "content-type", kind)?;
    }
    for (name, value) in &message.custom {
        insert(headers, name, value)?;
    }
    if let Some(dead) = &received.dead_letter {
        insert(headers, "deadletterreason", &json!(dead.reason).to_string())?;
        let description = json!(dead.description).to_string();
        insert(headers, "deadlettererrordescription", &description)?;
    }
    Ok(())
}

fn insert(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), Refused> {
    let pair = HeaderName::try_from(name)
        .ok()
        .zip(HeaderValue::try_from(value).ok());
    let (name, value) = pair.ok_or_else(|| Refused::bad(format!("'{name}' cannot be a header")))?;
    headers.append(name, value);
    Ok(())
}

/// JSON whose strings have escapes for what is not ASCII, since a header has to be.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii() && character != '\u{7f}' {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string does not fail.
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// A date as in HTTP.
fn date(at: Timestamp) -> String {
    DateTimePrinter::new()
        .timestamp_to_rfc9110_string(&at)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
