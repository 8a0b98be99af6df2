//! Deciding how many replicas a revision gets: rules, windows, policy, limits, and the reason.

pub mod decision;
pub mod spec;

pub use decision::{Decision, Limit, LimitKind, Recommendation};
pub use spec::{Metric, Policy, RuleSpec, ScaleSpec, StepLimit};
