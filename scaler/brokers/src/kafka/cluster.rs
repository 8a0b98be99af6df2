//! Brokers that together keep topics and what groups have committed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::sleep;

use super::answers::{self, Batches, Numbers, Topics};
use super::api::{self, Missing};
use super::brokers::{ATTEMPTS, Brokers, PAUSE, Settings};
use super::partitions::{
    all_with, fine, is_being_made, is_passing, leaders, leaders_of_made, refused,
};
use super::{Address, GROUP, Named, Partitions, TOPIC};
use crate::connect::Connect;
use crate::error::ReadError;

/// The two ends of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// After the last record.
    Latest,
    /// At the first record.
    Earliest,
}

/// A cluster of brokers, of which each is asked for what it keeps.
pub struct Cluster {
    pub(super) brokers: Brokers,
    /// Where each partition is.
    pub(super) leaders: Partitions<Address>,
}

impl Cluster {
    /// One that nothing is known of yet.
    pub fn new(connect: Connect, settings: Settings) -> Self {
        Self {
            brokers: Brokers::new(connect, settings),
            leaders: BTreeMap::new(),
        }
    }

    /// One that knows the same, with connections of its own.
    pub(super) fn apart(&self) -> Self {
        Self {
            brokers: self.brokers.apart(),
            leaders: self.leaders.clone(),
        }
    }

    /// The partitions of these topics, as they are now.
    ///
    /// # Errors
    /// There is no such topic, or a partition that no broker leads.
    pub async fn find(&mut self, topics: &[String]) -> Result<Named, ReadError> {
        let found = self.metadata(topics, Missing::Stays).await?;
        self.leaders = leaders(&found, topics)?;
        Ok(self.found())
    }

    /// The partitions of a topic, which is made if there is none and brokers make topics that are asked for.
    ///
    /// # Errors
    /// They do not make it, or there is a partition that no broker leads.
    pub async fn find_or_make(&mut self, topic: &str) -> Result<Named, ReadError> {
        let topics = [topic.to_owned()];
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            let found = self.metadata(&topics, Missing::IsMade).await?;
            if attempts > 0 && is_being_made(&found, topic) {
                sleep(PAUSE).await;
                continue;
            }
            self.leaders = leaders_of_made(&found, &topics)?;
            return Ok(self.found());
        }
    }

    async fn metadata(&mut self, topics: &[String], missing: Missing) -> Result<Topics, ReadError> {
        let question = api::metadata(topics, missing);
        self.brokers
            .ask_any(api::METADATA, &question, answers::metadata)
            .await
    }

    fn found(&self) -> Named {
        let topics = self.leaders.iter().map(|(topic, partitions)| {
            let partitions = partitions.keys().copied().collect();
            (topic.clone(), partitions)
        });
        topics.collect()
    }

    /// Partitions of a topic that the same broker leads, for each broker that leads some.
    pub(super) fn shares(&self, topic: &str) -> Vec<BTreeSet<i32>> {
        let mut shares: BTreeMap<&Address, BTreeSet<i32>> = BTreeMap::new();
        for (partition, leader) in self.leaders.get(topic).into_iter().flatten() {
            shares.entry(leader).or_default().insert(*partition);
        }
        shares.into_values().collect()
    }

    /// What a group has committed, of all its partitions if none are given. Where it has committed
    /// nothing, there is a negative number or none.
    ///
    /// # Errors
    /// The group may not be asked for, or its broker fails.
    pub async fn committed(
        &mut self,
        group: &str,
        partitions: Option<&Named>,
    ) -> Result<Partitions<i64>, ReadError> {
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            match self.offset_fetch(group, partitions).await? {
                Ok(numbers) => return fine(GROUP, group, numbers),
                // It has just started, or is asked for the first group of all.
                Err(error) if is_passing(error) && attempts > 0 => sleep(PAUSE).await,
                Err(error) => return Err(refused(GROUP, group, error)),
            }
        }
    }

    async fn offset_fetch(
        &mut self,
        group: &str,
        partitions: Option<&Named>,
    ) -> Result<Result<Numbers, i16>, ReadError> {
        let coordinator = match self.brokers.coordinator(group).await? {
            Ok(coordinator) => coordinator,
            Err(error) => return Ok(Err(error)),
        };
        let question = api::offset_fetch(group, partitions);
        self.brokers
            .ask(
                &coordinator,
                api::OFFSET_FETCH,
                &question,
                answers::offset_fetch,
            )
            .await
    }

    /// An end of each of these partitions, which have been [found](Self::find).
    ///
    /// # Errors
    /// A broker fails, or is not the partition's leader any more.
    pub async fn offsets(
        &mut self,
        partitions: &Named,
        which: Start,
    ) -> Result<Partitions<i64>, ReadError> {
        let time = match which {
            Start::Latest => -1,
            Start::Earliest => -2,
        };
        let mut all: Partitions<i64> = BTreeMap::new();
        for (leader, partitions) in self.by_leader(&all_with(partitions, time)) {
            let question = api::list_offsets(&partitions);
            let answer =
                self.brokers
                    .ask(&leader, api::LIST_OFFSETS, &question, answers::list_offsets);
            for (topic, offsets) in fine(TOPIC, &leader.to_string(), answer.await?)? {
                all.entry(topic).or_default().extend(offsets);
            }
        }
        Ok(all)
    }

    /// Records from these offsets on, for which each broker may wait a while.
    ///
    /// # Errors
    /// A broker fails, or is not the partition's leader any more.
    pub async fn fetch(
        &mut self,
        offsets: &Partitions<i64>,
        wait: Duration,
    ) -> Result<Batches, ReadError> {
        let wait = i32::try_from(wait.as_millis()).unwrap_or(i32::MAX);
        let mut all: Batches = BTreeMap::new();
        for (leader, offsets) in self.by_leader(offsets) {
            let question = api::fetch(&offsets, wait);
            let answer = self
                .brokers
                .ask(&leader, api::FETCH, &question, answers::fetch);
            for (topic, batches) in fine(TOPIC, &leader.to_string(), answer.await?)? {
                all.entry(topic).or_default().extend(batches);
            }
        }
        Ok(all)
    }

    fn by_leader(&self, partitions: &Partitions<i64>) -> BTreeMap<Address, Partitions<i64>> {
        let mut sorted: BTreeMap<Address, Partitions<i64>> = BTreeMap::new();
        for (topic, partitions) in partitions {
            for (partition, value) in partitions {
                let leader = self.leaders.get(topic).and_then(|all| all.get(partition));
                if let Some(leader) = leader {
                    let topics = sorted.entry(leader.clone()).or_default();
                    let partitions = topics.entry(topic.clone()).or_default();
                    partitions.insert(*partition, *value);
                }
            }
        }
        sorted
    }
}
