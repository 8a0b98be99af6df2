//! The worker of the queue examples: takes one message at a time, works on it for a while, and says
//! that it is finished.

mod rabbitmq;
mod redis;

use std::time::Duration;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::sleep;

use super::say;
use crate::stopping;

/// The variable with the broker's address, user and password included.
const ADDRESS: &str = "QUEUE_ADDRESS";
/// The variable with the name of the queue.
const QUEUE: &str = "QUEUE_NAME";

/// A broker that there is a worker for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Broker {
    /// RabbitMQ: `amqp://user:password@host:5672/vhost`, and a queue.
    Rabbitmq,
    /// Redis: `redis://:password@host:6379/0`, and a list.
    Redis,
    /// Redis: the same, and a stream, of which the group `workers` is made.
    RedisStreams,
}

/// What a worker works with.
struct Worker {
    /// The broker's address. It may have a password, so it is in no message.
    address: String,
    queue: String,
    service_time: Duration,
    stopping: watch::Receiver<bool>,
}

/// Works until SIGTERM, then finishes the message in hand and returns.
///
/// # Errors
/// A variable is missing, or the broker cannot be reached or ends the connection.
pub async fn run(broker: Broker, service_time: Duration) -> anyhow::Result<()> {
    let variable = |name: &str| {
        std::env::var(name).with_context(|| format!("the variable {name} is missing; see --help"))
    };
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let (stop, stopping) = watch::channel(false);
    let worker = Worker {
        address: variable(ADDRESS)?,
        queue: variable(QUEUE)?,
        service_time,
        stopping,
    };
    let work = async {
        match broker {
            Broker::Rabbitmq => rabbitmq::run(&worker).await,
            Broker::Redis => redis::list(&worker).await,
            Broker::RedisStreams => redis::stream(&worker).await,
        }
    };
    let told = async {
        terminate.recv().await;
        say("SIGTERM: finishing the message in hand");
        stop.send_replace(true);
        std::future::pending::<()>().await;
    };
    tokio::select! {
        outcome = work => outcome,
        () = told => Ok(()),
    }
}

/// Says that a message is finished, after the broker has been told.
fn finished(message: &str) {
    say(&format!("done {message}"));
}

impl Worker {
    /// Works on a message.
    async fn work(&self) {
        sleep(self.service_time).await;
    }

    /// The next message, unless the worker is told to stop first.
    async fn next<T>(&self, message: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = stopping::told(self.stopping.clone()) => None,
            message = message => Some(message),
        }
    }
}
