//! A queue or a topic, and how much there may be of them.

use jiff::Timestamp;

use super::failure::Failure;
use super::name::Name;
use super::queue::Queue;
use super::topic::Topic;

/// How much a namespace may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The queues, topics and subscriptions together.
    pub entities: u64,
    /// The messages of a queue, or of a topic with its subscriptions.
    pub messages: u64,
    /// The bytes of those.
    pub bytes: u64,
    /// The bytes of one message with its properties.
    pub message_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entities: 10_000,
            messages: 100_000,
            bytes: 1 << 30,
            message_bytes: 256 << 10,
        }
    }
}

/// An entity that was found.
#[derive(Clone, Copy, Debug)]
pub enum Found<'a> {
    /// A queue.
    Queue(&'a Queue),
    /// A topic.
    Topic(&'a Topic),
}

#[derive(Debug)]
pub(super) enum Entity {
    Queue(Box<Queue>),
    Topic(Topic),
}

impl Entity {
    pub(super) fn found(&self) -> Found<'_> {
        match self {
            Self::Queue(queue) => Found::Queue(queue),
            Self::Topic(topic) => Found::Topic(topic),
        }
    }

    pub(super) fn advance(&mut self, now: Timestamp) {
        match self {
            Self::Queue(queue) => queue.advance(now),
            Self::Topic(topic) => topic.advance(now),
        }
    }

    pub(super) fn room_for(&self, name: &Name, limits: Limits) -> Result<(), Failure> {
        let (messages, bytes) = match self {
            Self::Queue(queue) => (queue.counts().total(), queue.bytes()),
            Self::Topic(topic) => (topic.total(), topic.bytes()),
        };
        within(&name.to_string(), messages, limits.messages, "messages")?;
        within(&name.to_string(), bytes, limits.bytes, "bytes")
    }
}

pub(super) fn within(path: &str, held: u64, limit: u64, unit: &'static str) -> Result<(), Failure> {
    if held < limit {
        return Ok(());
    }
    Err(Failure::QuotaExceeded {
        path: path.to_owned(),
        held,
        limit,
        unit,
    })
}

pub(super) fn wrong_kind(path: &impl ToString, is: &'static str, wanted: &'static str) -> Failure {
    Failure::WrongKind {
        path: path.to_string(),
        is,
        wanted,
    }
}
