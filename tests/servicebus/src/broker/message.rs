//! Messages: as they were sent, as they are held, and as they are received.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;

use super::token::Token;

/// A message as its sender sent it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Its identifier; one is made up where the sender gives none.
    pub identifier: Option<String>,
    /// How long it lives at most.
    pub time_to_live: Option<Duration>,
    /// When it is to become active, if that is not at once.
    pub scheduled: Option<Timestamp>,
    /// Broker properties that are passed on as they are: `Label`, `CorrelationId` and the like.
    pub properties: Vec<(&'static str, String)>,
    /// The type of its body.
    pub content_type: Option<String>,
    /// Properties of the sender's own, which are HTTP headers.
    pub custom: Vec<(String, String)>,
    /// The payload.
    pub body: Bytes,
}

impl Message {
    /// The size of its body and properties, in bytes.
    pub fn size(&self) -> u64 {
        let texts = self
            .properties
            .iter()
            .map(|(key, value)| key.len() + value.len());
        let custom = self
            .custom
            .iter()
            .map(|(key, value)| key.len() + value.len());
        let single = [&self.identifier, &self.content_type];
        let single = single.into_iter().flatten().map(String::len);
        let bytes = self.body.len() + texts.chain(custom).chain(single).sum::<usize>();
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

/// Why a message was dead-lettered. It is received with it, as two properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetter {
    /// `DeadLetterReason`.
    pub reason: &'static str,
    /// `DeadLetterErrorDescription`.
    pub description: String,
}

/// A message in a queue or subscription.
#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) sequence: u64,
    /// The number that it had in the topic it came from; 0 if it came from none.
    pub(super) enqueued_sequence: u64,
    pub(super) enqueued: Timestamp,
    pub(super) time_to_live: Duration,
    /// When it expires; `None` for never.
    pub(super) expires: Option<Timestamp>,
    pub(super) deliveries: u32,
    pub(super) dead_letter: Option<DeadLetter>,
    pub(super) message: Arc<Message>,
}

/// A message as a receiver gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its place in the queue or subscription.
    pub sequence: u64,
    /// Its place in the topic it came from; 0 if it came from none.
    pub enqueued_sequence: u64,
    /// When it became active.
    pub enqueued: Timestamp,
    /// How long it lives, from then on.
    pub time_to_live: Duration,
    /// How often it was delivered, this time included.
    pub deliveries: u32,
    /// The lock and when it ends; none if the message was deleted on receipt.
    pub lock: Option<(Token, Timestamp)>,
    /// Why it is in the dead-letter queue, if it is.
    pub dead_letter: Option<DeadLetter>,
    /// What was sent. It has an identifier.
    pub message: Arc<Message>,
}

impl Held {
    pub(super) fn received(&self, lock: Option<(Token, Timestamp)>) -> Received {
        Received {
            sequence: self.sequence,
            enqueued_sequence: self.enqueued_sequence,
            enqueued: self.enqueued,
            time_to_live: self.time_to_live,
            deliveries: self.deliveries,
            lock,
            dead_letter: self.dead_letter.clone(),
            message: Arc::clone(&self.message),
        }
    }

    /// Whether `text` is its identifier or its sequence number, either of which names it.
    pub(super) fn is(&self, text: &str) -> bool {
        self.message.identifier.as_deref() == Some(text) || self.sequence.to_string() == text
    }
}
