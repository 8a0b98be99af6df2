//! What the monitoring endpoint of a NATS server answers.

use serde::Deserialize;

use super::{ACCOUNT, CONSUMER, STREAM, Wanted};
use crate::amount::{Amount, Flow};
use ebbtide_brokers::error::ReadError;

/// More than any stream has: what a counter shows that has run below zero.
const MOST: f64 = 1e15;

/// `/jsz`.
#[derive(Deserialize)]
pub(super) struct JetStream {
    #[serde(default)]
    account_details: Vec<Account>,
    meta_cluster: Option<MetaCluster>,
}

/// `/varz`.
#[derive(Deserialize)]
pub(super) struct Server {
    pub(super) server_name: String,
    /// The addresses of the cluster's servers for clients, if they are advertised.
    #[serde(default)]
    pub(super) connect_urls: Vec<String>,
}

#[derive(Deserialize)]
struct MetaCluster {
    #[serde(default)]
    cluster_size: u32,
}

#[derive(Deserialize)]
struct Account {
    name: String,
    #[serde(default)]
    id: String,
    #[serde(default)]
    stream_detail: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    name: String,
    state: StreamState,
    #[serde(default)]
    consumer_detail: Vec<Consumer>,
}

#[derive(Deserialize)]
struct StreamState {
    last_seq: f64,
}

#[derive(Deserialize)]
struct Consumer {
    name: String,
    num_pending: f64,
    num_ack_pending: f64,
    ack_floor: Sequences,
    config: Option<ConsumerConfig>,
    cluster: Option<ConsumerCluster>,
}

#[derive(Deserialize)]
struct Sequences {
    stream_seq: f64,
}

#[derive(Default, Deserialize)]
struct ConsumerConfig {
    #[serde(default)]
    filter_subject: String,
    #[serde(default)]
    filter_subjects: Vec<String>,
}

#[derive(Deserialize)]
struct ConsumerCluster {
    leader: Option<String>,
}

/// What a server does not have of what is wanted; more is known the further down it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Missing {
    Account,
    Stream,
    Consumer,
}

/// A consumer as a server knows it.
pub(super) struct Found<'a> {
    stream: &'a Stream,
    consumer: &'a Consumer,
}

impl JetStream {
    /// Whether other servers may know more.
    pub(super) fn is_clustered(&self) -> bool {
        let cluster = self.meta_cluster.as_ref();
        cluster.is_some_and(|cluster| cluster.cluster_size > 1)
    }

    /// The consumer that is wanted.
    ///
    /// # Errors
    /// What there is not.
    pub(super) fn find(&self, wanted: &Wanted) -> Result<Found<'_>, Missing> {
        let is_wanted = |account: &&Account| {
            let name = wanted.account.as_str();
            account.id == name || account.name == name
        };
        let account = self.account_details.iter().find(is_wanted);
        let account = account.ok_or(Missing::Account)?;
        let mut streams = account.stream_detail.iter();
        let stream = streams.find(|stream| stream.name == wanted.stream);
        let stream = stream.ok_or(Missing::Stream)?;
        let mut consumers = stream.consumer_detail.iter();
        let consumer = consumers.find(|consumer| consumer.name == wanted.consumer);
        let consumer = consumer.ok_or(Missing::Consumer)?;
        Ok(Found { stream, consumer })
    }
}

impl Missing {
    /// As the error that it is.
    pub(super) fn of(self, wanted: &Wanted) -> ReadError {
        let Wanted {
            account_key,
            account,
            stream,
            consumer,
        } = wanted;
        match self {
            Self::Account => {
                let message = format!("there is no account {account} that has JetStream");
                ReadError::of(account_key, message)
            }
            Self::Stream => ReadError::of(STREAM, format!("the account has no stream {stream}")),
            Self::Consumer => {
                ReadError::of(CONSUMER, format!("the stream has no consumer {consumer}"))
            }
        }
    }
}

impl Found<'_> {
    /// The server that leads the consumer, if several keep it.
    pub(super) fn leader(&self) -> Option<&str> {
        self.consumer.cluster.as_ref()?.leader.as_deref()
    }

    /// What is left for the consumer to do.
    ///
    /// # Errors
    /// A number that is no count.
    pub(super) fn amount(&self) -> Result<Amount, ReadError> {
        let consumer = self.consumer;
        let taken = count("num_ack_pending", consumer.num_ack_pending)?;
        let flow = |name, total| {
            let total = count(name, total)?;
            // The numbers of a stream say nothing of the part that a filter lets through.
            Ok((!self.is_filtered()).then_some(Flow::Total(total)))
        };
        Ok(Amount {
            value: count("num_pending", consumer.num_pending)? + taken,
            activity: None,
            in_process: Some(taken),
            arrivals: flow("last_seq", self.stream.state.last_seq)?,
            completions: flow("ack_floor", consumer.ack_floor.stream_seq)?,
        })
    }

    fn is_filtered(&self) -> bool {
        let config = self.consumer.config.as_ref();
        config.is_none_or(|config| {
            !config.filter_subject.is_empty() || !config.filter_subjects.is_empty()
        })
    }
}

fn count(name: &str, number: f64) -> Result<f64, ReadError> {
    if (0.0..MOST).contains(&number) {
        return Ok(number);
    }
    Err(ReadError::of(
        CONSUMER,
        format!("the server says that {name} is {number}, which is no count"),
    ))
}

/// Which key names the account, and what it has.
pub(super) fn account(name: Option<&str>, id: Option<&str>) -> Option<(&'static str, String)> {
    let id = id.map(|id| (super::ACCOUNT_ID, id.to_owned()));
    id.or_else(|| name.map(|name| (ACCOUNT, name.to_owned())))
}

#[cfg(test)]
mod tests;
