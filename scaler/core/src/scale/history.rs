//! The recommendations of the last while, for stabilization.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Timestamp;

/// A window is kept in this many slots.
const SLOTS: u32 = 512;

/// The recommendations of both stabilization windows, as the Kubernetes HPA keeps them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct History {
    /// What scaling in may not go below.
    pub(super) highest: RecentMax<u32>,
    /// What scaling out may not go above.
    pub(super) lowest: RecentMax<Reverse<u32>>,
}

impl History {
    /// As if `replicas` had been recommended at `now`, and nothing before.
    pub(super) fn starting_with(replicas: u32, now: Timestamp) -> Self {
        let mut history = Self::default();
        // The first decision's policy says for how long it counts.
        history.highest.note(now, replicas, Duration::MAX);
        history.lowest.note(now, Reverse(replicas), Duration::MAX);
        history
    }
}

/// The largest of the values noted within a window that slides: a queue of values that fall from
/// front to back, since one that is followed by a larger one can never be the largest again.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RecentMax<T> {
    entries: VecDeque<(Timestamp, T)>,
}

impl<T: Copy + Ord> RecentMax<T> {
    /// Notes `value`, and forgets what has left the window.
    ///
    /// Bounded: of the values within one slot only the largest is kept, with the time of the last,
    /// so it counts for up to a slot too long and never too short.
    pub(super) fn note(&mut self, now: Timestamp, value: T, window: Duration) {
        while self
            .entries
            .front()
            .is_some_and(|(at, _)| now.since(*at) >= window)
        {
            self.entries.pop_front();
        }
        while self
            .entries
            .back()
            .is_some_and(|(_, smaller)| *smaller <= value)
        {
            self.entries.pop_back();
        }
        match self.entries.back_mut() {
            Some((at, _)) if slot(*at, window) == slot(now, window) => *at = now.max(*at),
            Some((at, _)) => {
                let at = now.max(*at);
                self.entries.push_back((at, value));
            }
            None => self.entries.push_back((now, value)),
        }
    }

    /// The largest value noted within the last `window`.
    pub(super) fn largest(&self, now: Timestamp, window: Duration) -> Option<T> {
        let inside = |(at, _): &&(Timestamp, T)| now.since(*at) < window;
        self.entries.iter().find(inside).map(|(_, value)| *value)
    }

    /// The time until the last value of at least `bound` leaves the window; none if there is none.
    pub(super) fn remaining(&self, bound: T, now: Timestamp, window: Duration) -> Option<Duration> {
        let (at, _) = self
            .entries
            .iter()
            .rev()
            .find(|(_, value)| *value >= bound)?;
        Some(window.saturating_sub(now.since(*at))).filter(|left| !left.is_zero())
    }

    /// How many values are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

/// The slot of a window's history that `at` falls into.
fn slot(at: Timestamp, window: Duration) -> u128 {
    let width = (window / SLOTS).max(Duration::from_nanos(1));
    u128::from(at.as_nanos()) / width.as_nanos()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(300);

    #[test]
    fn a_value_counts_for_the_window_and_no_longer() {
        let mut recent = RecentMax::default();
        recent.note(Timestamp::from_secs(0), 9, WINDOW);
        recent.note(Timestamp::from_secs(100), 4, WINDOW);
        for (second, largest, remaining) in [(100, 9, 200), (299, 9, 1), (300, 4, 100)] {
            let now = Timestamp::from_secs(second);
            assert_eq!(recent.largest(now, WINDOW), Some(largest), "{second}");
            let left = recent.remaining(largest, now, WINDOW);
            assert_eq!(left, Some(Duration::from_secs(remaining)), "{second}");
        }
        assert_eq!(recent.largest(Timestamp::from_secs(400), WINDOW), None);
        assert_eq!(recent.remaining(4, Timestamp::from_secs(400), WINDOW), None);
    }

    #[test]
    fn the_lowest_is_the_largest_the_other_way_round() {
        let mut recent = RecentMax::default();
        for (second, value) in [(0, 5), (10, 2), (20, 7)] {
            recent.note(Timestamp::from_secs(second), Reverse(value), WINDOW);
        }
        let now = Timestamp::from_secs(20);
        assert_eq!(recent.largest(now, WINDOW), Some(Reverse(2)));
        assert_eq!(
            recent.largest(now, Duration::from_secs(10)),
            Some(Reverse(7))
        );
    }

    #[test]
    fn values_that_fall_forever_are_kept_in_bounds() {
        let mut recent = RecentMax::default();
        for (tenth, value) in (0..100_000_u64).zip((0..100_000_u32).rev()) {
            recent.note(Timestamp::from_millis(tenth * 100), value, WINDOW);
        }
        assert!(recent.len() <= 514, "{}", recent.len());
        let long = Duration::from_secs(1_000_000);
        for (second, value) in (10_000..1_000_000_u64).zip((0..1_000_000_u32).rev()) {
            recent.note(Timestamp::from_secs(second), value, long);
        }
        assert!(recent.len() <= 1_026, "{}", recent.len());
    }

    proptest! {
        #[test]
        fn it_is_the_largest_to_within_a_slot(
            steps in prop::collection::vec((0..400_u64, 0..50_u32), 1..400),
        ) {
            let mut recent = RecentMax::default();
            let mut noted = Vec::new();
            let mut now = Timestamp::ORIGIN;
            for (wait, value) in steps {
                now = now + Duration::from_millis(wait);
                let window = Duration::from_secs(20);
                recent.note(now, value, window);
                noted.push((now, value));
                let within = |span: Duration| {
                    let inside = |it: &&(Timestamp, u32)| now.since(it.0) < span;
                    noted.iter().filter(inside).map(|it| it.1).max()
                };
                let largest = recent.largest(now, window);
                prop_assert!(within(window) <= largest);
                prop_assert!(largest <= within(window + window / SLOTS));
            }
        }
    }
}
