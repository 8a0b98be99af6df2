//! Writing records, so that all replicas which keep up have them before it is said that they are written.
//!
//! What is certain not to be written is tried again for a few seconds: the partition's leader changes, too few replicas
//! keep up, no connection can be made. Where an answer is missing it is not, as the records may be there: nothing is
//! written twice.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thiserror::Error;
use tokio::time::{sleep, timeout};

use super::answers::{self, FINE};
use super::api;
use super::brokers::{ATTEMPTS, PAUSE, Settings};
use super::cluster::Cluster;
use super::partitions::{NO_LEADER, NO_TOPIC, OTHER_LEADER, refused};
use super::records::{self, Message};
use super::{Address, SERVERS, TOPIC};
use crate::connect::Connect;
use crate::error::ReadError;

/// For how long a broker may wait for the replicas, in milliseconds.
const WAIT: i32 = 10_000;
/// How long it may take until a broker answers.
const PATIENCE: Duration = Duration::from_secs(15);
/// Too few replicas keep up, so that the broker has not written anything.
const TOO_FEW_REPLICAS: i16 = 19;

/// Why records were not written, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SendError {
    /// No broker that leads the partition could be reached: they are not there.
    #[error(transparent)]
    Unreachable(ReadError),
    /// There was no answer: they may be there.
    #[error(transparent)]
    Unanswered(ReadError),
    /// The broker did not take them.
    #[error(transparent)]
    Refused(ReadError),
}

/// Batches, as they are written, by partition.
type Written = BTreeMap<i32, Vec<u8>>;
/// What became of records, by partition.
type Sent = BTreeMap<i32, Result<(), SendError>>;

/// Writes records to one topic, one request at a time to each broker. What is given up while it is under way may be
/// written or not.
pub struct Producer {
    cluster: Cluster,
    topic: String,
}

/// Why one attempt has failed.
#[derive(Clone)]
struct Failure {
    error: SendError,
    /// Whether nothing is written, and another attempt may do better.
    is_passing: bool,
}

impl Producer {
    /// One that nothing is known of yet.
    pub fn new(connect: Connect, settings: Settings, topic: &str) -> Self {
        Self {
            cluster: Cluster::new(connect, settings),
            topic: topic.to_owned(),
        }
    }

    /// One that knows the same, with connections of its own.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self {
            cluster: self.cluster.apart(),
            topic: self.topic.clone(),
        }
    }

    /// Connects to the brokers that lead these partitions, so that the first record need not wait for that.
    ///
    /// # Errors
    /// One cannot be reached.
    pub async fn connect(&mut self, partitions: &BTreeSet<i32>) -> Result<(), ReadError> {
        let leaders = self.cluster.leaders.get(&self.topic);
        let leaders = leaders.into_iter().flatten();
        let leaders: BTreeSet<Address> = leaders
            .filter(|(partition, _)| partitions.contains(partition))
            .map(|(_, leader)| leader.clone())
            .collect();
        for leader in &leaders {
            self.cluster.brokers.reach(leader).await?;
        }
        Ok(())
    }

    /// Finds the topic's partitions, and returns those that the same broker leads, for each broker.
    ///
    /// # Errors
    /// There is no such topic, or a partition that no broker leads.
    pub async fn find(&mut self) -> Result<Vec<BTreeSet<i32>>, ReadError> {
        let topics = [self.topic.clone()];
        self.cluster.find(&topics).await?;
        Ok(self.cluster.shares(&self.topic))
    }

    /// The same of a topic that is made if there is none and brokers make topics that are asked for.
    ///
    /// # Errors
    /// They do not make it, or there is a partition that no broker leads.
    pub async fn find_or_make(&mut self) -> Result<Vec<BTreeSet<i32>>, ReadError> {
        self.cluster.find_or_make(&self.topic).await?;
        Ok(self.cluster.shares(&self.topic))
    }

    /// Writes these records, each partition's at once. Partitions are those that were [found](Self::find).
    pub async fn send(&mut self, messages: &BTreeMap<i32, Vec<Message>>) -> Sent {
        let batches = messages.iter().filter(|(_, messages)| !messages.is_empty());
        let mut left: Written = batches
            .map(|(partition, messages)| (*partition, records::batch(messages)))
            .collect();
        let mut sent = Sent::new();
        for attempts in (0..ATTEMPTS).rev() {
            for (partition, result) in self.attempt(&left).await {
                let is_over = match &result {
                    Err(failure) => !failure.is_passing || attempts == 0,
                    Ok(()) => true,
                };
                if is_over {
                    left.remove(&partition);
                    sent.insert(partition, result.map_err(|failure| failure.error));
                }
            }
            if left.is_empty() {
                break;
            }
            sleep(PAUSE).await;
            // Where this fails, the next attempt says why.
            let _ = timeout(PATIENCE, self.find()).await;
        }
        sent
    }

    async fn attempt(&mut self, batches: &Written) -> BTreeMap<i32, Result<(), Failure>> {
        self.cluster.brokers.forget_closed();
        let mut shares: BTreeMap<Option<Address>, BTreeMap<i32, &[u8]>> = BTreeMap::new();
        for (partition, batch) in batches {
            let leaders = self.cluster.leaders.get(&self.topic);
            let leader = leaders.and_then(|leaders| leaders.get(partition)).cloned();
            let share = shares.entry(leader).or_default();
            share.insert(*partition, batch.as_slice());
        }
        let mut all = BTreeMap::new();
        for (leader, share) in shares {
            let answer = match leader {
                Some(leader) => self.ask(&leader, &share).await,
                None => Err(self.refused(NO_LEADER)),
            };
            all.extend(share.into_keys().map(|partition| {
                let result = match &answer {
                    Ok(errors) => self.checked(errors.get(&partition)),
                    Err(failure) => Err(failure.clone()),
                };
                (partition, result)
            }));
        }
        all
    }

    /// The errors that a broker answers with.
    async fn ask(
        &mut self,
        leader: &Address,
        batches: &BTreeMap<i32, &[u8]>,
    ) -> Result<BTreeMap<i32, i16>, Failure> {
        let brokers = &mut self.cluster.brokers;
        brokers.reach(leader).await.map_err(|error| Failure {
            error: SendError::Unreachable(error),
            is_passing: true,
        })?;
        let question = api::produce(&self.topic, batches, WAIT);
        let asked = brokers.ask(leader, api::PRODUCE, &question, answers::produce);
        let late = |_| ReadError::of(SERVERS, format!("no answer from {leader} in {PATIENCE:?}"));
        let answer = timeout(PATIENCE, asked).await.map_err(late).flatten();
        answer.map_err(|error| Failure {
            error: SendError::Unanswered(error),
            is_passing: false,
        })
    }

    fn checked(&self, error: Option<&i16>) -> Result<(), Failure> {
        match error {
            Some(&FINE) => Ok(()),
            Some(error) => Err(self.refused(*error)),
            None => {
                let message = "the broker says nothing of a partition that was written to";
                Err(Failure {
                    error: SendError::Unanswered(ReadError::of(SERVERS, message)),
                    is_passing: false,
                })
            }
        }
    }

    fn refused(&self, error: i16) -> Failure {
        let topic = &self.topic;
        let message = match error {
            2 => format!("a record came damaged to {topic}"),
            7 | 20 => format!("not all replicas of {topic} that keep up have written a record"),
            10 | 18 => format!(
                "a record, or all that go with it, is longer than {topic} takes (max.message.bytes)"
            ),
            TOO_FEW_REPLICAS => {
                format!("fewer replicas of {topic} keep up than have to (min.insync.replicas)")
            }
            29 => format!("the user may not write to {topic}"),
            87 => format!("{topic} takes no record without a key: its cleanup.policy is compact"),
            error => {
                return Failure {
                    error: SendError::Refused(refused(TOPIC, topic, error)),
                    is_passing: [NO_TOPIC, NO_LEADER, OTHER_LEADER].contains(&error),
                };
            }
        };
        Failure {
            error: SendError::Refused(ReadError::of(TOPIC, message)),
            is_passing: error == TOO_FEW_REPLICAS,
        }
    }
}

#[cfg(test)]
mod tests;
