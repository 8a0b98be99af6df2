//! Messages that are there to be received, and those of them that are locked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::message::{Held, Received};
use super::settings::after;
use super::token::{Token, Tokens};

/// The messages of a queue, of a subscription, or of the dead-letter queue of one.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    /// Those that can be received, in the order in which they are.
    waiting: BTreeMap<u64, Held>,
    locked: BTreeMap<Token, Locked>,
    lock_ends: BTreeSet<(Timestamp, Token)>,
    /// When those expire that wait. A locked one does not expire before its lock ends.
    expirations: BTreeSet<(Timestamp, u64)>,
    bytes: u64,
}

#[derive(Debug)]
struct Locked {
    until: Timestamp,
    held: Held,
}

impl Shelf {
    /// The messages, locked ones included.
    pub(super) fn len(&self) -> usize {
        self.waiting.len() + self.locked.len()
    }

    /// Their sizes together, in bytes.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// When it next changes by itself.
    pub(super) fn next_due(&self) -> Option<Timestamp> {
        let lock = self.lock_ends.first().map(|(at, _)| *at);
        let expiration = self.expirations.first().map(|(at, _)| *at);
        lock.into_iter().chain(expiration).min()
    }

    pub(super) fn put(&mut self, held: Held) {
        self.bytes += held.message.size();
        if let Some(at) = held.expires {
            self.expirations.insert((at, held.sequence));
        }
        self.waiting.insert(held.sequence, held);
    }

    fn take_first(&mut self) -> Option<Held> {
        let sequence = *self.waiting.keys().next()?;
        self.take(sequence)
    }

    fn take(&mut self, sequence: u64) -> Option<Held> {
        let held = self.waiting.remove(&sequence)?;
        if let Some(at) = held.expires {
            self.expirations.remove(&(at, sequence));
        }
        self.bytes -= held.message.size();
        Some(held)
    }

    /// Receives the first message and keeps it no longer.
    pub(super) fn receive_and_delete(&mut self) -> Option<Received> {
        let mut held = self.take_first()?;
        held.deliveries += 1;
        Some(held.received(None))
    }

    /// Receives the first message and locks it.
    pub(super) fn peek_lock(
        &mut self,
        now: Timestamp,
        duration: Duration,
        tokens: &mut Tokens,
    ) -> Option<Received> {
        let mut held = self.take_first()?;
        held.deliveries += 1;
        let (token, until) = (tokens.mint(), after(now, duration));
        let received = held.received(Some((token, until)));
        self.bytes += held.message.size();
        self.lock_ends.insert((until, token));
        self.locked.insert(token, Locked { until, held });
        Some(received)
    }

    /// Takes a locked message away, if the message and its lock are these.
    pub(super) fn take_locked(&mut self, message: &str, token: Token) -> Option<Held> {
        self.locked
            .get(&token)
            .filter(|locked| locked.held.is(message))?;
        self.take_lock(token)
    }

    fn take_lock(&mut self, token: Token) -> Option<Held> {
        let Locked { until, held } = self.locked.remove(&token)?;
        self.lock_ends.remove(&(until, token));
        self.bytes -= held.message.size();
        Some(held)
    }

    /// Lets a lock hold for `duration` from now on.
    pub(super) fn renew(
        &mut self,
        message: &str,
        token: Token,
        now: Timestamp,
        duration: Duration,
    ) -> Option<Received> {
        let locked = self
            .locked
            .get_mut(&token)
            .filter(|locked| locked.held.is(message))?;
        self.lock_ends.remove(&(locked.until, token));
        locked.until = after(now, duration);
        self.lock_ends.insert((locked.until, token));
        Some(locked.held.received(Some((token, locked.until))))
    }

    /// Takes away a message whose lock has ended, if there is one.
    pub(super) fn take_lost(&mut self, now: Timestamp) -> Option<Held> {
        let (until, token) = *self.lock_ends.first()?;
        if until > now {
            return None;
        }
        self.take_lock(token)
    }

    /// Takes away a message that has expired, if there is one.
    pub(super) fn take_expired(&mut self, now: Timestamp) -> Option<Held> {
        let (at, sequence) = *self.expirations.first()?;
        if at > now {
            return None;
        }
        self.take(sequence)
    }
}
