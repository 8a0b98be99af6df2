//! Replicas as real processes.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "tests"
)]

mod clock;
mod guardian;
mod lifecycle;
mod output;
mod probes;
mod roles;
mod support;
