//! What a queue or subscription is told on its creation.

use std::time::Duration;

use jiff::Timestamp;

use super::failure::Failure;

/// The time to live of messages that do not expire: the longest duration that the service knows,
/// `P10675199DT2H48M5.4775807S`.
pub const NEVER: Duration = Duration::new(922_337_203_685, 477_580_700);

const LONGEST_LOCK: Duration = Duration::from_mins(5);
const MOST_DELIVERIES: u32 = 2000;

/// What a queue or subscription is told on its creation. The defaults are the service's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// How long a peek-lock holds.
    pub lock_duration: Duration,
    /// How often a message is delivered before it is dead-lettered.
    pub max_delivery_count: u32,
    /// How long a message lives that does not say so itself, and at most.
    pub default_time_to_live: Duration,
    /// Whether an expired message is dead-lettered; otherwise it is dropped.
    pub dead_letter_on_expiration: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lock_duration: Duration::from_mins(1),
            max_delivery_count: 10,
            default_time_to_live: NEVER,
            dead_letter_on_expiration: false,
        }
    }
}

impl Settings {
    /// Fails with what is out of range.
    pub fn check(&self) -> Result<(), Failure> {
        let refuse = |key, value: String, rule| Err(Failure::InvalidSetting { key, value, rule });
        if self.lock_duration.is_zero() || self.lock_duration > LONGEST_LOCK {
            let value = format!("{:?}", self.lock_duration);
            return refuse("LockDuration", value, "more than 0, at most PT5M");
        }
        if !(1..=MOST_DELIVERIES).contains(&self.max_delivery_count) {
            let value = self.max_delivery_count.to_string();
            return refuse("MaxDeliveryCount", value, "1 to 2000");
        }
        if self.default_time_to_live.is_zero() {
            let value = format!("{:?}", self.default_time_to_live);
            return refuse("DefaultMessageTimeToLive", value, "more than 0");
        }
        Ok(())
    }
}

/// When an entity was created, changed and used.
#[derive(Clone, Copy, Debug)]
pub struct Dates {
    /// Its creation.
    pub created: Timestamp,
    /// The last change of its settings.
    pub updated: Timestamp,
    /// The last message that was sent to it or asked of it.
    pub accessed: Timestamp,
}

impl Dates {
    pub(super) fn at(now: Timestamp) -> Self {
        Self {
            created: now,
            updated: now,
            accessed: now,
        }
    }
}

/// The time `duration` after `now`, at most the last one that a date can show.
pub(super) fn after(now: Timestamp, duration: Duration) -> Timestamp {
    now.checked_add(duration).unwrap_or(Timestamp::MAX)
}
