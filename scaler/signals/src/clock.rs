//! The clock that sources go by.

use ebbtide_core::time::Clock;

/// A clock that knows the date too, for schedules and signatures.
pub trait WallClock: Clock {
    /// What the wall clock shows now.
    fn wall_now(&self) -> jiff::Timestamp;
}
