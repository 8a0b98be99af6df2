//! What became of the copies of requests.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;

use super::{RevisionMeter, add};

/// What became of the copy of a request, or why there was none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mirrored {
    /// It was answered with a status below 300.
    Success,
    Redirection,
    ClientError,
    /// It was answered with a status from 500.
    ServerError,
    /// It could not be sent, or its answer broke off.
    Failed,
    TimedOut,
    /// The revision for it is not there.
    NoTarget,
    /// The revision for it has no ready replica.
    NoReplica,
    /// The replicas of the revision for it take no more.
    ReplicasBusy,
    /// There are as many copies as there may be.
    TooMany,
    LargeBody,
    /// It is a stream: of gRPC, of another protocol, or one whose answer began before its body had come.
    Stream,
    /// Only those of safe methods are wanted.
    UnsafeMethod,
}

impl Mirrored {
    /// All of them, each at its place in the counters, with its name as a metric has it.
    const ALL: [(Self, &'static str); 13] = [
        (Self::Success, "2xx"),
        (Self::Redirection, "3xx"),
        (Self::ClientError, "4xx"),
        (Self::ServerError, "5xx"),
        (Self::Failed, "failed"),
        (Self::TimedOut, "timed-out"),
        (Self::NoTarget, "no-target"),
        (Self::NoReplica, "no-replica"),
        (Self::ReplicasBusy, "replicas-busy"),
        (Self::TooMany, "too-many"),
        (Self::LargeBody, "large-body"),
        (Self::Stream, "stream"),
        (Self::UnsafeMethod, "unsafe-method"),
    ];

    /// That it was answered with this status.
    pub(crate) fn answered(status: StatusCode) -> Self {
        match status.as_u16() / 100 {
            0..=2 => Self::Success,
            3 => Self::Redirection,
            4 => Self::ClientError,
            _ => Self::ServerError,
        }
    }
}

impl RevisionMeter {
    /// How many requests have started on `worker`.
    pub(crate) fn started(&self, worker: usize) -> u64 {
        self.shard(worker).sums.started()
    }

    /// Counts what became on `worker` of the copy of a request.
    pub(crate) fn mirrored(&self, worker: usize, outcome: Mirrored) {
        self.shard(worker).mirrored.count(outcome);
    }
}

/// How often each was what became of a copy. One thread writes, and others read.
pub(super) struct MirroredCounts([AtomicU64; Mirrored::ALL.len()]);

impl MirroredCounts {
    pub(super) const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; Mirrored::ALL.len()])
    }

    pub(super) fn count(&self, outcome: Mirrored) {
        let place = Mirrored::ALL.iter().position(|(one, _)| *one == outcome);
        if let Some(counter) = place.and_then(|place| self.0.get(place)) {
            add(counter, 1);
        }
    }

    /// Adds those that there were.
    pub(super) fn add_to(&self, total: &mut BTreeMap<&'static str, u64>) {
        for ((_, name), counter) in Mirrored::ALL.iter().zip(&self.0) {
            let count = counter.load(Ordering::Relaxed);
            if count > 0 {
                *total.entry(name).or_default() += count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_has_a_counter_and_a_name_of_its_own() {
        let counts = MirroredCounts::new();
        for (outcome, _) in Mirrored::ALL {
            counts.count(outcome);
        }
        let mut total = BTreeMap::new();
        counts.add_to(&mut total);
        assert_eq!(total.len(), Mirrored::ALL.len());
        assert!(total.values().all(|count| *count == 1), "{total:?}");
    }

    #[test]
    fn a_status_counts_by_its_class() {
        for (status, expected) in [
            (204, Mirrored::Success),
            (304, Mirrored::Redirection),
            (404, Mirrored::ClientError),
            (503, Mirrored::ServerError),
            (700, Mirrored::ServerError),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(Mirrored::answered(status), expected, "{status}");
        }
    }
}
