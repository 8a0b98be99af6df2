//! How much a consumer group has left to do.

use crate::amount::{Amount, Flow};
use ebbtide_brokers::kafka::Partitions;

/// How the lags of partitions are added up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy {
    /// The lag of a partition in which nothing is committed.
    pub(super) uncommitted: Uncommitted,
    /// How many consumers there may be.
    pub(super) bound: Bound,
    /// Whether the lag of a partition does not count in which nothing is committed any more.
    pub(super) exclude_persistent: bool,
    /// The lag that one consumer is there for.
    pub(super) threshold: f64,
}

/// The lag of a partition in which nothing is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Uncommitted {
    /// One, so that a consumer comes, which begins after the last record and commits.
    One,
    /// All that is there, since consumers begin with the first record.
    All,
    /// None.
    Nothing,
}

/// How many consumers there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bound {
    /// As many as partitions.
    Partitions,
    /// As many as partitions that have a lag.
    WithLag,
    /// Only so many that all have equally many partitions.
    Divisor,
    /// Any number.
    None,
}

/// What all partitions come to.
#[derive(Default)]
struct Sum {
    /// The lag that counts.
    lag: f64,
    /// All lag, which wakes.
    all: f64,
    partitions: u32,
    with_lag: u32,
    ends: f64,
    done: f64,
}

/// The lag that follows of what is committed, now and before, and the ends of partitions.
pub(super) fn amount(
    policy: Policy,
    committed: &Partitions<i64>,
    ends: &Partitions<i64>,
    before: Option<&Partitions<i64>>,
) -> Amount {
    let of = |offsets: &Partitions<i64>, topic: &str, partition: i32| {
        let offset = offsets.get(topic)?.get(&partition).copied();
        offset.filter(|offset| *offset >= 0)
    };
    let mut sum = Sum::default();
    for (topic, ends) in ends {
        for (partition, end) in ends {
            let committed = of(committed, topic, *partition);
            let before = before.and_then(|before| of(before, topic, *partition));
            let is_stuck = policy.exclude_persistent && committed.is_some() && committed == before;
            sum.add(policy, *end, committed, is_stuck);
        }
    }
    Amount {
        value: policy.bounded(&sum),
        activity: Some(sum.all),
        in_process: None,
        arrivals: Some(Flow::Total(sum.ends)),
        completions: Some(Flow::Total(sum.done)),
    }
}

impl Sum {
    fn add(&mut self, policy: Policy, end: i64, committed: Option<i64>, is_stuck: bool) {
        let (lag, done) = match (committed, policy.uncommitted) {
            (Some(committed), _) => (end.saturating_sub(committed).max(0), committed),
            // What is before the place where consumers will begin is done with.
            (None, Uncommitted::All) => (end, 0),
            (None, Uncommitted::One) => (1, end),
            (None, Uncommitted::Nothing) => (0, end),
        };
        let lag = number(lag);
        self.partitions += 1;
        self.all += lag;
        self.ends += number(end);
        self.done += number(done);
        if !is_stuck {
            self.lag += lag;
            self.with_lag += u32::from(lag > 0.0);
        }
    }
}

impl Policy {
    /// The lag for no more consumers than can have something to do.
    fn bounded(self, sum: &Sum) -> f64 {
        let Sum {
            lag, partitions, ..
        } = *sum;
        let most = match self.bound {
            Bound::Partitions => partitions,
            Bound::WithLag => sum.with_lag,
            Bound::None => return lag,
            Bound::Divisor if lag > 0.0 => {
                let mut divisors = (1..=partitions).filter(|number| partitions % number == 0);
                let enough = divisors.find(|number| f64::from(*number) * self.threshold >= lag);
                return f64::from(enough.unwrap_or(partitions)) * self.threshold;
            }
            Bound::Divisor => return 0.0,
        };
        lag.min(f64::from(most) * self.threshold)
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no one tells apart lags that differ by a part in 2^53"
)]
fn number(offset: i64) -> f64 {
    offset as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Policy = Policy {
        uncommitted: Uncommitted::One,
        bound: Bound::Partitions,
        exclude_persistent: false,
        threshold: 10.0,
    };

    fn partitions(offsets: &[i64]) -> Partitions<i64> {
        let offsets = (0..).zip(offsets.iter().copied()).collect();
        Partitions::from([("orders".to_owned(), offsets)])
    }

    fn read(policy: Policy, committed: &[i64], ends: &[i64]) -> (f64, f64) {
        let amount = amount(policy, &partitions(committed), &partitions(ends), None);
        (amount.value, amount.activity.unwrap())
    }

    #[test]
    fn lags_are_added_up_to_as_many_consumers_as_there_are_partitions() {
        for (committed, ends, expected) in [
            (vec![], vec![], (0.0, 0.0)),
            (vec![5, 5], vec![5, 5], (0.0, 0.0)),
            (vec![0, 3], vec![4, 8], (9.0, 9.0)),
            // Two partitions, ten for each.
            (vec![0, 0], vec![30, 1], (20.0, 31.0)),
            // The topic has been made anew.
            (vec![9, 9], vec![0, 12], (3.0, 3.0)),
        ] {
            assert_eq!(read(PLAIN, &committed, &ends), expected, "{ends:?}");
        }
        let idle = Policy {
            bound: Bound::None,
            ..PLAIN
        };
        assert_eq!(read(idle, &[0, 0], &[30, 1]), (31.0, 31.0));
    }

    #[test]
    fn where_nothing_is_committed_the_policy_decides() {
        for (uncommitted, expected) in [
            (Uncommitted::One, 2.0),
            (Uncommitted::All, 7.0),
            (Uncommitted::Nothing, 0.0),
        ] {
            let policy = Policy {
                uncommitted,
                ..PLAIN
            };
            // A number below zero, or none.
            assert_eq!(read(policy, &[-1], &[4, 3]), (expected, expected));
        }
    }

    #[test]
    fn consumers_without_partitions_are_not_wanted() {
        let policy = Policy {
            bound: Bound::WithLag,
            ..PLAIN
        };
        assert_eq!(read(policy, &[0, 5, 5], &[50, 5, 6]), (20.0, 51.0));
        assert_eq!(read(policy, &[5, 5, 5], &[5, 5, 5]), (0.0, 0.0));
    }

    #[test]
    fn an_even_number_of_partitions_for_each_is_a_divisor() {
        let policy = Policy {
            bound: Bound::Divisor,
            ..PLAIN
        };
        for (lag, expected) in [
            (0, 0.0),
            (1, 10.0),
            (11, 20.0),
            (21, 30.0),
            (31, 60.0),
            (99, 60.0),
        ] {
            let ends = [lag, 0, 0, 0, 0, 0];
            let (value, _) = read(policy, &[0; 6], &ends);
            assert!((value - expected).abs() < f64::EPSILON, "{lag}: {value}");
        }
    }

    #[test]
    fn a_partition_that_is_stuck_wakes_and_does_not_count() {
        let policy = Policy {
            exclude_persistent: true,
            ..PLAIN
        };
        let (committed, ends) = (partitions(&[3, 4]), partitions(&[8, 8]));
        let before = partitions(&[3, 2]);
        let stuck = amount(policy, &committed, &ends, Some(&before));
        assert_eq!((stuck.value, stuck.activity), (4.0, Some(9.0)));
        let first = amount(policy, &committed, &ends, None);
        assert_eq!((first.value, first.activity), (9.0, Some(9.0)));
        let plain = amount(PLAIN, &committed, &ends, Some(&before));
        assert_eq!((plain.value, plain.activity), (9.0, Some(9.0)));
    }

    #[test]
    fn what_arrives_and_what_is_done_is_told_by_totals() {
        for (uncommitted, done) in [(Uncommitted::One, 11.0), (Uncommitted::All, 3.0)] {
            let policy = Policy {
                uncommitted,
                ..PLAIN
            };
            let read = amount(policy, &partitions(&[3, -1]), &partitions(&[8, 8]), None);
            assert_eq!(read.arrivals, Some(Flow::Total(16.0)));
            assert_eq!(read.completions, Some(Flow::Total(done)));
        }
    }
}
