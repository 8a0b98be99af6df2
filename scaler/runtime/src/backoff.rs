//! How long to wait before a container is started again.

use std::time::Duration;

/// Before the first restart. Short, because a crash at a cold start holds requests up.
const FIRST: Duration = Duration::from_millis(250);
/// At most this long.
const LONGEST: Duration = Duration::from_secs(30);
/// A run of this length is taken for a sound start, and the wait begins anew.
const SOUND_RUN: Duration = Duration::from_secs(60);

/// Exponential backoff: 250 ms, doubling up to 30 s, anew after a run of 60 s.
#[derive(Debug, Default)]
pub(crate) struct Backoff {
    /// Ends in a row that no sound run came between.
    in_a_row: u32,
    restarts: u32,
}

impl Backoff {
    /// How long to wait after a run that took `ran`.
    pub(crate) fn after(&mut self, ran: Duration) -> Duration {
        if ran >= SOUND_RUN {
            self.in_a_row = 0;
        }
        let doubled = 2_u32.saturating_pow(self.in_a_row);
        self.in_a_row = self.in_a_row.saturating_add(1);
        self.restarts = self.restarts.saturating_add(1);
        FIRST.saturating_mul(doubled).min(LONGEST)
    }

    /// How many waits there have been.
    pub(crate) fn restarts(&self) -> u32 {
        self.restarts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_up_to_the_longest_and_begins_anew_after_a_sound_run() {
        let mut backoff = Backoff::default();
        let waits: Vec<u128> = (0..9)
            .map(|_| backoff.after(Duration::from_secs(59)).as_millis())
            .collect();
        assert_eq!(
            waits,
            [250, 500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]
        );
        assert_eq!(backoff.after(SOUND_RUN), FIRST);
        assert_eq!(backoff.after(Duration::ZERO), FIRST * 2);
        assert_eq!(backoff.restarts(), 11);
    }

    #[test]
    fn never_overflows() {
        let mut backoff = Backoff {
            in_a_row: u32::MAX,
            restarts: u32::MAX,
        };
        assert_eq!(backoff.after(Duration::ZERO), LONGEST);
    }
}
