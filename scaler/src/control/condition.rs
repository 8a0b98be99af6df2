//! How the replicas of a revision fare: how many are ready, and whether any can start.

use ebbtide_core::app::Failure;
use ebbtide_ingress::BackendState;

use super::counters::Counters;
use super::replica::{ReplicaControl, ReplicaState};
use super::revision::RevisionControl;
use crate::api::model::ReplicaCounts;

impl RevisionControl {
    /// How many replicas may get requests.
    pub(super) fn ready(&self) -> u32 {
        if let Counters::Reported(meter) = &self.meter {
            return meter.ready();
        }
        count(
            self.replicas
                .values()
                .filter(|replica| replica.is_ready())
                .count(),
        )
    }

    /// Replicas by state, `desired` as decided.
    pub(super) fn replica_counts(&self, desired: u32) -> ReplicaCounts {
        let with = |wanted: &[ReplicaState]| {
            count(
                self.replicas
                    .values()
                    .filter(|one| wanted.contains(&one.state))
                    .count(),
            )
        };
        if let Counters::Reported(meter) = &self.meter {
            let ready = meter.ready();
            return ReplicaCounts {
                desired,
                ready,
                starting: desired.saturating_sub(ready),
                draining: 0,
            };
        }
        ReplicaCounts {
            desired,
            ready: with(&[ReplicaState::Ready]),
            starting: with(&[
                ReplicaState::Starting,
                ReplicaState::Backoff,
                ReplicaState::NotReady,
            ]),
            draining: with(&[ReplicaState::Draining, ReplicaState::Stopping]),
        }
    }

    /// What the ingress is to do with its requests: forward, hold, or say why not.
    pub(super) fn backend_state(&self) -> BackendState {
        let ready = self.replicas.values().filter(|replica| replica.is_ready());
        let endpoints: Vec<_> = ready
            .filter_map(|replica| replica.endpoint.clone())
            .collect();
        match &self.failure {
            Some(failure) if endpoints.is_empty() => BackendState::Failed {
                because: failure.because().to_owned(),
            },
            _ => BackendState::Serving(endpoints),
        }
    }

    /// Sets or clears the reason why its replicas cannot start, from what they do: it stands while
    /// none is ready, and one failed to start and waits to be started again, or was refused. One
    /// that ended after it had been ready is no such reason: requests wait for its next run.
    pub(super) fn observe_failure(&mut self) {
        let live = || self.replicas.values().filter(|replica| replica.is_live());
        if live().any(ReplicaControl::is_ready) {
            self.failure = None;
            return;
        }
        let refused = self.refused.as_ref();
        let refused = refused.map(|refused| Failure::Refused(refused.because.clone()));
        let crashed = || {
            let failed =
                live().find(|one| one.state == ReplicaState::Backoff && one.failed_to_start);
            failed.and_then(|replica| replica.because.clone().map(Failure::Crashed))
        };
        if let Some(failure) = refused.or_else(crashed) {
            self.failure = Some(failure);
        } else if live().next().is_none() {
            self.failure = None;
        }
    }
}

/// A number of replicas, of which there are at most a thousand or so.
fn count(replicas: usize) -> u32 {
    u32::try_from(replicas).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebbtide_core::time::Timestamp;
    use ebbtide_runtime::ReplicaEventKind;

    use super::super::fixtures::{self, HELLO, backoff, ready, started};
    use super::super::revision::Refused;
    use super::*;

    /// What the ingress is told, in a word.
    fn backend(one: &RevisionControl) -> String {
        match one.backend_state() {
            BackendState::Serving(replicas) => format!("{} ready", replicas.len()),
            BackendState::Failed { because } => because,
        }
    }

    #[test]
    fn a_failure_stands_until_a_replica_is_ready_or_none_is_left() {
        let mut one = fixtures::revision(&[("a", ReplicaState::Starting)]);
        let not_ready = ReplicaEventKind::NotReady {
            because: "probe".to_owned(),
        };
        let steps: [(ReplicaEventKind, &str); 10] = [
            (started(1), "0 ready"),
            (backoff("exit 1", 1), "exit 1"),
            (started(1), "exit 1"),
            (backoff("exit 2", 2), "exit 2"),
            (started(2), "exit 2"),
            (ready(), "1 ready"),
            (not_ready, "0 ready"),
            (backoff("exit 3", 3), "0 ready"),
            (started(3), "0 ready"),
            (backoff("exit 4", 4), "exit 4"),
        ];
        for (step, (kind, expected)) in steps.into_iter().enumerate() {
            fixtures::replica_of(&mut one, "a").observe(&kind, Timestamp::ORIGIN);
            one.observe_failure();
            assert_eq!(backend(&one), expected, "step {step}");
        }
        fixtures::replica_of(&mut one, "a").state = ReplicaState::Draining;
        one.observe_failure();
        assert_eq!((backend(&one).as_str(), one.failure), ("0 ready", None));
    }

    #[test]
    fn a_crash_loop_is_told_once_and_its_end_when_a_run_has_lasted() {
        let mut control = fixtures::app(HELLO);
        let name = control.app.latest().clone();
        let one = control.revisions.get_mut(&name).unwrap();
        fixtures::add_replica(one, "a", ReplicaState::Starting);
        let exits = || backoff("exit 1", 1);
        let failed = "revision hello--v1 failed: exit 1|no revision can take traffic";
        let steps: [(u64, ReplicaEventKind, &str); 9] = [
            (0, exits(), failed),
            (250, started(1), ""),
            (251, ready(), ""),
            (252, exits(), ""),
            (1_000, started(1), ""),
            (1_001, exits(), ""),
            (3_000, started(1), ""),
            (3_001, ready(), ""),
            (
                13_001,
                ready(),
                "revision hello--v1 is provisioned|traffic goes to hello--v1 100%",
            ),
        ];
        for (milliseconds, kind, expected) in steps {
            let now = Timestamp::from_millis(milliseconds);
            let one = control.revisions.get_mut(&name).unwrap();
            fixtures::replica_of(one, "a").observe(&kind, now);
            let changes = control.observe(now);
            let told: Vec<String> = changes.iter().map(ToString::to_string).collect();
            assert_eq!(told.join("|"), expected, "{kind:?} after {milliseconds} ms");
            assert!(control.observe(now).is_empty());
        }
    }

    #[test]
    fn one_that_fails_beside_a_ready_one_is_no_failure_of_the_revision() {
        use ReplicaState::{Backoff, Draining, Ready};
        let mut one = fixtures::revision(&[("a", Ready), ("b", Backoff)]);
        fixtures::replica_of(&mut one, "b").because = Some("exit 1".to_owned());
        one.observe_failure();
        assert_eq!(one.failure, None);
        fixtures::replica_of(&mut one, "a").state = Draining;
        one.observe_failure();
        assert_eq!(one.failure, Some(Failure::Crashed("exit 1".to_owned())));
    }

    #[test]
    fn a_refused_start_is_a_failure_although_there_is_no_replica() {
        let mut one = fixtures::revision(&[]);
        one.refused = Some(Refused {
            because: "no such secret".to_owned(),
            retry_at: Timestamp::ORIGIN + Duration::from_secs(10),
        });
        for _ in 0..2 {
            one.observe_failure();
            assert_eq!(backend(&one), "no such secret");
        }
        one.refused = None;
        one.observe_failure();
        assert_eq!(one.failure, None);
    }

    #[test]
    fn replicas_are_counted_by_state() {
        use ReplicaState::{Backoff, Draining, NotReady, Ready, Starting, Stopping};
        let states = [
            Starting, Ready, NotReady, Backoff, Draining, Stopping, Ready,
        ];
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let replicas: Vec<_> = names.into_iter().zip(states).collect();
        let counts = fixtures::revision(&replicas).replica_counts(5);
        let found = (
            counts.desired,
            counts.ready,
            counts.starting,
            counts.draining,
        );
        assert_eq!(found, (5, 2, 3, 2));
    }
}
