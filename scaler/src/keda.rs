//! The KEDA external scaler: what KEDA asks about ScaledObjects, and what it is answered.
//!
//! `answer` makes an answer from what the control task published, `pulse` turns publications into
//! the edges that streams wait for, `scaled_objects` remembers who asked what, and `service` ties
//! them to gRPC. Nothing here decides: a dead service leaves the apps as they are.

mod answer;
mod asking;
mod bounds;
mod metrics;
mod pulse;
mod scaled_objects;
mod server;
mod service;
mod streams;
#[cfg(test)]
pub(crate) mod tests;

pub use bounds::SourceBounds;
pub use metrics::{CallCount, ServiceSample};
pub use scaled_objects::ScaledObjects;
pub use server::ExternalScaler;
