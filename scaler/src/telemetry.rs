//! What ingresses count, on its way to every replica of the scaler.
//!
//! `reporter` sends it from an ingress, `service` takes it in at a scaler, and the control task
//! makes of it what the rules read. `report` is what is sent, once it has been checked.

mod report;
mod reporter;
mod service;

pub use report::{Counts, Report};
pub use reporter::{Reporter, ScalerAddress, ScalerTls};
pub use service::Receiver;
