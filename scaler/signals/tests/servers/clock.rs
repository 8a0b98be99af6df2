//! The one place of these tests that reads the clock.

use std::sync::Arc;

use ebbtide_core::time::{Clock, Timestamp};
use ebbtide_signals::WallClock;

/// The machine's clock.
pub(crate) fn system() -> Arc<dyn WallClock> {
    Arc::new(System)
}

struct System;

impl Clock for System {
    fn now(&self) -> Timestamp {
        let nanoseconds = self.wall_now().as_nanosecond();
        Timestamp::from_nanos(u64::try_from(nanoseconds).unwrap_or_default())
    }
}

impl WallClock for System {
    fn wall_now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }
}
