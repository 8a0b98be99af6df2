//! A topic: it keeps no message but those that are scheduled, and gives each to every subscription.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::message::Message;
use super::name::Name;
use super::queue::Queue;
use super::settings::Dates;

/// A topic: it keeps no message but those that are scheduled, and gives each to every subscription.
#[derive(Debug)]
pub struct Topic {
    default_time_to_live: Duration,
    dates: Dates,
    subscriptions: BTreeMap<Name, Queue>,
    scheduled: BTreeMap<(Timestamp, u64), Arc<Message>>,
    scheduled_bytes: u64,
    sequence: u64,
}

impl Topic {
    pub(super) fn new(default_time_to_live: Duration, now: Timestamp) -> Self {
        Self {
            default_time_to_live,
            dates: Dates::at(now),
            subscriptions: BTreeMap::new(),
            scheduled: BTreeMap::new(),
            scheduled_bytes: 0,
            sequence: 0,
        }
    }

    /// How long a message lives that does not say so itself, and at most.
    pub fn default_time_to_live(&self) -> Duration {
        self.default_time_to_live
    }

    /// When it was created, changed and used.
    pub fn dates(&self) -> Dates {
        self.dates
    }

    /// Its subscriptions, by name.
    pub fn subscriptions(&self) -> &BTreeMap<Name, Queue> {
        &self.subscriptions
    }

    /// The messages that become active later.
    pub fn scheduled(&self) -> u64 {
        u64::try_from(self.scheduled.len()).unwrap_or(u64::MAX)
    }

    /// The messages here and in its subscriptions.
    pub fn total(&self) -> u64 {
        let held = self
            .subscriptions
            .values()
            .map(|queue| queue.counts().total());
        self.scheduled() + held.sum::<u64>()
    }

    /// The sizes of the messages here and in its subscriptions, in bytes.
    pub fn bytes(&self) -> u64 {
        self.scheduled_bytes + self.subscriptions.values().map(Queue::bytes).sum::<u64>()
    }

    pub(super) fn subscriptions_mut(&mut self) -> &mut BTreeMap<Name, Queue> {
        &mut self.subscriptions
    }

    pub(super) fn update(&mut self, default_time_to_live: Duration, now: Timestamp) {
        self.default_time_to_live = default_time_to_live;
        self.dates.updated = now;
    }

    /// Carries out what has become due.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while let Some(entry) = self.scheduled.first_entry()
            && entry.key().0 <= now
        {
            let ((at, _), message) = entry.remove_entry();
            self.scheduled_bytes -= message.size();
            self.fan_out(&message, at);
        }
        for subscription in self.subscriptions.values_mut() {
            subscription.advance(now);
        }
    }

    /// When a scheduled message next becomes active.
    pub(super) fn next_scheduled(&self) -> Option<Timestamp> {
        self.scheduled.keys().next().map(|(at, _)| *at)
    }

    /// Gives a message to every subscription: now, or at the time for which it is scheduled.
    pub(super) fn send(&mut self, mut message: Message, now: Timestamp) {
        self.dates.accessed = now;
        let own = message.time_to_live.unwrap_or(self.default_time_to_live);
        message.time_to_live = Some(own.min(self.default_time_to_live));
        let message = Arc::new(message);
        match message.scheduled.filter(|at| *at > now) {
            Some(at) => {
                self.sequence += 1;
                self.scheduled_bytes += message.size();
                self.scheduled.insert((at, self.sequence), message);
            }
            None => self.fan_out(&message, now),
        }
    }

    fn fan_out(&mut self, message: &Arc<Message>, at: Timestamp) {
        self.sequence += 1;
        for subscription in self.subscriptions.values_mut() {
            subscription.activate(Arc::clone(message), self.sequence, at);
        }
    }
}
