//! One worker's share of the schedule.

use std::iter;
use std::time::Duration;

use ebbtide_core::arrival::Schedule;

/// Every n-th request of the schedule, as they become due.
pub(super) struct Arrivals {
    offsets: Box<dyn Iterator<Item = Duration>>,
    /// Of the next one.
    position: u64,
    step: u64,
    /// The first so many are sent as fast as can be.
    burst: u64,
    next: Option<Duration>,
    last: Option<Duration>,
}

/// A request that is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    /// In the run, from 0.
    pub(super) position: u64,
    pub(super) intended: Duration,
    /// It is of a burst, or intended at the same instant as the one before: it waits for those, which says nothing of
    /// the generator.
    pub(super) follows: bool,
}

/// What is to become due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Due(Due),
    /// Nothing before this time.
    At(Duration),
    /// Nothing more.
    Ended,
}

impl Arrivals {
    /// The part of worker `worker` of `workers`, both from 0.
    pub(super) fn new(
        burst: u64,
        schedule: Option<Schedule>,
        worker: usize,
        workers: usize,
    ) -> Self {
        let at_once = (0..burst).map(|_| Duration::ZERO);
        let offsets = at_once.chain(schedule.into_iter().flatten());
        let mut offsets = offsets.skip(worker).step_by(workers);
        Self {
            next: offsets.next(),
            offsets: Box::new(offsets),
            position: worker as u64,
            step: workers as u64,
            burst,
            last: None,
        }
    }

    /// Takes the next one if it is due.
    pub(super) fn take(&mut self, now: Duration) -> Next {
        let Some(intended) = self.next else {
            return Next::Ended;
        };
        if intended > now {
            return Next::At(intended);
        }
        let due = Due {
            position: self.position,
            intended,
            follows: self.position < self.burst || self.last == Some(intended),
        };
        self.next = self.offsets.next();
        self.position += self.step;
        self.last = Some(intended);
        Next::Due(due)
    }

    /// Nothing more becomes due.
    pub(super) fn end(&mut self) {
        self.next = None;
        self.offsets = Box::new(iter::empty());
    }
}

#[cfg(test)]
mod tests {
    use ebbtide_core::arrival::Arrival;

    use super::*;

    fn schedule() -> Option<Schedule> {
        Schedule::new(Arrival::Constant, 10.0, Duration::from_millis(450), 0).ok()
    }

    fn all(arrivals: &mut Arrivals, now: Duration) -> Vec<(u64, u128, bool)> {
        let taken = iter::from_fn(|| match arrivals.take(now) {
            Next::Due(due) => Some((due.position, due.intended.as_millis(), due.follows)),
            _ => None,
        });
        taken.collect()
    }

    #[test]
    fn what_is_due_is_given_out_and_no_more() {
        let mut arrivals = Arrivals::new(2, schedule(), 0, 1);
        let first = all(&mut arrivals, Duration::from_millis(150));
        assert_eq!(
            first,
            [(0, 0, true), (1, 0, true), (2, 0, true), (3, 100, false)]
        );
        let now = Duration::from_millis(150);
        assert_eq!(arrivals.take(now), Next::At(Duration::from_millis(200)));
        let rest = all(&mut arrivals, Duration::from_secs(9));
        assert_eq!(rest.len(), 3);
        assert_eq!(arrivals.take(now), Next::Ended);
    }

    #[test]
    fn workers_have_all_of_the_schedule_between_them() {
        let mut together: Vec<_> = (0..3)
            .flat_map(|worker| {
                let mut arrivals = Arrivals::new(2, schedule(), worker, 3);
                all(&mut arrivals, Duration::from_secs(9))
            })
            .map(|(position, intended, _)| (position, intended))
            .collect();
        together.sort_unstable();
        let expected = [
            (0, 0),
            (1, 0),
            (2, 0),
            (3, 100),
            (4, 200),
            (5, 300),
            (6, 400),
        ];
        assert_eq!(together, expected);
    }

    #[test]
    fn a_schedule_can_be_ended() {
        let mut arrivals = Arrivals::new(5, None, 0, 1);
        assert!(matches!(arrivals.take(Duration::ZERO), Next::Due(_)));
        arrivals.end();
        assert_eq!(arrivals.take(Duration::from_secs(1)), Next::Ended);
    }
}
