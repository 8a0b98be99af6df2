//! Which replicas get requests rather than others.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::Duration;

use crate::document::tags;

/// Which replicas get fewer requests than others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preference {
    /// `ebbtide.ejectAfterFailures`: after how many failed requests in a row a replica is ejected for a
    /// while. None is never.
    pub eject_after: Option<NonZeroU32>,
    /// `ebbtide.slowStartSeconds`: how long a new replica gets less than its share. None is not at all.
    pub slow_start: Option<Duration>,
}

impl Preference {
    pub(super) fn of(tags: &BTreeMap<String, String>) -> Self {
        let slow_start = tags::SLOW_START.seconds(tags);
        Self {
            eject_after: tags::EJECT_AFTER
                .number(tags)
                .map_or(Self::default().eject_after, NonZeroU32::new),
            slow_start: slow_start.filter(|long| !long.is_zero()),
        }
    }
}

impl Default for Preference {
    /// Ejection after five failures, and no slow start.
    fn default() -> Self {
        Self {
            eject_after: NonZeroU32::new(5),
            slow_start: None,
        }
    }
}
