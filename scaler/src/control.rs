//! The control loop: one task owns the state of all apps; others send it bounded messages through
//! a [`Control`] and read what it publishes.

mod app;
mod apply;
mod commands;
mod condition;
mod drain;
mod events;
#[cfg(test)]
mod fixtures;
mod handle;
mod identifier;
mod journal;
mod launch;
mod plan;
mod publication;
mod readings;
mod replica;
mod revision;
mod routing;
mod settle;
mod status;
mod task;
mod usage;

pub use handle::{
    Command, Control, ControlError, DecisionCounts, Origin, Published, Reply, RevisionAction,
    RevisionMetrics,
};
pub use task::{ControlOptions, ControlTask, Inbox};
