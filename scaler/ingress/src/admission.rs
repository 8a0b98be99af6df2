//! Which replica a request is admitted to, and its place there.

use std::sync::Arc;

use crate::replica::{Load, Replica};
use crate::table::Backend;

/// Up to how many replicas all are looked at for the one with the fewest requests. Of more, two are
/// looked at: that does nearly as well, and costs the same for any number (M. Mitzenmacher, "The
/// Power of Two Choices in Randomized Load Balancing", 2001).
const FEW: usize = 8;

/// A request's place on a replica. Dropped, it is free for the first request that waits for one.
#[derive(Debug)]
pub(crate) struct Admission {
    replica: Arc<Replica>,
    backend: Arc<Backend>,
}

impl Admission {
    /// The replica.
    pub(crate) fn replica(&self) -> &Arc<Replica> {
        &self.replica
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.replica.leave();
        let line = self.backend.meter.line();
        if line.waiting() > 0 {
            line.serve(&self.backend);
        }
    }
}

/// What may be of a request on the replica that it wants.
pub(crate) enum Wanted {
    /// It is admitted.
    Admitted(Admission),
    /// The replica has as many requests as it takes.
    Full,
    /// The replica is not there any more, or fails.
    Gone,
}

/// A place on the replica of `backend` with the identity `id`.
pub(crate) fn choose_wanted(backend: &Arc<Backend>, id: u64) -> Wanted {
    let mut replicas = backend.state.replicas().iter();
    let replica = replicas.find(|replica| replica.id() == id);
    let Some(replica) = replica.filter(|one| !one.is_closed() && !one.is_ejected()) else {
        return Wanted::Gone;
    };
    admit(backend, replica).map_or(Wanted::Full, Wanted::Admitted)
}

fn admit(backend: &Arc<Backend>, replica: &Arc<Replica>) -> Option<Admission> {
    let limit = backend.policy.max_concurrent_requests;
    replica.admit(limit).then(|| Admission {
        replica: Arc::clone(replica),
        backend: Arc::clone(backend),
    })
}

/// A place on the replica of `backend` with the fewest requests in flight, if any admits one; those
/// with equally few take turns as `turn` goes up. The one with the identity `avoid` is taken only if
/// no other admits requests.
pub(crate) fn choose(backend: &Arc<Backend>, turn: u64, avoid: Option<u64>) -> Option<Admission> {
    let replicas = backend.state.replicas();
    let limit = backend.policy.max_concurrent_requests;
    let load = |replica: &Arc<Replica>| {
        let load = replica.load(limit)?;
        Some((Some(replica.id()) == avoid, load))
    };
    if replicas.len() > FEW
        && let Some(replica) = better_of_two(replicas, turn, load)
        && let Some(admission) = admit(backend, replica)
    {
        return Some(admission);
    }
    let count = u64::try_from(replicas.len()).ok()?;
    let from = usize::try_from(turn.checked_rem(count)?).ok()?;
    let (before, from) = replicas.split_at(from);
    loop {
        let open = from.iter().chain(before);
        let open = open.filter_map(|replica| Some((load(replica)?, replica)));
        let (_, replica) = open.min_by_key(|(load, _)| *load)?;
        // It may have been closed or filled since; then the others are looked at.
        if let Some(admission) = admit(backend, replica) {
            return Some(admission);
        }
    }
}

/// The one with fewer requests of two that `turn` leads to; none unless both admit requests and
/// neither is to be avoided.
fn better_of_two(
    replicas: &[Arc<Replica>],
    turn: u64,
    load: impl Fn(&Arc<Replica>) -> Option<(bool, Load)>,
) -> Option<&Arc<Replica>> {
    let (first, second) = two_of(replicas.len(), turn);
    let (first, second) = (replicas.get(first)?, replicas.get(second)?);
    let (one, other) = (load(first)?, load(second)?);
    let better = if other < one { second } else { first };
    let is_good = |(avoided, load): (bool, Load)| !avoided && !load.is_ejected();
    (is_good(one) && is_good(other)).then_some(better)
}

/// Two different numbers below `count`, each pair equally often as `turn` goes up.
fn two_of(count: usize, turn: u64) -> (usize, usize) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    let bits = scramble(turn);
    let scale = |bits: u64, below: u32| {
        // The upper half of a product spreads 32 bits evenly over the numbers below a bound.
        let scaled = ((bits & u64::from(u32::MAX)) * u64::from(below)) >> 32;
        usize::try_from(scaled).unwrap_or_default()
    };
    let first = scale(bits, count);
    let second = scale(bits >> 32, count.saturating_sub(1));
    (first, second + usize::from(second >= first))
}

/// The output function of `SplitMix64` (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom
/// Number Generators", 2014): consecutive numbers become unlike ones.
fn scramble(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{BackendState, RevisionMeter, UpstreamProtocol};
    use ebbtide_core::name::{ReplicaName, RevisionName};
    use ebbtide_core::policy::RequestPolicy;
    use std::collections::BTreeMap;
    use std::net::SocketAddr;
    use std::num::{NonZeroU32, NonZeroUsize};

    /// A revision with this many replicas, each of which takes `limit` requests at a time; 0 is no limit.
    pub(crate) fn backend(replicas: usize, limit: u32) -> Arc<Backend> {
        let revision = RevisionName::parse("hello--v1").unwrap();
        let replicas = (0..replicas).map(|number| {
            let name = ReplicaName::new(&revision, &number.to_string());
            let address = SocketAddr::from(([127, 0, 0, 1], 1));
            Replica::new(name, address, UpstreamProtocol::Http1)
        });
        Arc::new(Backend {
            policy: Arc::new(RequestPolicy {
                max_concurrent_requests: NonZeroU32::new(limit),
                ..RequestPolicy::default()
            }),
            meter: RevisionMeter::new(NonZeroUsize::MIN),
            state: BackendState::Serving(replicas.collect()),
            revision,
        })
    }

    #[test]
    fn no_replica_gets_more_than_its_limit() {
        for count in [1, 3, 20] {
            let backend = backend(count, 2);
            let mut turn = 0..;
            let admitted: Vec<_> = turn
                .by_ref()
                .map_while(|turn| choose(&backend, turn, None))
                .collect();
            assert_eq!(admitted.len(), count * 2);
            let full = |replica: &Arc<Replica>| replica.in_flight() == 2;
            assert!(backend.state.replicas().iter().all(full));
        }
    }

    #[test]
    fn few_are_filled_evenly_and_many_nearly_so() {
        for (count, most) in [(5, 10), (100, 13)] {
            let backend = backend(count, 0);
            let requests = u64::try_from(count * 10).unwrap();
            let _admitted: Vec<_> = (0..requests)
                .map(|turn| choose(&backend, turn, None).unwrap())
                .collect();
            let loads = backend.state.replicas().iter().map(|one| one.in_flight());
            assert!(loads.max() <= Some(most), "{count}");
        }
    }

    #[test]
    fn one_to_be_avoided_or_closed_is_not_taken_while_there_is_another() {
        for count in [2, 20] {
            let backend = backend(count, 0);
            let avoided = &backend.state.replicas()[0];
            for closed in &backend.state.replicas()[2..] {
                closed.close();
            }
            let took: Vec<_> = (0..50)
                .map(|turn| choose(&backend, turn, Some(avoided.id())).unwrap())
                .collect();
            assert!(took.iter().all(|one| one.replica().id() != avoided.id()));
            backend.state.replicas()[1].close();
            let last = choose(&backend, 0, Some(avoided.id())).unwrap();
            assert_eq!(last.replica().id(), avoided.id());
        }
    }

    #[test]
    fn pairs_are_of_two_and_equally_frequent() {
        let mut times = BTreeMap::<_, u32>::new();
        for turn in 0..9_000 {
            let (one, other) = two_of(10, turn);
            assert!(one < 10 && other < 10 && one != other);
            *times.entry((one, other)).or_default() += 1;
        }
        // 100 times each on average. The sum is 90 on average, with a standard deviation of 13.
        let squares = times
            .values()
            .map(|times| (f64::from(*times) - 100.0).powi(2) / 100.0);
        assert_eq!(times.len(), 90);
        assert!(squares.sum::<f64>() < 150.0, "{times:?}");
    }
}
