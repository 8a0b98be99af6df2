//! The brokers that can be loaded: what is common to them.

use super::Failed;
use super::azure::{servicebus, storage};
use super::nats::{self, Nats};
use super::rabbitmq::{self, Rabbitmq};
use super::redis::{self, Redis};
use crate::plan::{Broker, QueueTarget};

/// A connection by which messages are enqueued. Clones share it.
#[derive(Clone)]
pub(super) enum Sender {
    AzureQueue(storage::Sender),
    AzureServicebus(servicebus::Sender),
    Redis(Redis),
    Nats(Nats),
    Rabbitmq(Rabbitmq),
}

impl Sender {
    /// Connects. Fails with the reason, in words.
    pub(super) async fn open(target: &QueueTarget) -> Result<Self, String> {
        Ok(match &target.broker {
            Broker::AzureQueue { connection, queue } => {
                let sender = storage::Sender::open(connection, queue, &target.tls);
                Self::AzureQueue(sender.await?)
            }
            Broker::AzureServicebus { connection, entity } => {
                let sender = servicebus::Sender::open(connection, entity, &target.tls);
                Self::AzureServicebus(sender.await?)
            }
            Broker::Redis { url, list } => {
                let list = redis::Place::List(list.clone());
                Self::Redis(Redis::open(url, list, &target.tls).await?)
            }
            Broker::RedisStreams { url, stream } => {
                let stream = redis::Place::Stream(stream.clone());
                Self::Redis(Redis::open(url, stream, &target.tls).await?)
            }
            Broker::NatsJetstream { url, subject } => {
                Self::Nats(Nats::open(url, subject, &target.tls).await?)
            }
            Broker::Rabbitmq { url, queue } => {
                Self::Rabbitmq(Rabbitmq::open(url, queue, &target.tls).await?)
            }
        })
    }

    /// Enqueues a message; returns once the broker says that it has it.
    pub(super) async fn send(&self, marker: &str, body: Vec<u8>) -> Result<(), Failed> {
        match self {
            Self::AzureQueue(storage) => storage.send(marker, &body).await,
            Self::AzureServicebus(servicebus) => servicebus.send(marker, &body).await,
            Self::Redis(redis) => redis.send(marker, body).await,
            Self::Nats(nats) => nats.send(marker, &body).await,
            Self::Rabbitmq(rabbitmq) => rabbitmq.send(marker, &body).await,
        }
    }

    /// Whether it opens connections as it needs them: then it is of use whatever became of the last one.
    pub(super) fn connects_again(&self) -> bool {
        matches!(self, Self::AzureQueue(_) | Self::AzureServicebus(_))
    }
}

/// A connection by which completions are read.
pub(super) enum Receiver {
    AzureQueue(storage::Completions),
    AzureServicebus(servicebus::Completions),
    Redis(redis::Completions),
    Nats(nats::Completions),
    Rabbitmq(Box<rabbitmq::Completions>),
}

impl Receiver {
    /// Connects, and sees to it that workers can give markers back. Fails with the reason, in words.
    pub(super) async fn open(target: &QueueTarget) -> Result<Self, String> {
        let completed = target.completed.as_str();
        Ok(match &target.broker {
            Broker::AzureQueue { connection, .. } => {
                let completions = storage::Completions::open(connection, completed, &target.tls);
                Self::AzureQueue(completions.await?)
            }
            Broker::AzureServicebus { connection, .. } => {
                let completions = servicebus::Completions::open(connection, completed, &target.tls);
                Self::AzureServicebus(completions.await?)
            }
            Broker::Redis { url, .. } | Broker::RedisStreams { url, .. } => {
                Self::Redis(redis::Completions::open(url, completed, &target.tls).await?)
            }
            Broker::NatsJetstream { url, .. } => {
                Self::Nats(nats::Completions::open(url, completed, &target.tls).await?)
            }
            Broker::Rabbitmq { url, .. } => {
                let completions = rabbitmq::Completions::open(url, completed, &target.tls);
                Self::Rabbitmq(Box::new(completions.await?))
            }
        })
    }

    /// Waits for the next completions. One that [asks](Self::asks) may come back with none.
    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        match self {
            Self::AzureQueue(storage) => storage.next().await,
            Self::AzureServicebus(servicebus) => servicebus.next().await,
            Self::Redis(redis) => redis.next().await,
            Self::Nats(nats) => nats.next().await,
            Self::Rabbitmq(rabbitmq) => rabbitmq.next().await,
        }
    }

    /// Whether it has to ask again and again, which is of no use while there is nothing to be completed.
    pub(super) fn asks(&self) -> bool {
        self.connects_again()
    }

    /// Whether it opens connections as it needs them.
    pub(super) fn connects_again(&self) -> bool {
        matches!(self, Self::AzureQueue(_) | Self::AzureServicebus(_))
    }

    /// Ends it, when what was read is deleted.
    pub(super) async fn close(self) {
        match self {
            Self::AzureQueue(storage) => storage.close().await,
            // The others take away what they read.
            Self::AzureServicebus(_) | Self::Redis(_) | Self::Nats(_) | Self::Rabbitmq(_) => {}
        }
    }
}

/// A message of text only: the marker is its first word.
pub(super) fn marked(marker: &str, body: &[u8]) -> Vec<u8> {
    let mut message = marker.as_bytes().to_vec();
    if !body.is_empty() {
        message.push(b' ');
        message.extend_from_slice(body);
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marker_is_the_first_word() {
        assert_eq!(marked("m", b"an order"), b"m an order");
        assert_eq!(marked("m", b""), b"m");
    }
}
