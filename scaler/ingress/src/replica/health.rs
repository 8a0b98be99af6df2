//! How a replica fares: whether it fails one request after the other, and whether it is still warming
//! up. Both say that another one is better; where there is no other, it is taken all the same.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ebbtide_core::time::Timestamp;

use super::Replica;

/// For how long a replica is ejected the first time; the second time in a row twice as long, and so on.
const EJECTION: Duration = Duration::from_secs(10);

/// For how long a replica is ejected at most.
const LONGEST_EJECTION: Duration = Duration::from_secs(300);

/// Percent of its share that a replica gets when it begins to warm up.
const COLD: u32 = 10;

/// Percent of its share that a warm replica gets.
const WARM: u32 = 100;

/// How a replica fares. Written with relaxed order: a request more or less that sees it is no harm.
#[derive(Debug)]
pub(super) struct Health {
    /// Requests failed since the last one that did not.
    failures: AtomicU32,
    /// Times it was ejected since.
    ejections: AtomicU32,
    /// Until when it is ejected, in nanoseconds of the clock; 0 if it is not.
    ejected_until: AtomicU64,
    /// Percent of its share that it gets.
    warmth: AtomicU32,
    /// When it began to warm up, 0 if nobody has looked yet, and how long that takes, in nanoseconds.
    warms_since: AtomicU64,
    warms_for: AtomicU64,
}

impl Health {
    pub(super) const fn new() -> Self {
        Self {
            failures: AtomicU32::new(0),
            ejections: AtomicU32::new(0),
            ejected_until: AtomicU64::new(0),
            warmth: AtomicU32::new(WARM),
            warms_since: AtomicU64::new(0),
            warms_for: AtomicU64::new(0),
        }
    }

    pub(super) fn is_ejected(&self) -> bool {
        self.ejected_until.load(Ordering::Relaxed) != 0
    }

    /// What `load` is worth on a replica that gets less than its share.
    pub(super) fn weigh(&self, load: u32) -> u64 {
        let load = u64::from(load) + 1;
        load * u64::from(WARM) / u64::from(self.warmth.load(Ordering::Relaxed).max(1))
    }

    pub(super) fn succeeded(&self) {
        // Nearly always there is nothing to forget, and the cache line stays shared.
        if self.failures.load(Ordering::Relaxed) != 0 {
            self.failures.store(0, Ordering::Relaxed);
            self.ejections.store(0, Ordering::Relaxed);
        }
    }

    /// Counts a failed request and says how many there were in a row.
    pub(super) fn failed(&self) -> u32 {
        self.failures
            .fetch_add(1, Ordering::Relaxed)
            .saturating_add(1)
    }

    fn eject(&self, now: Timestamp) -> Duration {
        let times = self.ejections.fetch_add(1, Ordering::Relaxed);
        let long = EJECTION.saturating_mul(times.saturating_add(1));
        let long = long.min(LONGEST_EJECTION);
        let until = (now + long).as_nanos().max(1);
        self.ejected_until.store(until, Ordering::Relaxed);
        long
    }

    fn warm_up(&self, long: Duration) {
        let nanos = u64::try_from(long.as_nanos()).unwrap_or(u64::MAX);
        self.warms_since.store(0, Ordering::Relaxed);
        self.warms_for.store(nanos, Ordering::Relaxed);
        self.warmth.store(COLD, Ordering::Relaxed);
    }

    /// Takes it back, or lets it have more, when that is due. Says whether more is to come.
    fn tick(&self, now: Timestamp) -> bool {
        let now = now.as_nanos();
        let until = self.ejected_until.load(Ordering::Relaxed);
        if until != 0 && until <= now {
            self.ejected_until.store(0, Ordering::Relaxed);
        }
        if self.warmth.load(Ordering::Relaxed) < WARM {
            // The first look is when it begins.
            if self.warms_since.load(Ordering::Relaxed) == 0 {
                self.warms_since.store(now.max(1), Ordering::Relaxed);
            }
            let long = u128::from(self.warms_for.load(Ordering::Relaxed).max(1));
            let passed = now.saturating_sub(self.warms_since.load(Ordering::Relaxed));
            let more = u128::from(passed) * u128::from(WARM - COLD) / long;
            let warmth = u32::try_from(more).map_or(WARM, |more| more.saturating_add(COLD));
            self.warmth.store(warmth.min(WARM), Ordering::Relaxed);
        }
        self.is_ejected() || self.warmth.load(Ordering::Relaxed) < WARM
    }
}

/// The replicas that time makes better. Whichever worker looks at the time takes care of them, so that
/// none is forgotten with a worker that ends.
#[derive(Default)]
pub(crate) struct Recovery {
    replicas: Mutex<Vec<Arc<Replica>>>,
    /// How many there are, to be read without the lock.
    count: AtomicU32,
}

impl Recovery {
    /// Ejects a replica that has failed `limit` requests in a row, unless half of `all` would be
    /// ejected then: so many do not fail for reasons of their own. Says for how long.
    pub(crate) fn eject(
        &self,
        replica: &Arc<Replica>,
        all: &[Arc<Replica>],
        now: Timestamp,
    ) -> Option<Duration> {
        let ejected = all.iter().filter(|one| one.is_ejected()).count();
        if replica.is_ejected() || (ejected + 1) * 2 > all.len() {
            return None;
        }
        let long = replica.health.eject(now);
        self.add(replica);
        Some(long)
    }

    /// Lets a replica that is new warm up for this long.
    pub(crate) fn warm_up(&self, replica: &Arc<Replica>, long: Duration) {
        replica.health.warm_up(long);
        self.add(replica);
    }

    /// Looks what is due.
    pub(crate) fn tick(&self, now: Timestamp) {
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut replicas = self.replicas.lock().unwrap_or_else(PoisonError::into_inner);
        replicas.retain(|replica| replica.health.tick(now) && !replica.is_closed());
        self.set_count(&replicas);
    }

    fn add(&self, replica: &Arc<Replica>) {
        let mut replicas = self.replicas.lock().unwrap_or_else(PoisonError::into_inner);
        if !replicas.iter().any(|one| Arc::ptr_eq(one, replica)) {
            replicas.push(Arc::clone(replica));
        }
        self.set_count(&replicas);
    }

    fn set_count(&self, replicas: &[Arc<Replica>]) {
        let count = u32::try_from(replicas.len()).unwrap_or(u32::MAX);
        self.count.store(count, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UpstreamProtocol;
    use ebbtide_core::name::{ReplicaName, RevisionName};
    use std::net::SocketAddr;

    fn replicas(count: usize) -> Vec<Arc<Replica>> {
        let revision = RevisionName::parse("hello--v1").unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 1));
        let replica = |number: usize| {
            let name = ReplicaName::new(&revision, &number.to_string());
            Replica::new(name, address, UpstreamProtocol::Http1)
        };
        (0..count).map(replica).collect()
    }

    #[test]
    fn at_most_half_are_ejected_and_each_comes_back_after_its_time() {
        let second = Timestamp::from_secs;
        let recovery = Recovery::default();
        let all = replicas(3);
        assert_eq!(recovery.eject(&all[0], &all, second(1)), Some(EJECTION));
        assert_eq!(recovery.eject(&all[0], &all, second(1)), None);
        assert_eq!(recovery.eject(&all[1], &all, second(1)), None);
        recovery.tick(second(10));
        assert!(all[0].is_ejected());
        recovery.tick(second(11));
        assert!(!all[0].is_ejected());
        assert_eq!(recovery.count.load(Ordering::Relaxed), 0);
        let twice = Some(EJECTION * 2);
        assert_eq!(recovery.eject(&all[0], &all, second(20)), twice);
        recovery.tick(second(40));
        all[0].health.failed();
        all[0].health.succeeded();
        assert_eq!(recovery.eject(&all[0], &all, second(50)), Some(EJECTION));
    }

    #[test]
    fn the_only_replica_is_never_ejected() {
        let all = replicas(1);
        let recovery = Recovery::default();
        assert_eq!(recovery.eject(&all[0], &all, Timestamp::ORIGIN), None);
    }

    #[test]
    fn a_new_replica_gets_more_and_more() {
        let all = replicas(1);
        let recovery = Recovery::default();
        recovery.warm_up(&all[0], Duration::from_secs(90));
        let mut weights = Vec::new();
        for seconds in [100, 110, 145, 190] {
            recovery.tick(Timestamp::from_secs(seconds));
            weights.push(all[0].health.weigh(9));
        }
        assert_eq!(weights, [100, 50, 18, 10]);
        assert_eq!(recovery.count.load(Ordering::Relaxed), 0);
    }
}
