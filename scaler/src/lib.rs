//! `ebbtide`: the control loop, the status API and its page, and the command line.

pub mod access_log;
pub mod acme;
pub mod api;
pub mod authority;
pub mod certificates;
pub mod cli;
pub mod clock;
pub mod control;
pub mod documents;
pub mod grpc;
#[cfg(test)]
mod guides;
pub mod keda;
pub mod log;
pub mod otlp;
pub mod sample;
mod stopping;
pub mod telemetry;
