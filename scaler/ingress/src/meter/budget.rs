//! How many requests may be sent again.

use std::sync::atomic::{AtomicU64, Ordering};

use ebbtide_core::time::Timestamp;

/// A retry, in thousandths of one.
const A_RETRY: u64 = 1000;

/// What a request adds to the budget, in thousandths of a retry.
const A_REQUEST: u64 = 200;

/// What a second adds to the budget, in thousandths of a retry.
const A_SECOND: u64 = 1000;

/// What can be saved up, in thousandths of a retry.
const MOST: u64 = 10_000;

/// A budget of retries: one for every five requests, and one a second so that an app with few requests
/// has some too. So an app that fails every request gets a fifth more of them and not twice as many. The
/// idea is that of Finagle's retry budgets. Reckoned when somebody asks, so that other requests need not
/// know of it; one thread writes to it.
#[derive(Default)]
pub(super) struct RetryBudget {
    spent: AtomicU64,
    /// What it was short of the most when it was last asked for, in thousandths: it begins full.
    missing: AtomicU64,
    /// The requests by then.
    requests: AtomicU64,
    /// When that was, in nanoseconds of the clock.
    at_nanos: AtomicU64,
}

impl RetryBudget {
    /// Retries so far.
    pub(super) fn spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    /// Takes a retry from the budget at `now`, when there have been this many requests. Says whether
    /// there was one.
    pub(super) fn spend(&self, requests: u64, now: Timestamp) -> bool {
        let now = now.as_nanos();
        let new_requests = requests.saturating_sub(self.requests.load(Ordering::Relaxed));
        let nanos = now.saturating_sub(self.at_nanos.load(Ordering::Relaxed));
        let by_time = u128::from(nanos) * u128::from(A_SECOND) / 1_000_000_000;
        let more = u64::try_from(by_time).unwrap_or(MOST);
        let more = more.saturating_add(new_requests.saturating_mul(A_REQUEST));
        let missing = self.missing.load(Ordering::Relaxed).saturating_sub(more);
        self.requests.store(requests, Ordering::Relaxed);
        self.at_nanos.store(now, Ordering::Relaxed);
        if missing + A_RETRY > MOST {
            self.missing.store(missing, Ordering::Relaxed);
            return false;
        }
        self.missing.store(missing + A_RETRY, Ordering::Relaxed);
        super::add(&self.spent, 1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spend_all(budget: &RetryBudget, requests: u64, now: Timestamp) -> usize {
        (0..1000)
            .take_while(|_| budget.spend(requests, now))
            .count()
    }

    #[test]
    fn a_fifth_of_the_requests_and_one_a_second_up_to_ten_at_once() {
        let budget = RetryBudget::default();
        let second = Timestamp::from_secs;
        assert_eq!(spend_all(&budget, 1, second(1)), 10);
        assert_eq!(spend_all(&budget, 11, second(1)), 2);
        assert_eq!(spend_all(&budget, 11, second(4)), 3);
        assert_eq!(spend_all(&budget, 10_000, second(4)), 10);
        assert_eq!(budget.spent(), 25);
    }

    #[test]
    fn a_clock_that_goes_back_adds_nothing() {
        let budget = RetryBudget::default();
        assert_eq!(spend_all(&budget, 0, Timestamp::from_secs(50)), 10);
        assert_eq!(spend_all(&budget, 0, Timestamp::from_secs(20)), 0);
    }
}
