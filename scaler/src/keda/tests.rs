//! The service as a model of KEDA sees it, over a real connection.

mod activity;
mod bed;
pub(crate) mod certificates;
mod model;
mod polling;
mod transport;
