//! Deciding how many replicas a revision gets: rules, windows, policy, limits, and the reason.

pub mod decide;
pub mod decision;
pub mod hpa;
pub mod input;
pub mod pods;
pub mod resolve;
pub mod spec;
pub mod state;

#[cfg(test)]
mod fixtures;
mod history;
mod number;
mod recommend;
mod resource;
mod sentence;
mod service;

pub use decide::decide;
pub use decision::{Decision, Limit, LimitKind, Recommendation};
pub use input::{Inputs, Reading, Work};
pub use resolve::RuleError;
pub use spec::{Metric, Policy, RuleSpec, ScaleSpec, StepLimit};
pub use state::ScaleState;
