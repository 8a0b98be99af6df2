//! A consumer of a stream of NATS.

use std::time::Duration;

use anyhow::{Context as _, bail};
use ebbtide_brokers::nats::jetstream::{Consumer, Delivery};
use ebbtide_brokers::nats::{Client, Connection, Greeting, Login};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Work, variable};
use crate::cli::arguments::NatsJetstreamWorker;

/// What the server calls this connection.
const NAME: &str = "ebbtide sample-worker";
/// How long the server waits for a message; so long may the end take too.
const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_SILENCE: Duration = Duration::from_secs(5);
/// How often the server is told that a message is still worked on; by default it waits for 30 s.
const TERM: Duration = Duration::from_secs(10);

/// Takes messages until `work` is over.
pub(super) async fn run(of: &NatsJetstreamWorker, mut work: Work) -> anyhow::Result<()> {
    let address = variable("NATS_ADDRESS")?;
    let login = variable("NATS_USER")
        .ok()
        .zip(variable("NATS_PASSWORD").ok());
    let login = login.map(|(user, password)| Login { user, password });
    let mut connection = open(&address, login.as_ref()).await?;
    let consumer = Consumer::new(&of.stream, &of.consumer);
    while !work.is_over() {
        // For a consumer that there is not, nobody answers.
        let taken = timeout(LONGEST_SILENCE, consumer.next(&mut connection, PATIENCE)).await;
        let taken = taken.with_context(|| {
            let NatsJetstreamWorker { stream, consumer } = of;
            format!("no answer; is there a stream {stream} with the consumer {consumer}?")
        })??;
        let Some(message) = taken else {
            continue;
        };
        hold(&mut connection, &message, work.time).await?;
        if let Some((subject, marker)) = work.completed.of(&message.body) {
            // First this: what is done twice is seen, what is not given back would be taken for lost.
            let writer = connection.writer();
            writer.publish(subject, None, marker.as_bytes()).await?;
        }
        message.acknowledge(&mut connection).await?;
        Work::done(message.sequence());
    }
    Ok(())
}

/// Connects, logs in and subscribes to answers.
async fn open(address: &str, login: Option<&Login>) -> anyhow::Result<Connection> {
    let stream = TcpStream::connect(address).await;
    let mut stream = stream.with_context(|| format!("cannot connect to {address}"))?;
    // What is published before an answer is asked for would wait for an acknowledgement of TCP.
    stream.set_nodelay(true)?;
    let greeting = Greeting::hear(&mut stream).await?;
    if greeting.requires_tls() {
        bail!("the NATS server wants TLS, which this worker does not speak");
    }
    let client = Client { name: NAME, login };
    let mut connection = Connection::login(stream, greeting, &client).await?;
    let inbox = connection.inbox().to_owned();
    connection.subscribe(&inbox).await?;
    Ok(connection)
}

/// Works, and says now and then that it still does.
async fn hold(
    connection: &mut Connection,
    message: &Delivery,
    work: Duration,
) -> anyhow::Result<()> {
    let mut left = work;
    while left > TERM {
        idle(connection, TERM).await?;
        message.in_progress(connection).await?;
        left -= TERM;
    }
    idle(connection, left).await
}

/// Waits, and answers when the server asks whether somebody is there.
async fn idle(connection: &mut Connection, time: Duration) -> anyhow::Result<()> {
    let waiting = async {
        loop {
            if let Err(error) = connection.next().await {
                return error;
            }
        }
    };
    match timeout(time, waiting).await {
        Ok(error) => Err(error).context("while working"),
        Err(_) => Ok(()),
    }
}
