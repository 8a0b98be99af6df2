//! Bundled consumers, one for each broker: each takes a message, works for a while and says that it is
//! done with it, so that there is a queue to scale by.

mod azure_queue;
mod azure_servicebus;
mod completed;
mod kafka;
mod mysql;
mod nats_jetstream;
mod postgresql;
mod rabbitmq;
mod redis;

use std::time::Duration;

use anyhow::Context as _;
use futures_util::FutureExt as _;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;

use self::completed::Completed;
use super::say;
use crate::cli::arguments::{SampleBroker, SampleWorkerArguments};

/// Takes messages one at a time until SIGTERM, finishes the one in hand and returns.
///
/// # Errors
///
/// A variable that names the broker is missing or wrong, or the broker cannot be used.
pub async fn run(arguments: SampleWorkerArguments) -> anyhow::Result<()> {
    let work = Work {
        time: arguments.service_time,
        completed: Completed::new(arguments.completed),
        terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
        is_over: false,
    };
    match arguments.broker {
        SampleBroker::AzureQueue(of) => azure_queue::run(&of, work).await,
        SampleBroker::AzureServicebus(of) => azure_servicebus::run(&of, work).await,
        SampleBroker::Kafka(of) => kafka::run(&of, work).await,
        SampleBroker::Mysql(of) => mysql::run(&of, work).await,
        SampleBroker::NatsJetstream(of) => nats_jetstream::run(&of, work).await,
        SampleBroker::Postgresql(of) => postgresql::run(&of, work).await,
        SampleBroker::Rabbitmq(of) => rabbitmq::run(&of, work).await,
        SampleBroker::Redis(of) => redis::list(&of, work).await,
        SampleBroker::RedisStreams(of) => redis::stream(&of, work).await,
    }
}

/// What is done with each message, and until when.
struct Work {
    time: Duration,
    completed: Completed,
    terminate: Signal,
    is_over: bool,
}

impl Work {
    /// Whether to take no other message.
    fn is_over(&mut self) -> bool {
        self.is_over |= self.terminate.recv().now_or_never().is_some();
        self.is_over
    }

    /// Waits before the next look at a queue that has nothing, unless there is to be none.
    async fn pause(&mut self, time: Duration) {
        tokio::select! {
            () = sleep(time) => {}
            _ = self.terminate.recv() => self.is_over = true,
        }
    }

    /// The next message, unless there is to be none.
    async fn next<T>(&mut self, message: impl Future<Output = T>) -> Option<T> {
        if self.is_over() {
            return None;
        }
        tokio::select! {
            message = message => Some(message),
            _ = self.terminate.recv() => {
                self.is_over = true;
                None
            }
        }
    }

    /// Says that a message is finished.
    fn done(id: &str) {
        say(&format!("done {id}"));
    }
}

/// The value of a variable, which has to be there.
fn variable(name: &str) -> anyhow::Result<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    value.with_context(|| format!("the variable {name} is not set; --help says what it has"))
}
