//! Several schedules at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::schedule::Schedule;

/// The start times of several schedules, in order.
#[derive(Clone, Debug)]
pub(super) struct Merge {
    parts: Vec<Schedule>,
    /// The next start time of each part that has one, and which part that is.
    next: BinaryHeap<Reverse<(Duration, usize)>>,
}

impl Merge {
    pub(super) fn new(mut parts: Vec<Schedule>) -> Self {
        let first = parts.iter_mut().enumerate();
        let next = first
            .filter_map(|(part, schedule)| Some(Reverse((schedule.next()?, part))))
            .collect();
        Self { parts, next }
    }

    pub(super) fn next(&mut self) -> Option<Duration> {
        let Reverse((offset, part)) = self.next.pop()?;
        if let Some(following) = self.parts[part].next() {
            self.next.push(Reverse((following, part)));
        }
        Some(offset)
    }
}
