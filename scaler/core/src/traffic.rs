//! Splitting requests by weight: whole numbers in proportion ([`apportion`]), and the order in
//! which requests go to targets ([`Schedule`]).

mod apportion;
mod schedule;

pub use apportion::apportion;
pub use schedule::Schedule;
