//! What the runtime reports about replicas.

use std::time::Duration;

use ebbtide_core::name::{ReplicaName, RevisionName};
use ebbtide_core::time::Timestamp;

use crate::ReplicaPorts;

/// Something that happened to a replica.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaEvent {
    /// The replica.
    pub replica: ReplicaName,
    /// Its revision.
    pub revision: RevisionName,
    /// When, by the clock the runtime was given.
    pub at: Timestamp,
    /// What.
    pub kind: ReplicaEventKind,
}

/// What happened to a replica.
///
/// The order is `Started` (again after each restart of the first container), then `Ready` and
/// `NotReady` in turn, and `Stopped` once and last. `Backoff` may come at any time before
/// `Stopped`; it takes readiness away without a `NotReady`.
#[derive(Clone, Debug, PartialEq)]
pub enum ReplicaEventKind {
    /// The process of its first container runs.
    Started {
        /// The process, which is also its process group.
        pid: u32,
        /// The replica's own ports.
        ports: ReplicaPorts,
    },
    /// Every container passes its startup and readiness probes.
    Ready,
    /// It was ready, and a readiness probe has failed.
    NotReady {
        /// Which probe of which container, and how it failed; or that its process ended.
        because: String,
    },
    /// A container has ended, could not be started, or failed its startup or liveness probe; it is
    /// started again after a while. If the replica was ready, `NotReady` has come before.
    Backoff {
        /// How it ended and what it said last, in one sentence.
        because: String,
        /// The last lines of its output, oldest first.
        last_lines: Vec<String>,
        /// Time until the next start.
        retry_in: Duration,
        /// How often this container has been restarted, this time included.
        restarts: u32,
    },
    /// All its processes have ended. Nothing follows.
    Stopped,
}
