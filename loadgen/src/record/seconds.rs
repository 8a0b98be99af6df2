//! The seconds of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::{CreationError, Histogram};

use super::recording::{SecondTally, SecondTimes, Times};
use super::tally::record;

/// The seconds so far. Response times are collected in one histogram, which is packed as soon as its second is over.
#[derive(Debug)]
pub(super) struct Seconds {
    all: Vec<SecondTally>,
    /// The second whose response times are being collected, and they.
    collecting: usize,
    times: Times,
}

impl Seconds {
    pub(super) fn new() -> Result<Self, CreationError> {
        Ok(Self {
            all: Vec::new(),
            collecting: 0,
            times: Histogram::new(2)?,
        })
    }

    /// The second in which this is.
    pub(super) fn at(&mut self, time: Duration) -> &mut SecondTally {
        let position = position(time);
        if position >= self.all.len() {
            self.all.resize_with(position + 1, SecondTally::default);
        }
        &mut self.all[position]
    }

    /// Records the response time of what ended then.
    pub(super) fn respond(&mut self, ended: Duration, response: Duration) {
        let position = position(ended);
        if position != self.collecting {
            self.pack();
            self.collecting = position;
        }
        record(&mut self.times, response);
    }

    fn pack(&mut self) {
        if self.times.is_empty() {
            return;
        }
        let packed = SecondTimes::of(&self.times);
        self.times.reset();
        let second = self.at(Duration::from_secs(self.collecting as u64));
        second.response.get_or_insert_default().add(&packed);
    }

    /// All from a position on, so far.
    pub(super) fn since(&self, position: usize) -> Vec<SecondTally> {
        let mut since = self.all.get(position..).unwrap_or_default().to_vec();
        let collecting = self.collecting.checked_sub(position);
        if let Some(second) = collecting.and_then(|at| since.get_mut(at))
            && !self.times.is_empty()
        {
            let packed = SecondTimes::of(&self.times);
            second.response.get_or_insert_default().add(&packed);
        }
        since
    }

    /// All of them, at the end.
    pub(super) fn finish(&mut self) -> Vec<SecondTally> {
        self.pack();
        std::mem::take(&mut self.all)
    }
}

fn position(time: Duration) -> usize {
    usize::try_from(time.as_secs()).unwrap_or(usize::MAX - 1)
}

/// Adds seconds to seconds, from a position on.
pub(crate) fn add_seconds(seconds: &mut Vec<SecondTally>, others: &[SecondTally]) {
    if seconds.len() < others.len() {
        seconds.resize_with(others.len(), SecondTally::default);
    }
    for (second, other) in seconds.iter_mut().zip(others) {
        second.offered += other.offered;
        second.sent += other.sent;
        second.succeeded += other.succeeded;
        second.failed += other.failed;
        second.cold_starts += other.cold_starts;
        if let Some(times) = &other.response {
            second.response.get_or_insert_default().add(times);
        }
    }
}

impl SecondTimes {
    fn of(times: &Times) -> Self {
        let buckets = times.iter_recorded();
        let of_value = |value| (times.highest_equivalent(value), times.count_at(value));
        Self {
            buckets: buckets
                .map(|found| of_value(found.value_iterated_to()))
                .collect(),
        }
    }

    /// Adds the counts of others, bucket by bucket.
    pub(crate) fn add(&mut self, other: &Self) {
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
            return;
        }
        let mut sum: BTreeMap<u64, u64> = self.buckets.iter().copied().collect();
        for (value, count) in &other.buckets {
            *sum.entry(*value).or_default() += count;
        }
        self.buckets = sum.into_iter().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn counts(second: &SecondTally) -> Vec<(u64, u64)> {
        let times = second.response.as_deref();
        times.map_or(Vec::new(), |times| times.buckets.clone())
    }

    #[test]
    fn each_second_keeps_the_times_of_what_ended_in_it() {
        let mut seconds = Seconds::new().unwrap();
        for (ended, response) in [(100, 1), (900, 1), (999, 7), (2100, 1)] {
            seconds.at(millis(ended)).succeeded += 1;
            seconds.respond(millis(ended), millis(response));
        }
        let so_far = seconds.since(1);
        assert_eq!(so_far.len(), 2);
        assert_eq!(counts(&so_far[0]), []);
        assert_eq!(counts(&so_far[1]), [(1003, 1)]);
        let all = seconds.finish();
        assert_eq!(counts(&all[0]), [(1003, 2), (7007, 1)]);
        assert_eq!(counts(&all[2]), [(1003, 1)]);
        assert_eq!((all[0].succeeded, all[1].succeeded), (3, 0));
    }

    #[test]
    fn seconds_add_up_exactly() {
        let of = |ended: &[(u64, u64)]| {
            let mut seconds = Seconds::new().unwrap();
            for (ended, response) in ended {
                seconds.at(millis(*ended)).sent += 1;
                seconds.respond(millis(*ended), millis(*response));
            }
            seconds.finish()
        };
        let mut sum = of(&[(10, 5), (20, 50)]);
        add_seconds(&mut sum, &of(&[(10, 5), (1020, 500)]));
        let together = of(&[(10, 5), (10, 5), (20, 50), (1020, 500)]);
        assert_eq!(sum.len(), together.len());
        for (one, other) in sum.iter().zip(&together) {
            assert_eq!(counts(one), counts(other));
            assert_eq!(one.sent, other.sent);
        }
    }

    #[test]
    fn what_comes_back_to_an_earlier_second_is_kept_there() {
        let mut seconds = Seconds::new().unwrap();
        for ended in [100, 1100, 200] {
            seconds.at(millis(ended));
            seconds.respond(millis(ended), millis(1));
        }
        let all = seconds.finish();
        assert_eq!(counts(&all[0]), [(1003, 2)]);
        assert_eq!(counts(&all[1]), [(1003, 1)]);
    }
}
