//! Certificates for the custom domains of apps and routes, from a directory of ACME (RFC 8555).

mod account;
mod client;
mod directory;
mod hosts;
mod kept;
mod order;
mod reports;
mod schedule;
mod task;

pub use directory::Directory;
pub use reports::{NAME_PREFIX, OrderReport, OrderReports, is_ordered};
pub use task::{Acme, AcmeOptions};
