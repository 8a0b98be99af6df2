//! The brokers that can be loaded: what is common to them.

use std::rc::Rc;

use super::Failed;
use super::azure::{servicebus, storage};
use super::kafka::{self, Kafka};
use super::mysql;
use super::nats::{self, Nats};
use super::pool::Pool;
use super::postgresql;
use super::rabbitmq::{self, Rabbitmq};
use super::redis::{self, Redis};
use super::rows::Rows;
use crate::plan::{Broker, QueueTarget};

/// A connection by which messages are enqueued. Clones share it.
#[derive(Clone)]
pub(super) enum Sender {
    AzureQueue(storage::Sender),
    AzureServicebus(servicebus::Sender),
    Redis(Redis),
    Nats(Nats),
    Rabbitmq(Rabbitmq),
    Kafka(Kafka),
    Postgresql(Rc<Pool<postgresql::Inserter>>),
    Mysql(Rc<Pool<mysql::Inserter>>),
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
            Broker::Kafka(of) => Self::Kafka(Kafka::open(of).await?),
            Broker::Postgresql(table) => Self::Postgresql(Rc::new(Pool::open(table).await?)),
            Broker::Mysql(table) => Self::Mysql(Rc::new(Pool::open(table).await?)),
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
            Self::Kafka(kafka) => kafka.send(marker, body).await,
            Self::Postgresql(pool) => pool.send(marker, &body).await,
            Self::Mysql(pool) => pool.send(marker, &body).await,
        }
    }

    /// Whether it opens connections as it needs them: then it is of use whatever became of the last one.
    pub(super) fn connects_again(&self) -> bool {
        matches!(
            self,
            Self::AzureQueue(_)
                | Self::AzureServicebus(_)
                | Self::Kafka(_)
                | Self::Postgresql(_)
                | Self::Mysql(_)
        )
    }
}

/// A connection by which completions are read.
pub(super) enum Receiver {
    AzureQueue(storage::Completions),
    AzureServicebus(servicebus::Completions),
    Redis(redis::Completions),
    Nats(nats::Completions),
    Rabbitmq(Box<rabbitmq::Completions>),
    Kafka(Box<kafka::Completions>),
    Postgresql(Box<postgresql::Completions>),
    Mysql(Box<mysql::Completions>),
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
            Broker::Kafka(of) => {
                Self::Kafka(Box::new(kafka::Completions::open(of, completed).await?))
            }
            Broker::Postgresql(table) => {
                let opened = postgresql::Completions::open(table, completed).await?;
                Self::Postgresql(Box::new(opened))
            }
            Broker::Mysql(table) => {
                Self::Mysql(Box::new(mysql::Completions::open(table, completed).await?))
            }
        })
    }

    /// Is of use again after a fault, and misses nothing that the broker keeps meanwhile.
    pub(super) async fn reopen(&mut self, target: &QueueTarget) -> Result<(), String> {
        match self {
            // They open connections as they need them.
            Self::AzureQueue(_) | Self::AzureServicebus(_) => {}
            Self::Kafka(kafka) => kafka.resume().await?,
            _ => {
                let mut opened = Self::open(target).await?;
                if let (Some(opened), Some(before)) = (opened.unsettled(), self.unsettled()) {
                    std::mem::swap(opened, before);
                }
                *self = opened;
            }
        }
        Ok(())
    }

    /// Waits for the next completions. One that [asks](Self::asks) may come back with none.
    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        match self {
            Self::AzureQueue(storage) => storage.next().await,
            Self::AzureServicebus(servicebus) => servicebus.next().await,
            Self::Redis(redis) => redis.next().await,
            Self::Nats(nats) => nats.next().await,
            Self::Rabbitmq(rabbitmq) => rabbitmq.next().await,
            Self::Kafka(kafka) => kafka.next().await,
            Self::Postgresql(table) => table.next().await,
            Self::Mysql(table) => table.next().await,
        }
    }

    /// Takes away what was read, where reading it does not. Until then it is not counted when it is read again.
    pub(super) async fn settle(&mut self) -> Result<(), String> {
        match self {
            Self::Postgresql(table) => table.delete().await,
            Self::Mysql(table) => table.delete().await,
            _ => Ok(()),
        }
    }

    /// Whether it has to ask again and again, which is of no use while there is nothing to be completed.
    pub(super) fn asks(&self) -> bool {
        matches!(self, Self::AzureQueue(_) | Self::AzureServicebus(_))
    }

    /// Ends it, when what was read is deleted.
    pub(super) async fn close(self) {
        match self {
            Self::AzureQueue(storage) => storage.close().await,
            // The others take away what they read.
            Self::AzureServicebus(_)
            | Self::Redis(_)
            | Self::Nats(_)
            | Self::Rabbitmq(_)
            | Self::Kafka(_)
            | Self::Postgresql(_)
            | Self::Mysql(_) => {}
        }
    }

    /// What was read and could not be taken away, where reading does not.
    fn unsettled(&mut self) -> Option<&mut Rows> {
        match self {
            Self::Postgresql(table) => Some(table.rows()),
            Self::Mysql(table) => Some(table.rows()),
            _ => None,
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
