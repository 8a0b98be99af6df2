//! The brokers that can be loaded: what is common to them.

use std::rc::Rc;

use super::Failed;
use super::mysql;
use super::nats::{self, Nats};
use super::pool::Pool;
use super::postgresql;
use super::rabbitmq::{self, Rabbitmq};
use super::redis::{self, Redis};
use super::rows::Rows;
use crate::plan::Broker;

/// A connection by which messages are enqueued. Clones share it.
#[derive(Clone)]
pub(super) enum Sender {
    Redis(Redis),
    Nats(Nats),
    Rabbitmq(Rabbitmq),
    Postgresql(Rc<Pool<postgresql::Inserter>>),
    Mysql(Rc<Pool<mysql::Inserter>>),
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
            Broker::Postgresql(table) => Self::Postgresql(Rc::new(Pool::open(table).await?)),
            Broker::Mysql(table) => Self::Mysql(Rc::new(Pool::open(table).await?)),
        })
    }

    /// Enqueues a message; returns once the broker says that it has it.
    pub(super) async fn send(&self, marker: &str, body: Vec<u8>) -> Result<(), Failed> {
        match self {
            Self::Redis(redis) => redis.send(marker, body).await,
            Self::Nats(nats) => nats.send(marker, &body).await,
            Self::Rabbitmq(rabbitmq) => rabbitmq.send(marker, &body).await,
            Self::Postgresql(pool) => pool.send(marker, &body).await,
            Self::Mysql(pool) => pool.send(marker, &body).await,
        }
    }
}

/// A connection by which completions are read.
pub(super) enum Receiver {
    Redis(redis::Completions),
    Nats(nats::Completions),
    Rabbitmq(Box<rabbitmq::Completions>),
    Postgresql(Box<postgresql::Completions>),
    Mysql(Box<mysql::Completions>),
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
            Broker::Postgresql(table) => {
                let opened = postgresql::Completions::open(table, completed).await?;
                Self::Postgresql(Box::new(opened))
            }
            Broker::Mysql(table) => {
                Self::Mysql(Box::new(mysql::Completions::open(table, completed).await?))
            }
        })
    }

    /// Waits for the next completions.
    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        match self {
            Self::Redis(redis) => redis.next().await,
            Self::Nats(nats) => nats.next().await,
            Self::Rabbitmq(rabbitmq) => rabbitmq.next().await,
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

    /// What was read and could not be taken away, where reading does not.
    pub(super) fn unsettled(&mut self) -> Option<&mut Rows> {
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
