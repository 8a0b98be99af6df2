//! Redis: a list, each element of which is moved to a second list while it is worked on, and a stream
//! with a consumer group.
//!
//! An element that was only popped would be lost with its worker. What is left in `NAME:processing`
//! by a worker that was killed is for a person to put back.

use anyhow::Context as _;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamReadOptions, StreamReadReply};
use redis::{AsyncConnectionConfig, AsyncTypedCommands as _, Client, Direction};
use tokio::time::sleep;

use super::{Work, variable};
use crate::cli::arguments::{RedisStreamsWorker, RedisWorker};

/// Works a list off, until the worker is told to stop.
///
/// # Errors
/// The server cannot be reached, or ends the connection.
pub(super) async fn list(of: &RedisWorker, mut work: Work) -> anyhow::Result<()> {
    let mut connection = connect().await?;
    let processing = format!("{}:processing", of.list);
    loop {
        let (from, to) = (Direction::Left, Direction::Right);
        // Zero waits for as long as it takes.
        let taken = connection.blmove(&of.list, &processing, from, to, 0.0);
        let Some(taken) = work.next(taken).await else {
            return Ok(());
        };
        let Some(element) = taken? else {
            continue;
        };
        sleep(work.time).await;
        let mut done = redis::pipe();
        done.atomic().lrem(&processing, 1, &element);
        if let Some((list, marker)) = work.completed.of(element.as_bytes()) {
            done.rpush(list, marker);
        }
        done.exec_async(&mut connection).await?;
        Work::done(&element);
    }
}

/// Works a stream off, until the worker is told to stop.
///
/// # Errors
/// The server cannot be reached, or ends the connection.
pub(super) async fn stream(of: &RedisStreamsWorker, mut work: Work) -> anyhow::Result<()> {
    let mut connection = connect().await?;
    let made = connection
        .xgroup_create_mkstream(&of.stream, &of.group, "0")
        .await;
    if let Err(error) = made
        && error.code() != Some("BUSYGROUP")
    {
        return Err(error).context("cannot make the consumer group");
    }
    let consumer = std::process::id().to_string();
    let options = StreamReadOptions::default()
        .group(&of.group, consumer)
        .count(1)
        .block(0);
    let streams = [&of.stream];
    loop {
        let read = connection.xread_options(&streams, &[">"], &options);
        let Some(read) = work.next(read).await else {
            return Ok(());
        };
        let reply: StreamReadReply = read?.unwrap_or_default();
        for entry in reply.keys.into_iter().flat_map(|stream| stream.ids) {
            sleep(work.time).await;
            let mut done = redis::pipe();
            done.atomic().xack(&of.stream, &of.group, &[&entry.id]);
            let marker: Option<Vec<u8>> = entry.get("marker");
            if let Some((list, marker)) = work.completed.of(&marker.unwrap_or_default()) {
                done.rpush(list, marker);
            }
            done.exec_async(&mut connection).await?;
            Work::done(&entry.id);
        }
    }
}

async fn connect() -> anyhow::Result<MultiplexedConnection> {
    let client = Client::open(variable("REDIS_URL")?);
    // Waiting for an element takes as long as it takes.
    let settings = AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client?
        .get_multiplexed_async_connection_with_config(&settings)
        .await;
    connection.context("cannot connect to Redis")
}
