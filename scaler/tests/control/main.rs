//! The control task with real replicas and a real ingress, where its parts meet in time.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod apart;
mod bed;
mod pods;
mod scenarios;
mod sources;
