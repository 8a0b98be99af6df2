//! Redis: a list, to whose end elements are appended, or a stream.

use std::num::NonZeroUsize;

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands as _, AsyncConnectionConfig, Client, ConnectionAddr, RedisError};
use tokio::task::spawn_local;

use super::Failed;
use super::broker::marked;
use super::connect::{secured, tcp};
use crate::plan::{QueueTls, Secret};
use crate::record::outcome::FailureKind;

/// How many completions are taken at once.
const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(999);

/// Where messages go.
#[derive(Clone)]
pub(super) enum Place {
    List(String),
    Stream(String),
}

/// A connection, which sends what is given to it one after the other.
#[derive(Clone)]
pub(super) struct Redis {
    connection: MultiplexedConnection,
    place: Place,
}

impl Redis {
    pub(super) async fn open(url: &Secret, place: Place, tls: &QueueTls) -> Result<Self, String> {
        let connection = connect(url, tls).await?;
        Ok(Self { connection, place })
    }

    pub(super) async fn send(&self, marker: &str, body: Vec<u8>) -> Result<(), Failed> {
        let mut connection = self.connection.clone();
        let sent = match &self.place {
            Place::List(list) => connection.rpush(list, marked(marker, &body)).await,
            Place::Stream(stream) => {
                let fields = [("marker", marker.as_bytes()), ("body", &body)];
                connection.xadd(stream, "*", &fields).await
            }
        };
        let sent: Result<redis::Value, _> = sent;
        sent.map(drop).map_err(|error| {
            let kind = if error.is_io_error() {
                FailureKind::Reset
            } else {
                FailureKind::Protocol
            };
            (kind, words(&error))
        })
    }
}

/// A list to which workers append markers.
pub(super) struct Completions {
    connection: MultiplexedConnection,
    list: String,
}

impl Completions {
    pub(super) async fn open(url: &Secret, list: &str, tls: &QueueTls) -> Result<Self, String> {
        Ok(Self {
            connection: connect(url, tls).await?,
            list: list.to_owned(),
        })
    }

    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        let list = &self.list;
        // Zero waits for as long as it takes.
        let first: Option<(String, Vec<u8>)> = in_words(self.connection.blpop(list, 0.0).await)?;
        let more = self.connection.lpop(list, Some(AT_ONCE)).await;
        let more: Option<Vec<Vec<u8>>> = in_words(more)?;
        let first = first.into_iter().map(|(_, first)| first);
        Ok(first.chain(more.into_iter().flatten()).collect())
    }
}

async fn connect(url: &Secret, tls: &QueueTls) -> Result<MultiplexedConnection, String> {
    // Waiting takes as long as it takes: that a message takes too long is said of it.
    let settings = AsyncConnectionConfig::new().set_response_timeout(None);
    let Some(place) = url.reveal().strip_prefix("rediss://") else {
        let client = in_words(Client::open(url.reveal()))?;
        let connected = client.get_multiplexed_async_connection_with_config(&settings);
        return in_words(connected.await);
    };
    // The library's own TLS has other settings than targets.
    let client = in_words(Client::open(format!("redis://{place}")))?;
    let information = client.get_connection_info();
    let ConnectionAddr::Tcp(host, port) = information.addr() else {
        return Err("Redis: its URL is not rediss://HOST:PORT".to_owned());
    };
    let of_redis = |why| format!("Redis: {why}");
    let stream = tcp(host, *port).await.map_err(of_redis)?;
    let stream = secured(stream, host, tls).await.map_err(of_redis)?;
    let of = information.redis_settings();
    let connected = MultiplexedConnection::new_with_config(of, stream, settings).await;
    let (connection, carrying) = in_words(connected)?;
    // It ends with the last clone of the connection.
    spawn_local(carrying);
    Ok(connection)
}

fn in_words<T>(result: Result<T, RedisError>) -> Result<T, String> {
    result.map_err(|error| words(&error))
}

fn words(error: &RedisError) -> String {
    format!("Redis: {error}")
}
