//! What a server answers, and what is wrong if it does not.

use redis::{ServerError, Value};

use ebbtide_brokers::error::ReadError;

/// Why there is no answer to a command.
pub(super) enum Failed {
    /// The server says that it cannot be.
    Refused(ServerError),
    /// The answer is longer than what is read.
    TooLong,
    /// There is no server, or none that answers.
    Lost(ReadError),
}

impl From<ReadError> for Failed {
    fn from(error: ReadError) -> Self {
        Self::Lost(error)
    }
}

/// A count, which is not negative.
#[expect(
    clippy::cast_precision_loss,
    reason = "no one tells apart counts that differ by a part in 2^53"
)]
pub(super) fn count(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) if *number >= 0 => Some(*number as f64),
        _ => None,
    }
}

/// A text.
pub(super) fn text(value: &Value) -> Option<&str> {
    match value {
        Value::BulkString(bytes) => str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}

/// The value of a field among names and values that follow each other.
pub(super) fn field<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    let mut fields = value.as_map_iter()?;
    let found = fields.find(|(key, _)| text(key) == Some(name));
    found.map(|(_, value)| value)
}

/// Whether a key that was asked about does not exist. Redis has no code of its own for that.
pub(super) fn is_no_such_key(error: &ServerError) -> bool {
    error.code() == "ERR" && error.details() == Some("no such key")
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    #[test]
    fn counts_are_not_negative_and_fields_have_names() {
        for (text, expected) in [
            (":0\r\n", Some(0.0)),
            (":12\r\n", Some(12.0)),
            (":-1\r\n", None),
            ("$2\r\n12\r\n", None),
            ("$-1\r\n", None),
        ] {
            let value = parse_redis_value(text.as_bytes()).unwrap();
            assert_eq!(count(&value), expected, "{text}");
        }
        let fields = parse_redis_value(b"*4\r\n$1\r\na\r\n:1\r\n+b\r\n$1\r\nx\r\n").unwrap();
        assert_eq!(field(&fields, "a").and_then(count), Some(1.0));
        assert_eq!(field(&fields, "b").and_then(text), Some("x"));
        assert_eq!(field(&fields, "x"), None);
        let odd = parse_redis_value(b"*1\r\n$1\r\na\r\n").unwrap();
        assert_eq!(field(&odd, "a"), None);
    }

    #[test]
    fn a_missing_key_is_told_from_other_errors() {
        for (text, expected) in [
            ("-ERR no such key\r\n", true),
            ("-ERR unknown command\r\n", false),
            ("-NOPERM no such key\r\n", false),
        ] {
            let Ok(Value::ServerError(error)) = parse_redis_value(text.as_bytes()) else {
                panic!("{text} is an error");
            };
            assert_eq!(is_no_such_key(&error), expected, "{text}");
        }
    }
}
