//! The stand-in as a process, used by Microsoft's client in Rust and by plain HTTPS.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test"
)]

mod bed;
mod data;
mod faults;
mod limits;
