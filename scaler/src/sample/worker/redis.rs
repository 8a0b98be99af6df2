//! Redis: a list, each element of which is moved to a second list while it is worked on, and a stream
//! with a consumer group.
//!
//! An element that was only popped would be lost with its worker. What is left in `NAME:processing`
//! by a worker that was killed is for a person to put back.

use anyhow::Context as _;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamReadOptions, StreamReadReply};
use redis::{AsyncConnectionConfig, AsyncTypedCommands as _, Client, Direction};

use super::{Worker, finished};

/// The consumer group of the stream; it is made if it is not there.
const GROUP: &str = "workers";

/// Works a list off, until the worker is told to stop.
///
/// # Errors
/// The server cannot be reached, or ends the connection.
pub(super) async fn list(worker: &Worker) -> anyhow::Result<()> {
    let mut connection = connect(worker).await?;
    let processing = format!("{}:processing", worker.queue);
    loop {
        let (from, to) = (Direction::Left, Direction::Right);
        // Zero waits for as long as it takes.
        let taken = connection.blmove(&worker.queue, &processing, from, to, 0.0);
        let Some(taken) = worker.next(taken).await else {
            return Ok(());
        };
        let Some(element) = taken? else {
            continue;
        };
        worker.work().await;
        connection.lrem(&processing, 1, &element).await?;
        finished(&element);
    }
}

/// Works a stream off, until the worker is told to stop.
///
/// # Errors
/// The server cannot be reached, or ends the connection.
pub(super) async fn stream(worker: &Worker) -> anyhow::Result<()> {
    let mut connection = connect(worker).await?;
    let made = connection
        .xgroup_create_mkstream(&worker.queue, GROUP, "0")
        .await;
    if let Err(error) = made
        && error.code() != Some("BUSYGROUP")
    {
        return Err(error).context("cannot make the consumer group");
    }
    let consumer = std::process::id().to_string();
    let options = StreamReadOptions::default()
        .group(GROUP, consumer)
        .count(1)
        .block(0);
    let streams = [&worker.queue];
    loop {
        let read = connection.xread_options(&streams, &[">"], &options);
        let Some(read) = worker.next(read).await else {
            return Ok(());
        };
        let reply: StreamReadReply = read?.unwrap_or_default();
        for entry in reply.keys.into_iter().flat_map(|stream| stream.ids) {
            worker.work().await;
            connection.xack(&worker.queue, GROUP, &[&entry.id]).await?;
            finished(&entry.id);
        }
    }
}

async fn connect(worker: &Worker) -> anyhow::Result<MultiplexedConnection> {
    let client = Client::open(worker.address.as_str());
    // Waiting for an element takes as long as it takes.
    let settings = AsyncConnectionConfig::new().set_response_timeout(None);
    let connection = client?
        .get_multiplexed_async_connection_with_config(&settings)
        .await;
    connection.context("cannot connect to Redis")
}
