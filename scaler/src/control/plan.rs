//! Which replicas to start and which to let go, so that as many as decided remain.

use ebbtide_core::name::ReplicaName;

use super::replica::{ReplicaControl, ReplicaState};

/// What to do about the replicas of a revision.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    /// How many to start.
    pub(super) start: usize,
    /// Which to let go.
    pub(super) stop: Vec<ReplicaName>,
}

/// Plans the way from `replicas` to `desired` replicas of the present `generation`.
///
/// Replicas of an earlier generation (from before a restart was asked for) go one by one as new
/// ones become ready, so that there are never fewer ready ones than before.
pub(super) fn plan<'a>(
    replicas: impl Iterator<Item = &'a ReplicaControl>,
    desired: usize,
    generation: u64,
) -> Plan {
    let live = replicas.filter(|replica| replica.is_live());
    let (mut present, earlier): (Vec<_>, Vec<_>) =
        live.partition(|replica| replica.generation == generation);
    let start = desired.saturating_sub(present.len());
    let surplus = present.len().saturating_sub(desired);
    present.sort_by_key(|replica| worth(replica));
    let mut stop: Vec<ReplicaName> = names(&present[..surplus]);
    let ready = present[surplus..]
        .iter()
        .filter(|replica| replica.is_ready())
        .count();
    stop.extend(outdated(earlier, desired.saturating_sub(ready)));
    Plan { start, stop }
}

/// Those of an earlier generation that are not needed to make up for `missing` ready ones.
fn outdated(earlier: Vec<&ReplicaControl>, missing: usize) -> Vec<ReplicaName> {
    let (mut ready, unready): (Vec<_>, Vec<_>) =
        earlier.into_iter().partition(|replica| replica.is_ready());
    ready.sort_by_key(|replica| worth(replica));
    let surplus = ready.len().saturating_sub(missing);
    let mut stop = names(&unready);
    stop.extend(names(&ready[..surplus]));
    stop
}

/// Replicas are let go in this order: the least useful, least busy and youngest first.
fn worth(replica: &ReplicaControl) -> (u8, u32, std::cmp::Reverse<u64>) {
    let usefulness = match replica.state {
        ReplicaState::Draining | ReplicaState::Stopping | ReplicaState::Backoff => 0,
        ReplicaState::Starting => 1,
        ReplicaState::NotReady => 2,
        ReplicaState::Ready => 3,
    };
    let in_flight = replica
        .endpoint
        .as_ref()
        .map_or(0, |endpoint| endpoint.in_flight());
    (
        usefulness,
        in_flight,
        std::cmp::Reverse(replica.started.as_nanos()),
    )
}

fn names(replicas: &[&ReplicaControl]) -> Vec<ReplicaName> {
    replicas
        .iter()
        .map(|replica| replica.name.clone())
        .collect()
}

#[cfg(test)]
mod tests {
    use ebbtide_core::name::RevisionName;
    use ebbtide_core::time::Timestamp;
    use ebbtide_ingress::UpstreamProtocol;

    use super::*;

    fn replicas(states: &[(&str, ReplicaState, u64)]) -> Vec<ReplicaControl> {
        let revision = RevisionName::parse("hello--v1").unwrap();
        let make = |(place, (id, state, generation)): (usize, &(&str, ReplicaState, u64))| {
            let name = ReplicaName::new(&revision, id);
            let started = Timestamp::from_secs(place as u64);
            let mut replica =
                ReplicaControl::starting(name, *generation, UpstreamProtocol::Http1, started);
            replica.state = *state;
            replica
        };
        states.iter().enumerate().map(make).collect()
    }

    #[test]
    fn plans() {
        use ReplicaState::{Backoff, Draining, NotReady, Ready, Starting};
        type Case<'a> = (
            &'a [(&'a str, ReplicaState, u64)],
            usize,
            usize,
            &'a [&'a str],
        );
        let cases: &[Case<'_>] = &[
            (&[], 3, 3, &[]),
            (&[("a", Ready, 0)], 1, 0, &[]),
            (&[("a", Draining, 0)], 1, 1, &[]),
            // The youngest of equals goes, and whatever is less useful goes before it.
            (&[("a", Ready, 0), ("b", Ready, 0)], 1, 0, &["b"]),
            (&[("a", Backoff, 0), ("b", Ready, 0)], 1, 0, &["a"]),
            (
                &[("a", Starting, 0), ("b", NotReady, 0), ("c", Ready, 0)],
                1,
                0,
                &["a", "b"],
            ),
            (&[("a", Ready, 0), ("b", Ready, 0)], 0, 0, &["b", "a"]),
        ];
        for (given, desired, start, stop) in cases {
            check(given, *desired, 0, *start, stop);
        }
    }

    #[test]
    fn a_restart_replaces_ready_replicas_as_new_ones_become_ready() {
        use ReplicaState::{Ready, Starting};
        let (old_a, old_b) = (("a", Ready, 0), ("b", Ready, 0));
        check(&[old_a, old_b], 2, 1, 2, &[]);
        check(
            &[old_a, old_b, ("c", Starting, 1), ("d", Starting, 1)],
            2,
            1,
            0,
            &[],
        );
        check(
            &[old_a, old_b, ("c", Ready, 1), ("d", Starting, 1)],
            2,
            1,
            0,
            &["b"],
        );
        check(&[old_a, ("c", Ready, 1), ("d", Ready, 1)], 2, 1, 0, &["a"]);
        check(&[("a", Starting, 0)], 1, 1, 1, &["a"]);
    }

    fn check(
        given: &[(&str, ReplicaState, u64)],
        desired: usize,
        generation: u64,
        start: usize,
        stop: &[&str],
    ) {
        let replicas = replicas(given);
        let plan = plan(replicas.iter(), desired, generation);
        let prefix = "hello--v1-";
        let stopped: Vec<&str> = plan
            .stop
            .iter()
            .filter_map(|name| name.as_str().strip_prefix(prefix))
            .collect();
        assert_eq!(
            (plan.start, stopped.as_slice()),
            (start, stop),
            "{given:?} to {desired}"
        );
    }
}
