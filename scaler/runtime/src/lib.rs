//! Replicas: as local processes, and where something else runs them.
//!
//! A [`Runtime`] starts each container of a replica as a child process in a process group of its
//! own, watches its probes, restarts it when it ends, keeps its output, and reports what happens
//! as [`ReplicaEvent`]s. It decides nothing about how many replicas there should be.
//!
//! [`endpoints`] finds out where replicas are that something else runs, such as Kubernetes.
//!
//! A second process, the *guardian* ([`guardian_main`]), kills what is left when this one dies
//! without being able to clean up, so that no child outlives it.

mod backoff;
mod container;
pub mod endpoints;
mod event;
mod groups;
mod guardian;
mod instance;
mod leases;
mod logs;
mod ports;
mod probe;
mod process;
mod readiness;
mod replica;
mod runtime;
mod shared;
mod spec;

pub use event::{ReplicaEvent, ReplicaEventKind};
pub use guardian::guardian_main;
pub use leases::ReplicaPorts;
pub use logs::{LogLine, LogStore, Stream};
pub use runtime::{Runtime, RuntimeError, RuntimeOptions};
pub use spec::{ReplicaSpec, SpecError, check};
