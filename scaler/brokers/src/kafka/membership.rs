//! A member of a consumer group, by the protocol in which one of the members assigns the partitions.

mod assignment;
mod messages;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use self::messages::{Joined, Member, Terms};
use super::answers::{self, FINE};
use super::api::{self, Api, Missing};
use super::brokers::{ATTEMPTS, Brokers, PAUSE, Settings};
use super::partitions::{is_passing, refused};
use super::wire::{Answer, Nonsense, Question};
use super::{Address, GROUP, Named, Partitions, TOPIC};
use crate::connect::Connect;
use crate::error::ReadError;

/// How long a broker may take to answer what it answers at once.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a member is to its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its partitions are its own.
    Member,
    /// The partitions are to be assigned anew: it may finish and commit what it has in hand, within the
    /// time for a rebalance, and has to join again.
    Rebalancing,
    /// Others have its partitions: it can commit nothing, and has to join again.
    Lost,
}

/// A member of a consumer group, with connections of its own, so that it is heard of while another waits
/// for records. What it says to the group's broker may be given up at any time.
pub struct Membership {
    brokers: Brokers,
    group: String,
    topics: Vec<String>,
    terms: Terms,
    member: Member,
    coordinator: Option<Address>,
}

impl Membership {
    /// How often a member should say that it is still there.
    pub const HEARTBEAT: Duration = Duration::from_secs(1);

    /// Not a member yet. In a rebalance the others wait for it for as long as is said here.
    pub fn new(
        connect: Connect,
        settings: Settings,
        group: &str,
        topics: Vec<String>,
        rebalance: Duration,
    ) -> Self {
        Self {
            brokers: Brokers::new(connect, settings),
            group: group.to_owned(),
            topics,
            terms: Terms::of(rebalance),
            member: Member::default(),
            coordinator: None,
        }
    }

    /// Whether the group's broker has given it a name, by which it can [leave](Self::leave). While it
    /// has none, joining should not be given up: the others would have to wait for a member that is not
    /// there.
    pub fn is_named(&self) -> bool {
        !self.member.id.is_empty()
    }

    /// Joins, or joins again, and returns the partitions that it is assigned; or none if meanwhile the
    /// group has changed, so that it has to be asked once more.
    ///
    /// # Errors
    /// The broker fails or does not let it join, or there is no such topic.
    pub async fn join(&mut self) -> Result<Option<Named>, ReadError> {
        let subscription = assignment::subscription(&self.topics);
        let question = messages::join(
            &self.group,
            &self.member,
            self.terms,
            subscription.written(),
        );
        // The others are waited for, which may be at work.
        let limit = self.terms.rebalance.saturating_add(PATIENCE);
        let asked = self.ask(api::JOIN_GROUP, &question, limit, messages::joined);
        let joined = match asked.await? {
            Ok(joined) => joined,
            Err(error) => return self.standing(error).map(|_| None),
        };
        self.member = joined.member.clone();
        let shares = self.shares(&joined).await?;
        let question = messages::sync(&self.group, &self.member, &shares);
        let asked = self.ask(api::SYNC_GROUP, &question, limit, messages::synced);
        match asked.await? {
            Ok(assigned) => Ok(Some(assigned)),
            Err(error) => self.standing(error).map(|_| None),
        }
    }

    /// Says that it is still there.
    ///
    /// # Errors
    /// The broker fails.
    pub async fn beat(&mut self) -> Result<Standing, ReadError> {
        let question = messages::heartbeat(&self.group, &self.member);
        self.say(api::HEARTBEAT, &question, messages::done).await
    }

    /// Says that the group is done with what comes before these offsets. That is so if it is told that it
    /// is a [member](Standing::Member), even if a heartbeat has said that there is a rebalance.
    ///
    /// # Errors
    /// The broker fails.
    pub async fn commit(&mut self, offsets: &Partitions<i64>) -> Result<Standing, ReadError> {
        let Member { id, generation } = &self.member;
        let question = api::offset_commit(&self.group, (*generation, id), offsets);
        self.say(api::OFFSET_COMMIT, &question, answers::offset_commit)
            .await
    }

    /// Leaves, so that the others need not wait until it has been silent for too long. Who is no member
    /// has left already.
    ///
    /// # Errors
    /// The broker fails.
    pub async fn leave(&mut self) -> Result<(), ReadError> {
        if !self.is_named() {
            return Ok(());
        }
        let question = messages::leave(&self.group, &self.member);
        self.say(api::LEAVE_GROUP, &question, messages::done)
            .await?;
        self.member = Member::default();
        Ok(())
    }

    /// Says something that is answered at once, and returns what it is to the group then.
    async fn say(
        &mut self,
        api: Api,
        question: &Question,
        read: impl Fn(Answer<'_>) -> Result<Result<(), i16>, Nonsense>,
    ) -> Result<Standing, ReadError> {
        let said = self.ask(api, question, PATIENCE, read).await?;
        self.standing(said.err().unwrap_or(FINE))
    }

    /// What an error says about it.
    fn standing(&mut self, error: i16) -> Result<Standing, ReadError> {
        const ILLEGAL_GENERATION: i16 = 22;
        const UNKNOWN_MEMBER: i16 = 25;
        const REBALANCE: i16 = 27;
        match error {
            FINE => Ok(Standing::Member),
            REBALANCE => Ok(Standing::Rebalancing),
            // It is known still, or the others would wait for who it was.
            ILLEGAL_GENERATION => Ok(Standing::Lost),
            UNKNOWN_MEMBER => {
                self.member = Member::default();
                Ok(Standing::Lost)
            }
            error => Err(refused(GROUP, &self.group, error)),
        }
    }

    /// What each member gets, if it is for this one to say so.
    async fn shares(&mut self, joined: &Joined) -> Result<Vec<(String, Named)>, ReadError> {
        if !joined.is_leader {
            return Ok(Vec::new());
        }
        let topics = joined.members.iter().flat_map(|(_, topics)| topics);
        let topics: BTreeSet<String> = topics.chain(&self.topics).cloned().collect();
        let topics: Vec<String> = topics.into_iter().collect();
        let question = api::metadata(&topics, Missing::Stays);
        let asked = self
            .brokers
            .ask_any(api::METADATA, &question, answers::metadata);
        let found = within(PATIENCE, asked).await?;
        let mut partitions = Named::new();
        for (topic, found) in found.topics {
            match found {
                Ok(found) => {
                    partitions.insert(topic, found.into_keys().collect());
                }
                Err(error) if self.topics.contains(&topic) => {
                    return Err(refused(TOPIC, &topic, error));
                }
                // Another member may wait for a topic that is not there yet.
                Err(_) => {}
            }
        }
        Ok(assignment::by_range(&joined.members, &partitions))
    }

    /// Asks the group's broker, which is looked for again when it is not that any more.
    async fn ask<T>(
        &mut self,
        api: Api,
        question: &Question,
        limit: Duration,
        read: impl Fn(Answer<'_>) -> Result<Result<T, i16>, Nonsense>,
    ) -> Result<Result<T, i16>, ReadError> {
        let mut attempts = ATTEMPTS;
        loop {
            attempts -= 1;
            let answer = match self.coordinator().await? {
                Ok(coordinator) => {
                    let asked = self.brokers.ask(&coordinator, api, question, &read);
                    within(limit, asked).await?
                }
                Err(error) => Err(error),
            };
            match answer {
                Err(error) if is_passing(error) && attempts > 0 => {
                    self.coordinator = None;
                    sleep(PAUSE).await;
                }
                answer => return Ok(answer),
            }
        }
    }

    async fn coordinator(&mut self) -> Result<Result<Address, i16>, ReadError> {
        if let Some(coordinator) = &self.coordinator {
            return Ok(Ok(coordinator.clone()));
        }
        let found = within(PATIENCE, self.brokers.coordinator(&self.group)).await?;
        self.coordinator = found.as_ref().ok().cloned();
        Ok(found)
    }
}

async fn within<T>(
    limit: Duration,
    asked: impl Future<Output = Result<T, ReadError>>,
) -> Result<T, ReadError> {
    let answer = timeout(limit, asked).await;
    answer.unwrap_or_else(|_| {
        let message = format!("no answer from the group's broker within {limit:?}");
        Err(ReadError::of(GROUP, message))
    })
}
