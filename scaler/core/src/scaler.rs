//! KEDA's scalers whose numbers Ebbtide reads itself: their keys, as data.
//!
//! The same definitions check a rule in a document or a trigger, tell a reader its parameters, and
//! make the tables of the documentation.

mod azure;
mod azure_queue;
mod azure_servicebus;
mod check;
mod cron;
mod database;
mod definition;
mod external;
mod given;
mod http;
mod kafka;
mod markdown;
mod metrics_api;
mod mysql;
mod nats_jetstream;
mod postgresql;
mod prometheus;
mod rabbitmq;
mod redis;
#[cfg(test)]
mod tests;

pub(crate) use check::{check, unknown_keys};
pub use definition::{Constraint, Key, Kind, Presence, Role, Scaler, boolean, duration};
pub(crate) use given::without_from_env;
pub use given::{FROM_ENV, Given, given};
pub use markdown::markdown;

/// Every scaler that has a reader.
pub const SCALERS: &[&Scaler] = &[
    &azure_queue::SCALER,
    &azure_servicebus::SCALER,
    &cron::SCALER,
    &external::POLLED,
    &external::PUSHED,
    &kafka::SCALER,
    &metrics_api::SCALER,
    &mysql::SCALER,
    &nats_jetstream::SCALER,
    &postgresql::SCALER,
    &prometheus::SCALER,
    &rabbitmq::SCALER,
    &redis::LIST,
    &redis::STREAM,
    &redis::LIST_OF_CLUSTER,
    &redis::STREAM_OF_CLUSTER,
    &redis::LIST_OF_SENTINEL,
    &redis::STREAM_OF_SENTINEL,
];

/// The scaler of this name, KEDA's, or none if Ebbtide does not read it.
pub fn named(name: &str) -> Option<&'static Scaler> {
    let mut scalers = SCALERS.iter().copied();
    scalers.find(|scaler| scaler.names.contains(&name))
}
