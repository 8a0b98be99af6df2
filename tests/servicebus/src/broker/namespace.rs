//! The namespace: its entities, and every request to them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::entity::{Entity, Found, Limits, within, wrong_kind};
use super::failure::Failure;
use super::message::{Message, Received};
use super::name::{Name, Source};
use super::queue::{Queue, Receive, Settle};
use super::settings::Settings;
use super::token::{Token, Tokens};
use super::topic::Topic;

/// The namespace: its entities, and every request to them.
#[derive(Debug)]
pub struct Namespace {
    entities: BTreeMap<Name, Entity>,
    limits: Limits,
    tokens: Tokens,
}

impl Namespace {
    /// An empty namespace. Its tokens differ from those of a namespace with another seed.
    pub fn new(limits: Limits, seed: u64) -> Self {
        Self {
            entities: BTreeMap::new(),
            limits,
            tokens: Tokens::new(seed),
        }
    }

    /// How much it may hold.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Creates a queue; with `update` it changes the settings of one that is there instead.
    pub fn put_queue(
        &mut self,
        name: &Name,
        settings: Settings,
        update: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        settings.check()?;
        match (self.entities.get_mut(name), update) {
            (Some(Entity::Queue(queue)), true) => {
                queue.update(settings, now);
                Ok(())
            }
            (Some(_), _) => Err(Failure::Exists(name.to_string())),
            (None, true) => Err(Failure::missing(name)),
            (None, false) => {
                self.room_for_entity()?;
                let queue = Box::new(Queue::new(settings, now));
                self.entities.insert(name.clone(), Entity::Queue(queue));
                Ok(())
            }
        }
    }

    /// Creates a topic; with `update` it changes the settings of one that is there instead.
    pub fn put_topic(
        &mut self,
        name: &Name,
        default_time_to_live: Duration,
        update: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        match (self.entities.get_mut(name), update) {
            (Some(Entity::Topic(topic)), true) => {
                topic.update(default_time_to_live, now);
                Ok(())
            }
            (Some(_), _) => Err(Failure::Exists(name.to_string())),
            (None, true) => Err(Failure::missing(name)),
            (None, false) => {
                self.room_for_entity()?;
                let topic = Topic::new(default_time_to_live, now);
                self.entities.insert(name.clone(), Entity::Topic(topic));
                Ok(())
            }
        }
    }

    /// Creates a subscription; with `update` it changes the settings of one that is there instead.
    pub fn put_subscription(
        &mut self,
        topic: &Name,
        name: &Name,
        settings: Settings,
        update: bool,
        now: Timestamp,
    ) -> Result<(), Failure> {
        settings.check()?;
        let room = self.room_for_entity();
        let subscriptions = self.topic_mut(topic)?.subscriptions_mut();
        match (subscriptions.get_mut(name), update) {
            (Some(queue), true) => queue.update(settings, now),
            (Some(_), false) => {
                return Err(Failure::Exists(format!("{topic}/subscriptions/{name}")));
            }
            (None, true) => {
                return Err(Failure::NoSuchEntity(format!(
                    "{topic}/subscriptions/{name}"
                )));
            }
            (None, false) => {
                room?;
                subscriptions.insert(name.clone(), Queue::new(settings, now));
            }
        }
        Ok(())
    }

    /// Deletes a queue, or a topic with its subscriptions.
    pub fn delete(&mut self, name: &Name) -> Result<(), Failure> {
        let deleted = self.entities.remove(name);
        deleted.map(drop).ok_or_else(|| Failure::missing(name))
    }

    /// Deletes a subscription.
    pub fn delete_subscription(&mut self, topic: &Name, name: &Name) -> Result<(), Failure> {
        let deleted = self.topic_mut(topic)?.subscriptions_mut().remove(name);
        let missing = || Failure::NoSuchEntity(format!("{topic}/subscriptions/{name}"));
        deleted.map(drop).ok_or_else(missing)
    }

    /// A queue or topic.
    pub fn find(&mut self, name: &Name, now: Timestamp) -> Option<Found<'_>> {
        let entity = self.entities.get_mut(name)?;
        entity.advance(now);
        Some(entity.found())
    }

    /// All queues and topics, in the order of their names.
    pub fn all(&mut self, now: Timestamp) -> impl Iterator<Item = (&Name, Found<'_>)> {
        for entity in self.entities.values_mut() {
            entity.advance(now);
        }
        self.entities
            .iter()
            .map(|(name, entity)| (name, entity.found()))
    }

    /// Sends a message to a queue or topic.
    pub fn send(
        &mut self,
        name: &Name,
        mut message: Message,
        now: Timestamp,
    ) -> Result<(), Failure> {
        if message.identifier.is_none() {
            message.identifier = Some(self.tokens.mint().to_string());
        }
        let size = message.size();
        let limit = self.limits.message_bytes;
        if size > limit {
            return Err(Failure::TooLarge { size, limit });
        }
        let missing = || Failure::missing(name);
        let entity = self.entities.get_mut(name).ok_or_else(missing)?;
        entity.advance(now);
        entity.room_for(name, self.limits)?;
        match entity {
            Entity::Queue(queue) => queue.send(Arc::new(message), now),
            Entity::Topic(topic) => topic.send(message, now),
        }
        Ok(())
    }

    /// Receives the first message that is there, if one is.
    pub fn receive(
        &mut self,
        source: &Source,
        how: Receive,
        now: Timestamp,
    ) -> Result<Option<Received>, Failure> {
        let queue = source_queue(&mut self.entities, source, now)?;
        Ok(queue.receive(source.dead_letters, how, now, &mut self.tokens))
    }

    /// Settles a locked message, named by its identifier or its sequence number.
    pub fn settle(
        &mut self,
        source: &Source,
        (message, token): (&str, Token),
        how: Settle,
        now: Timestamp,
    ) -> Result<Received, Failure> {
        let queue = source_queue(&mut self.entities, source, now)?;
        let settled = queue.settle(source.dead_letters, (message, token), how, now);
        settled.ok_or_else(|| Failure::LockLost {
            message: message.to_owned(),
            token,
        })
    }

    /// When a source next changes without a request.
    pub fn next_due(&self, source: &Source) -> Option<Timestamp> {
        match self.entities.get(&source.entity)? {
            Entity::Queue(queue) => queue.next_due(),
            Entity::Topic(topic) => {
                let name = source.subscription.as_ref()?;
                let own = topic.subscriptions().get(name)?.next_due();
                own.into_iter().chain(topic.next_scheduled()).min()
            }
        }
    }

    fn topic_mut(&mut self, name: &Name) -> Result<&mut Topic, Failure> {
        match self.entities.get_mut(name) {
            Some(Entity::Topic(topic)) => Ok(topic),
            Some(Entity::Queue(_)) => Err(wrong_kind(name, "a queue", "a topic")),
            None => Err(Failure::missing(name)),
        }
    }

    fn room_for_entity(&self) -> Result<(), Failure> {
        let subscriptions = self.entities.values().map(|entity| match entity {
            Entity::Queue(_) => 0,
            Entity::Topic(topic) => topic.subscriptions().len(),
        });
        let held = self.entities.len() + subscriptions.sum::<usize>();
        let held = u64::try_from(held).unwrap_or(u64::MAX);
        within("the namespace", held, self.limits.entities, "entities")
    }
}

/// The queue or subscription of a source, up to date.
fn source_queue<'a>(
    entities: &'a mut BTreeMap<Name, Entity>,
    source: &Source,
    now: Timestamp,
) -> Result<&'a mut Queue, Failure> {
    let missing = || Failure::NoSuchEntity(source.to_string());
    let entity = entities.get_mut(&source.entity).ok_or_else(missing)?;
    entity.advance(now);
    match (entity, &source.subscription) {
        (Entity::Queue(queue), None) => Ok(queue),
        (Entity::Queue(_), Some(_)) => Err(wrong_kind(&source.entity, "a queue", "a topic")),
        (Entity::Topic(topic), Some(name)) => {
            topic.subscriptions_mut().get_mut(name).ok_or_else(missing)
        }
        (Entity::Topic(_), None) => Err(wrong_kind(source, "a topic", "a queue or a subscription")),
    }
}
