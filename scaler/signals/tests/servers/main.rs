//! Readers, and the servers that they read: real ones, which each test starts for itself.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test"
)]

mod azure_queue;
mod azure_servicebus;
mod bed;
mod canned;
mod certificates;
mod clock;
mod external;
mod kafka;
mod metrics_api;
mod mysql;
mod nats_jetstream;
#[path = "../../../../tests/ports.rs"]
mod ports;
mod postgresql;
mod process;
mod prometheus;
mod rabbitmq;
mod redis;
