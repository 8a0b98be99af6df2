//! Points in time, as arguments. Core never reads a clock; see [`Clock`] for those who must.

use std::ops::Add;
use std::time::Duration;

/// A point on a monotonic clock: nanoseconds since an origin that whoever reads the clock fixes
/// (the start of the process, or the start of a recorded trace).
///
/// It never jumps with the wall clock; what is shown to people is converted at the edge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The origin of the clock.
    pub const ORIGIN: Self = Self(0);

    /// The point `nanoseconds` after the origin.
    pub const fn from_nanos(nanoseconds: u64) -> Self {
        Self(nanoseconds)
    }

    /// The point `milliseconds` after the origin.
    pub const fn from_millis(milliseconds: u64) -> Self {
        Self(milliseconds.saturating_mul(1_000_000))
    }

    /// The point `seconds` after the origin.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(1_000_000_000))
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// The time from `earlier` to `self`, zero if `earlier` is the later of the two.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    /// The point `duration` later, at most the last one that can be expressed (some 584 years).
    fn add(self, duration: Duration) -> Self {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanoseconds))
    }
}

/// Something that can be asked for the time. Implemented outside core, where a clock may be read.
pub trait Clock: Send + Sync {
    /// The present point in time. Never earlier than any that was returned before.
    fn now(&self) -> Timestamp;
}
