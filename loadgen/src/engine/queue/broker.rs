//! The brokers that can be loaded: what is common to them.

use super::Failed;
use super::kafka::{self, Kafka};
use super::nats::{self, Nats};
use super::rabbitmq::{self, Rabbitmq};
use super::redis::{self, Redis};
use crate::plan::Broker;

/// A connection by which messages are enqueued. Clones share it.
#[derive(Clone)]
pub(super) enum Sender {
    Redis(Redis),
    Nats(Nats),
    Rabbitmq(Rabbitmq),
    Kafka(Kafka),
}

impl Sender {
    /// Connects. Fails with the reason, in words.
    pub(super) async fn open(broker: &Broker) -> Result<Self, String> {
        Ok(match broker {
            Broker::Redis { url, list } => {
                Self::Redis(Redis::open(url, redis::Place::List(list.clone())).await?)
            }
            Broker::RedisStreams { url, stream } => {
                Self::Redis(Redis::open(url, redis::Place::Stream(stream.clone())).await?)
            }
            Broker::NatsJetstream { url, subject } => Self::Nats(Nats::open(url, subject).await?),
            Broker::Rabbitmq { url, queue } => Self::Rabbitmq(Rabbitmq::open(url, queue).await?),
            Broker::Kafka(of) => Self::Kafka(Kafka::open(of).await?),
        })
    }

    /// Enqueues a message; returns once the broker says that it has it.
    pub(super) async fn send(&self, marker: &str, body: Vec<u8>) -> Result<(), Failed> {
        match self {
            Self::Redis(redis) => redis.send(marker, body).await,
            Self::Nats(nats) => nats.send(marker, &body).await,
            Self::Rabbitmq(rabbitmq) => rabbitmq.send(marker, &body).await,
            Self::Kafka(kafka) => kafka.send(marker, body).await,
        }
    }
}

/// A connection by which completions are read.
pub(super) enum Receiver {
    Redis(redis::Completions),
    Nats(nats::Completions),
    Rabbitmq(Box<rabbitmq::Completions>),
    Kafka(Box<kafka::Completions>),
}

impl Receiver {
    /// Connects, and sees to it that workers can give markers back. Fails with the reason, in words.
    pub(super) async fn open(broker: &Broker, completed: &str) -> Result<Self, String> {
        Ok(match broker {
            Broker::Redis { url, .. } | Broker::RedisStreams { url, .. } => {
                Self::Redis(redis::Completions::open(url, completed).await?)
            }
            Broker::NatsJetstream { url, .. } => {
                Self::Nats(nats::Completions::open(url, completed).await?)
            }
            Broker::Rabbitmq { url, .. } => {
                Self::Rabbitmq(Box::new(rabbitmq::Completions::open(url, completed).await?))
            }
            Broker::Kafka(of) => {
                Self::Kafka(Box::new(kafka::Completions::open(of, completed).await?))
            }
        })
    }

    /// Connects again after a fault, and misses nothing that the broker keeps meanwhile.
    pub(super) async fn reopen(&mut self, broker: &Broker, completed: &str) -> Result<(), String> {
        if let Self::Kafka(kafka) = self {
            return kafka.resume().await;
        }
        *self = Self::open(broker, completed).await?;
        Ok(())
    }

    /// Waits for the next completions.
    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        match self {
            Self::Redis(redis) => redis.next().await,
            Self::Nats(nats) => nats.next().await,
            Self::Rabbitmq(rabbitmq) => rabbitmq.next().await,
            Self::Kafka(kafka) => kafka.next().await,
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
