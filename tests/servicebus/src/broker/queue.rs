//! A queue, or a subscription, which is a queue that a topic fills.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::message::{DeadLetter, Held, Message, Received};
use super::settings::{Dates, NEVER, Settings, after};
use super::shelf::Shelf;
use super::token::{Token, Tokens};

/// How many messages there are, by what can be done with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Those that can be received, and those that are locked.
    pub active: u64,
    /// Those in the dead-letter queue.
    pub dead_letter: u64,
    /// Those that become active later.
    pub scheduled: u64,
}

impl Counts {
    /// All of them.
    pub fn total(self) -> u64 {
        self.active + self.dead_letter + self.scheduled
    }
}

/// How to receive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receive {
    /// Lock the message until it is settled.
    PeekLock,
    /// Delete the message with its receipt.
    AndDelete,
}

/// What to do with a locked message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settle {
    /// Delete it: it is done.
    Complete,
    /// Give it back, to be received again.
    Unlock,
    /// Keep it locked for longer.
    Renew,
}

/// A queue, or a subscription, which is a queue that a topic fills.
#[derive(Debug)]
pub struct Queue {
    settings: Settings,
    dates: Dates,
    live: Shelf,
    dead: Shelf,
    /// Messages by the time at which they become active, those of one time in the order of sending.
    scheduled: BTreeMap<(Timestamp, u64), Arc<Message>>,
    scheduled_bytes: u64,
    /// The number that was given last.
    sequence: u64,
}

impl Queue {
    pub(super) fn new(settings: Settings, now: Timestamp) -> Self {
        Self {
            settings,
            dates: Dates::at(now),
            live: Shelf::default(),
            dead: Shelf::default(),
            scheduled: BTreeMap::new(),
            scheduled_bytes: 0,
            sequence: 0,
        }
    }

    /// What it was told on its creation, or by the last update.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// When it was created, changed and used.
    pub fn dates(&self) -> Dates {
        self.dates
    }

    /// How many messages it has.
    pub fn counts(&self) -> Counts {
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        Counts {
            active: count(self.live.len()),
            dead_letter: count(self.dead.len()),
            scheduled: count(self.scheduled.len()),
        }
    }

    /// The sizes of its messages together, in bytes.
    pub fn bytes(&self) -> u64 {
        self.live.bytes() + self.dead.bytes() + self.scheduled_bytes
    }

    pub(super) fn update(&mut self, settings: Settings, now: Timestamp) {
        self.settings = settings;
        self.dates.updated = now;
    }

    /// Carries out what has become due.
    pub(super) fn advance(&mut self, now: Timestamp) {
        while let Some(entry) = self.scheduled.first_entry()
            && entry.key().0 <= now
        {
            let ((at, _), message) = entry.remove_entry();
            self.scheduled_bytes -= message.size();
            self.activate(message, 0, at);
        }
        while let Some(held) = self.live.take_lost(now) {
            self.give_back(held, now);
        }
        while let Some(held) = self.live.take_expired(now) {
            self.expire(held);
        }
        while let Some(held) = self.dead.take_lost(now) {
            self.dead.put(held);
        }
    }

    /// When something next becomes due.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let scheduled = self.scheduled.keys().next().map(|(at, _)| *at);
        let shelves = [self.live.next_due(), self.dead.next_due()];
        shelves.into_iter().flatten().chain(scheduled).min()
    }

    /// Adds a message: now, or at the time for which it is scheduled.
    pub(super) fn send(&mut self, message: Arc<Message>, now: Timestamp) {
        self.dates.accessed = now;
        match message.scheduled.filter(|at| *at > now) {
            Some(at) => {
                self.sequence += 1;
                self.scheduled_bytes += message.size();
                self.scheduled.insert((at, self.sequence), message);
            }
            None => self.activate(message, 0, now),
        }
    }

    /// Adds a message as active, with the number that it had in a topic.
    pub(super) fn activate(
        &mut self,
        message: Arc<Message>,
        enqueued_sequence: u64,
        at: Timestamp,
    ) {
        self.sequence += 1;
        let own = message.time_to_live.unwrap_or(NEVER);
        let time_to_live = own.min(self.settings.default_time_to_live);
        let expires = after(at, time_to_live);
        self.live.put(Held {
            sequence: self.sequence,
            enqueued_sequence,
            enqueued: at,
            time_to_live,
            expires: (expires < Timestamp::MAX).then_some(expires),
            deliveries: 0,
            dead_letter: None,
            message,
        });
    }

    /// Receives the first message of the queue, or of its dead-letter queue.
    pub(super) fn receive(
        &mut self,
        dead_letters: bool,
        how: Receive,
        now: Timestamp,
        tokens: &mut Tokens,
    ) -> Option<Received> {
        self.dates.accessed = now;
        let duration = self.settings.lock_duration;
        let place = if dead_letters {
            &mut self.dead
        } else {
            &mut self.live
        };
        match how {
            Receive::PeekLock => place.peek_lock(now, duration, tokens),
            Receive::AndDelete => place.receive_and_delete(),
        }
    }

    /// Settles a locked message. `None` if the message is not locked with this token.
    pub(super) fn settle(
        &mut self,
        dead_letters: bool,
        (message, token): (&str, Token),
        how: Settle,
        now: Timestamp,
    ) -> Option<Received> {
        let duration = self.settings.lock_duration;
        let place = if dead_letters {
            &mut self.dead
        } else {
            &mut self.live
        };
        if how == Settle::Renew {
            return place.renew(message, token, now, duration);
        }
        let held = place.take_locked(message, token)?;
        let received = held.received(None);
        match (how, dead_letters) {
            (Settle::Unlock, true) => self.dead.put(held),
            (Settle::Unlock, false) => self.give_back(held, now),
            _ => {}
        }
        Some(received)
    }

    /// Lets a message be received again, unless that was tried often enough or it has expired.
    fn give_back(&mut self, held: Held, now: Timestamp) {
        let deliveries = held.deliveries;
        if deliveries >= self.settings.max_delivery_count {
            let description = format!("not settled in {deliveries} deliveries");
            self.bury(held, "MaxDeliveryCountExceeded", description);
        } else if held.expires.is_some_and(|at| at <= now) {
            self.expire(held);
        } else {
            self.live.put(held);
        }
    }

    fn expire(&mut self, held: Held) {
        if self.settings.dead_letter_on_expiration {
            let description = "its time to live is over".to_owned();
            self.bury(held, "TTLExpiredException", description);
        }
    }

    /// Dead letters do not expire, and may be delivered any number of times.
    fn bury(&mut self, held: Held, reason: &'static str, description: String) {
        self.dead.put(Held {
            expires: None,
            dead_letter: Some(DeadLetter {
                reason,
                description,
            }),
            ..held
        });
    }
}
