//! The little of Kafka's protocol that it takes to know how far a consumer group is, to consume and to produce.
//!
//! Of each question the one version is spoken that all brokers from Kafka 1.0 to 4 know.

mod answers;
mod api;
mod brokers;
mod cluster;
mod connection;
mod crc32c;
mod login;
mod membership;
mod partitions;
mod producer;
mod records;
mod scram;
mod tail;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use answers::{Batch, Batches};
pub use brokers::Settings;
pub use cluster::{Cluster, Start};
pub use login::{Login, Mechanism};
pub use membership::{Membership, Standing};
pub use producer::{Producer, SendError};
pub use records::{Message, Record, Records};
pub use tail::Tail;

use crate::error::ReadError;

/// The key that has the brokers' addresses.
pub const SERVERS: &str = "bootstrapServers";
/// The key that has the topics.
pub const TOPIC: &str = "topic";
/// The key that has the consumer group.
pub const GROUP: &str = "consumerGroup";

/// Numbers of partitions, by topic and partition.
pub type Partitions<T> = BTreeMap<String, BTreeMap<i32, T>>;

/// Partitions, by topic.
pub type Named = BTreeMap<String, BTreeSet<i32>>;

/// Where a broker is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Address {
    host: String,
    port: u16,
}

impl Address {
    /// Reads `host:port`.
    ///
    /// # Errors
    /// It is something else.
    pub fn parse(text: &str) -> Result<Self, ReadError> {
        let wrong = || {
            ReadError::of(
                SERVERS,
                format!("{text:?} is not host:port, as in kafka:9092"),
            )
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        let port = port.parse().map_err(|_| wrong())?;
        let is_odd = |c: char| c.is_whitespace() || "/@".contains(c);
        if host.is_empty() || host.contains(is_odd) {
            return Err(wrong());
        }
        let host = host.to_owned();
        Ok(Self { host, port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        write!(f, "{host}:{port}")
    }
}
