//! Arrivals as they were recorded.

use std::sync::Arc;
use std::time::Duration;

use super::random::Random;

const SECOND: Duration = Duration::from_secs(1);

/// Recorded arrivals, cropped and in the time in which they are played.
#[derive(Clone, Debug)]
pub(super) struct Replay {
    /// In order, each before the end.
    pub(super) times: Arc<[Duration]>,
    pub(super) duration: Duration,
    /// How often each is played on average; what is not whole is drawn.
    pub(super) repeat: f64,
}

impl Replay {
    pub(super) fn expected(&self) -> f64 {
        count(&self.times) * self.repeat
    }

    /// What there is in the second of the recording in which `offset` is, over that second.
    pub(super) fn rate_at(&self, offset: Duration) -> f64 {
        let start = Duration::from_secs(offset.as_secs());
        let end = start.saturating_add(SECOND).min(self.duration);
        let before = |at: Duration| self.times.partition_point(|time| *time < at);
        let seen = count(&self.times[before(start)..before(end)]);
        match end.saturating_sub(start).as_secs_f64() {
            0.0 => 0.0,
            length => seen * self.repeat / length,
        }
    }

    pub(super) fn play(&self, seed: u64) -> Replaying {
        Replaying {
            times: Arc::clone(&self.times),
            next: 0,
            repeat: self.repeat,
            left: None,
            random: Random::new(seed),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact for 2^53 arrivals")]
fn count(times: &[Duration]) -> f64 {
    times.len() as f64
}

/// The start times of recorded arrivals.
#[derive(Clone, Debug)]
pub(super) struct Replaying {
    times: Arc<[Duration]>,
    next: usize,
    repeat: f64,
    /// How often the next is still to be played, once that was drawn.
    left: Option<f64>,
    random: Random,
}

impl Replaying {
    pub(super) fn next(&mut self) -> Option<Duration> {
        loop {
            let time = *self.times.get(self.next)?;
            let left = self.left.take().unwrap_or_else(|| self.draw());
            if left >= 1.0 {
                self.left = Some(left - 1.0);
                return Some(time);
            }
            self.next += 1;
        }
    }

    fn draw(&mut self) -> f64 {
        let whole = self.repeat.floor();
        let more = whole < self.repeat && self.random.uniform() < self.repeat - whole;
        whole + f64::from(u8::from(more))
    }
}
