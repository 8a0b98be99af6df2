//! The one place of this crate that reads the clock.

#![expect(clippy::disallowed_methods, reason = "this is where the clock is read")]

use std::time::{Instant, SystemTime};

use ebbtide_core::time::{Clock, Timestamp};
use ebbtide_signals::WallClock;

/// The machine's clock: monotonic for deciding, and the wall clock for showing.
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose origin is now.
    pub fn start() -> Self {
        Self {
            origin: Instant::now(),
        }
    }

    /// What the wall clock showed, or will show, at a point in time. It follows the wall clock's
    /// corrections, so it is for people and never for deciding.
    pub fn wall(&self, at: Timestamp) -> jiff::Timestamp {
        let now = self.now();
        let wall = SystemTime::now();
        let shown = match at.as_nanos().checked_sub(now.as_nanos()) {
            Some(_) => wall.checked_add(at.since(now)),
            None => wall.checked_sub(now.since(at)),
        };
        shown
            .and_then(|time| jiff::Timestamp::try_from(time).ok())
            .unwrap_or_default()
    }

    /// What the wall clock shows at a point in time, counted from 1970.
    pub fn since_1970(&self, at: Timestamp) -> Timestamp {
        let nanoseconds = self.wall(at).as_nanosecond();
        Timestamp::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
    }

    /// The wall clock's time at a point in time, as RFC 3339 in UTC with milliseconds.
    pub fn rfc3339(&self, at: Timestamp) -> String {
        format!("{:.3}", self.wall(at))
    }
}

/// What the wall clock shows, for dates that others have set.
pub fn wall_now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

impl WallClock for SystemClock {
    fn wall_now(&self) -> jiff::Timestamp {
        wall_now()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_wall_clock_is_shown_in_utc_with_milliseconds() {
        let clock = SystemClock::start();
        let shown = clock.rfc3339(clock.now());
        assert_eq!(
            (shown.len(), &shown[19..20], &shown[23..]),
            (24, ".", "Z"),
            "{shown}"
        );
        let later = clock.now() + Duration::from_secs(3600);
        assert!(clock.wall(later) > clock.wall(clock.now()));
        let since_1970 = clock.since_1970(later).as_nanos();
        assert!(since_1970 > 1_700_000_000_000_000_000, "{since_1970}");
    }
}
