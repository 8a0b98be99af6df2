//! The ingress through real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail like tests"
)]

mod access;
mod app;
mod bed;
mod client;
mod clock;
mod frames;

mod drain;
mod errors;
mod floods;
mod forwarding;
mod hold;
mod http2;
mod limits;
mod malformed;
mod metrics;
mod routing;
mod streaming;
mod tls;
mod traces;
mod upstream;
