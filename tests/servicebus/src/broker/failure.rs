//! Why the broker refused something.

use super::name::Name;
use super::token::Token;

/// Why the broker refused something. The text is for whoever made the request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No entity has this path.
    #[error("the messaging entity '{0}' could not be found: create it first, or correct the path")]
    NoSuchEntity(String),
    /// An entity with this name is already there.
    #[error(
        "the messaging entity '{0}' already exists: choose another name, or update it with If-Match: *"
    )]
    Exists(String),
    /// The entity is of another kind than the request needs.
    #[error("'{path}' is {is}, and this request is for {wanted}")]
    WrongKind {
        /// The path of the request.
        path: String,
        /// What the entity is.
        is: &'static str,
        /// What the request needs.
        wanted: &'static str,
    },
    /// The lock has ended, or there was none.
    #[error(
        "no message '{message}' is locked with {token}: the lock has expired, or the message was settled before"
    )]
    LockLost {
        /// The message's identifier or sequence number, as the request has it.
        message: String,
        /// The lock's token.
        token: Token,
    },
    /// The entity is full.
    #[error(
        "QuotaExceeded: '{path}' holds {held} of at most {limit} {unit}: receive messages first"
    )]
    QuotaExceeded {
        /// The entity's path.
        path: String,
        /// How much it holds.
        held: u64,
        /// How much it may hold.
        limit: u64,
        /// Of what.
        unit: &'static str,
    },
    /// The message is too large.
    #[error("the message has {size} bytes with its properties, and at most {limit} are allowed")]
    TooLarge {
        /// The size of its body and properties, in bytes.
        size: u64,
        /// The largest size.
        limit: u64,
    },
    /// A name that no entity can have.
    #[error("the name '{name}' is not allowed: {rule}")]
    InvalidName {
        /// The name.
        name: String,
        /// What names have to be like.
        rule: &'static str,
    },
    /// A setting that is out of its range.
    #[error("{key} {value} is out of range: {rule}")]
    InvalidSetting {
        /// The element that sets it.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would be right.
        rule: &'static str,
    },
}

impl Failure {
    pub(super) fn missing(name: &Name) -> Self {
        Self::NoSuchEntity(name.to_string())
    }
}
