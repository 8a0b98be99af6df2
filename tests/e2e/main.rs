//! End-to-end tests: the user's path through each feature, once, on real processes and sockets.
//! One binary, a module for each feature. `tests/run` builds the programs they run.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail the test"
)]

mod apart;
mod bad_input;
mod brokers;
mod commands;
mod door;
mod from_zero;
mod front;
mod h2spec;
mod harness;
mod https;
mod joined;
mod keda;
mod load;
mod memory;
mod mirror;
mod no_loss;
mod observing;
mod orphans;
mod page;
#[path = "../ports.rs"]
mod ports;
mod protocols;
mod queues;
mod routes;
mod signals;
mod takeover;
mod tcp;
mod traces;
