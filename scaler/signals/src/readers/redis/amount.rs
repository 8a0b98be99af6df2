//! What is asked, and what follows of the answers.

use std::collections::BTreeMap;

use redis::{FromRedisValue as _, RedisError, Value};

use super::nodes::{Node, words};
use crate::amount::{Amount, Flow};
use crate::error::ReadError;
use crate::parameters::Parameters;

const LIST: &str = "listName";
const STREAM: &str = "stream";

/// What is asked for.
pub(super) enum Ask {
    /// The elements of a list, set, sorted set or hash.
    Elements(String),
    /// The entries of a stream.
    Length(String),
    /// The entries of a stream that a group has yet to do with.
    Group {
        stream: String,
        group: String,
        /// Those not delivered, instead of those not acknowledged.
        is_lag: bool,
    },
}

/// What a server says of a group.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Group {
    pending: f64,
    /// Those delivered so far; Redis 7 knows, if it can be known.
    read: Option<f64>,
    /// Those not delivered yet; likewise.
    lag: Option<f64>,
}

impl Ask {
    /// As the parameters have it.
    ///
    /// # Errors
    /// The key is missing.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, ReadError> {
        if parameters.scaler().key(LIST).is_some() {
            return Ok(Self::Elements(parameters.required(LIST)?.to_owned()));
        }
        let stream = parameters.required(STREAM)?.to_owned();
        Ok(match parameters.text("consumerGroup") {
            None => Self::Length(stream),
            Some(group) => Self::Group {
                stream,
                group: group.to_owned(),
                is_lag: parameters.text("lagCount").is_some(),
            },
        })
    }

    /// Asks a server.
    ///
    /// # Errors
    /// What it says instead.
    pub(super) async fn read(&self, node: &mut Node) -> Result<Amount, RedisError> {
        match self {
            Self::Elements(key) => elements(node, key).await,
            Self::Length(stream) => length(node, "XLEN", stream).await.map(Amount::from),
            Self::Group {
                stream,
                group,
                is_lag,
            } => of_group(node, stream, group, *is_lag).await,
        }
    }

    /// What went wrong, with the key that it is about.
    pub(super) fn error(&self, error: &RedisError) -> ReadError {
        let key = match self {
            Self::Elements(_) => LIST,
            Self::Length(_) | Self::Group { .. } => STREAM,
        };
        if error.kind() == redis::ErrorKind::Client {
            return ReadError::of(key, error.detail().unwrap_or("cannot be read"));
        }
        ReadError::of(key, words(error))
    }
}

async fn length(node: &mut Node, command: &str, key: &str) -> Result<f64, RedisError> {
    let mut ask = redis::cmd(command);
    ask.arg(key).query_async(&mut node.connection).await
}

async fn elements(node: &mut Node, key: &str) -> Result<Amount, RedisError> {
    let mut ask = redis::cmd("TYPE");
    let kind: String = ask.arg(key).query_async(&mut node.connection).await?;
    let command = match kind.as_str() {
        "none" => return Ok(Amount::from(0.0)),
        "list" => "LLEN",
        "set" => "SCARD",
        "zset" => "ZCARD",
        "hash" => "HLEN",
        other => {
            let detail = format!("is a {other}, and not a list, set, sorted set or hash");
            return Err(unfit(detail));
        }
    };
    length(node, command, key).await.map(Amount::from)
}

async fn of_group(
    node: &mut Node,
    stream: &str,
    group: &str,
    is_lag: bool,
) -> Result<Amount, RedisError> {
    let mut ask = redis::cmd("XINFO");
    ask.arg("GROUPS").arg(stream);
    let groups: Vec<BTreeMap<String, Value>> = match ask.query_async(&mut node.connection).await {
        Ok(groups) => groups,
        Err(error)
            if error
                .detail()
                .is_some_and(|detail| detail.contains("no such key")) =>
        {
            return if is_lag {
                Ok(Amount::from(0.0))
            } else {
                Err(unfit(format!("there is no stream {stream}")))
            };
        }
        Err(error) => return Err(error),
    };
    match find(&groups, group) {
        Some(group) => amount(group, is_lag),
        None if is_lag => length(node, "XLEN", stream).await.map(Amount::from),
        None => Err(unfit(format!(
            "the stream {stream} has no consumer group {group}"
        ))),
    }
}

fn find(groups: &[BTreeMap<String, Value>], name: &str) -> Option<Group> {
    let text = |value: &Value| String::from_redis_value_ref(value).ok();
    let named = |group: &&BTreeMap<String, Value>| {
        group.get("name").and_then(text).as_deref() == Some(name)
    };
    let group = groups.iter().find(named)?;
    let number = |field: &str| {
        let value = group.get(field).filter(|value| **value != Value::Nil)?;
        f64::from_redis_value_ref(value).ok()
    };
    Some(Group {
        pending: number("pending").unwrap_or(0.0),
        read: number("entries-read"),
        lag: number("lag"),
    })
}

fn amount(group: Group, is_lag: bool) -> Result<Amount, RedisError> {
    let value = match (is_lag, group.lag) {
        (false, _) => group.pending,
        (true, Some(lag)) => lag,
        (true, None) => {
            let message = "its lag is not known: that needs Redis 7, and entries that were never \
                           deleted from the middle";
            return Err(unfit(message.to_owned()));
        }
    };
    Ok(Amount {
        value,
        in_process: Some(group.pending),
        arrivals: group
            .read
            .zip(group.lag)
            .map(|(read, lag)| Flow::Total(read + lag)),
        completions: group.read.map(|read| Flow::Total(read - group.pending)),
        activity: None,
    })
}

/// What is asked for is not there, or not of the kind that it should be.
fn unfit(detail: String) -> RedisError {
    RedisError::from((redis::ErrorKind::Client, "unfit", detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_found_and_counted() {
        let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let group = |name: &str, read: Value, lag: Value| {
            BTreeMap::from([
                ("name".to_owned(), text(name)),
                ("pending".to_owned(), Value::Int(3)),
                ("entries-read".to_owned(), read),
                ("lag".to_owned(), lag),
            ])
        };
        let groups = [
            group("other", Value::Nil, Value::Nil),
            group("workers", Value::Int(10), Value::Int(5)),
        ];
        let workers = find(&groups, "workers").unwrap();
        let lag = amount(workers, true).unwrap();
        assert_eq!(lag.value.to_string(), "5");
        assert_eq!(lag.in_process, Some(3.0));
        assert_eq!(lag.arrivals, Some(Flow::Total(15.0)));
        assert_eq!(lag.completions, Some(Flow::Total(7.0)));
        assert_eq!(amount(workers, false).unwrap().value.to_string(), "3");
        let other = find(&groups, "other").unwrap();
        assert!(amount(other, true).is_err());
        assert_eq!(amount(other, false).unwrap().arrivals, None);
        assert_eq!(find(&groups, "nobody"), None);
    }
}
