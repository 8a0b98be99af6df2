//! Kafka: messages are records of a topic, with the marker in a header; workers write markers to another topic, which is
//! read from its end on.
//!
//! To each broker there is a lane of its own. Nothing is held back for others to come: a message that finds its lane free
//! is written at once, and what comes while a request is under way goes together with the next one.

mod lane;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::rc::Rc;

use ebbtide_brokers::connect::{Connect, TlsSettings};
use ebbtide_brokers::error::ReadError;
use ebbtide_brokers::kafka::{Address, Login, Message, Producer, SendError, Settings, TOPIC, Tail};

use self::lane::Lane;
use super::Failed;
use crate::clock;
use crate::plan::{KafkaTopic, Secret};
use crate::record::outcome::FailureKind;

/// The header that has the marker.
const HEADER: &str = "loadgen-marker";

/// Where messages are written.
#[derive(Clone)]
pub(super) struct Kafka(Rc<Lanes>);

struct Lanes {
    /// Each partition that messages go to, in turn, with the lane to its broker.
    partitions: Vec<(i32, Rc<Lane>)>,
    /// How many messages there were.
    messages: Cell<usize>,
}

impl Kafka {
    pub(super) async fn open(of: &KafkaTopic) -> Result<Self, String> {
        let mut producer = Producer::new(Connect::anywhere(), settings(of)?, &of.topic);
        let shares = producer.find().await.map_err(|error| words(&error))?;
        let shares = only(of.partition, shares)?;
        let mut partitions = Vec::new();
        for share in shares {
            let mut producer = producer.apart();
            let connected = producer.connect(&share).await;
            connected.map_err(|error| words(&error))?;
            let lane = Rc::new(Lane::open(producer));
            partitions.extend(
                share
                    .into_iter()
                    .map(|partition| (partition, Rc::clone(&lane))),
            );
        }
        // Brokers are so taken in turn, too, as far as there are equally many partitions on each.
        partitions.sort_by_key(|(partition, _)| *partition);
        Ok(Self(Rc::new(Lanes {
            partitions,
            messages: Cell::new(0),
        })))
    }

    pub(super) async fn send(&self, marker: &str, body: Vec<u8>) -> Result<(), Failed> {
        let Lanes {
            partitions,
            messages,
        } = &*self.0;
        let place = messages.get().checked_rem(partitions.len());
        messages.set(messages.get().wrapping_add(1));
        let gone = || {
            let why = "Kafka: nothing is written any more";
            (FailureKind::Reset, why.to_owned())
        };
        let (partition, lane) = place
            .and_then(|place| partitions.get(place))
            .ok_or_else(gone)?;
        let message = Message {
            time: clock::now().as_millisecond(),
            headers: vec![(HEADER, marker.as_bytes().to_vec())],
            value: body,
        };
        let sent = lane.send(*partition, message).await;
        sent.ok_or_else(gone)?.map_err(|error| {
            let kind = match error {
                SendError::Unreachable(_) => FailureKind::Connect,
                SendError::Unanswered(_) => FailureKind::Reset,
                SendError::Refused(_) => FailureKind::Protocol,
            };
            (kind, format!("Kafka: {error}"))
        })
    }
}

/// A topic to which workers write markers.
pub(super) struct Completions(Tail);

impl Completions {
    pub(super) async fn open(of: &KafkaTopic, completed: &str) -> Result<Self, String> {
        let opened = Tail::open(Connect::anywhere(), settings(of)?, completed).await;
        opened.map(Self).map_err(of_completed)
    }

    /// Connects again, to go on where it was.
    pub(super) async fn resume(&mut self) -> Result<(), String> {
        self.0.resume().await.map_err(of_completed)
    }

    pub(super) async fn next(&mut self) -> Result<Vec<Vec<u8>>, String> {
        self.0.next().await.map_err(of_completed)
    }
}

/// Of the partitions that messages may go to those that they are to go to.
fn only(partition: Option<i32>, shares: Vec<BTreeSet<i32>>) -> Result<Vec<BTreeSet<i32>>, String> {
    let Some(partition) = partition else {
        return Ok(shares);
    };
    if shares.iter().any(|share| share.contains(&partition)) {
        return Ok(vec![BTreeSet::from([partition])]);
    }
    let last = shares.iter().flatten().max().copied().unwrap_or_default();
    Err(format!(
        "partition: there is no partition {partition}, only those from 0 to {last}"
    ))
}

fn settings(of: &KafkaTopic) -> Result<Settings, String> {
    let servers = of.servers.reveal().split(',');
    let servers: Result<_, _> = servers.map(|one| Address::parse(one.trim())).collect();
    let login = of.login.as_ref().map(|login| Login {
        mechanism: login.mechanism,
        user: login.user.reveal().to_owned(),
        password: login.password.reveal().to_owned(),
    });
    let settings = Settings::new(servers.map_err(|error| words(&error))?, login);
    let Some(tls) = &of.tls else {
        return Ok(settings);
    };
    let secured = settings.secured(&TlsSettings {
        ca: tls.ca.as_ref().map(Secret::reveal),
        cert: tls.cert.as_ref().map(Secret::reveal),
        key: tls.key.as_ref().map(Secret::reveal),
        any_server: tls.any_server,
    });
    secured.map_err(|error| words(&error))
}

fn words(error: &ReadError) -> String {
    error.to_string()
}

/// What is wrong with the topic of completions.
fn of_completed(error: ReadError) -> String {
    words(&error.renamed(&[(TOPIC, "completed")]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_go_to_the_partition_that_is_given_or_to_all() {
        let shares = || vec![BTreeSet::from([0, 2]), BTreeSet::from([1])];
        assert_eq!(only(None, shares()), Ok(shares()));
        assert_eq!(only(Some(1), shares()), Ok(vec![BTreeSet::from([1])]));
        let error = "partition: there is no partition 3, only those from 0 to 2".to_owned();
        assert_eq!(only(Some(3), shares()), Err(error));
    }
}
