//! The namespace as a state machine: entities, messages, locks and counts.
//!
//! It does no I/O and reads no clock. Every call takes the time, and first carries out what has
//! become due since the call before: locks that end, messages that expire, messages that were
//! scheduled.

mod entity;
mod failure;
mod message;
mod name;
mod namespace;
mod queue;
mod settings;
mod shelf;
#[cfg(test)]
mod tests;
mod token;
mod topic;

pub use entity::{Found, Limits};
pub use failure::Failure;
pub use message::{DeadLetter, Message, Received};
pub use name::{Name, Source};
pub use namespace::Namespace;
pub use queue::{Counts, Queue, Receive, Settle};
pub use settings::{Dates, NEVER, Settings};
pub use token::{Token, Tokens};
pub use topic::Topic;
