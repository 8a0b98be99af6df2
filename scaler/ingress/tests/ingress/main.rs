//! The ingress through real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod access;
mod access_log;
mod app;
mod app_limits;
mod bed;
mod challenges;
mod client;
mod clock;
mod cold;
mod compress;
mod cors;
mod counting;
mod drain;
mod errors;
mod floods;
mod forwarding;
mod frames;
mod hold;
mod http2;
mod limits;
mod line;
mod malformed;
mod metrics;
mod mirror;
mod panics;
mod policy;
#[path = "../../../../tests/ports.rs"]
mod ports;
mod proxy_protocol;
mod retries;
mod routes;
mod routing;
mod sessions;
mod streaming;
mod takeover;
mod tcp;
mod timeouts;
mod tls;
mod traces;
mod upstream;
mod websocket;
mod workers;
