//! The control loop: one task owns the state of all apps; others send it bounded messages through
//! a [`Control`] and read what it publishes.

mod adoption;
mod app;
mod apply;
mod commands;
mod condition;
mod counters;
mod drain;
mod endpoints;
mod events;
#[cfg(test)]
mod fixtures;
mod handle;
mod http_routes;
mod identifier;
mod ingresses;
mod journal;
mod launch;
mod mirror;
mod plan;
mod pods;
mod publication;
mod readings;
mod replica;
mod reported;
mod revision;
mod role;
mod routing;
mod settle;
mod sources;
mod status;
mod task;
mod touched;
mod usage;

pub use adoption::Adoption;
pub use counters::{Counters, ReportedMeter};
pub use handle::{
    Command, Control, ControlError, DecisionCounts, Origin, Published, PublishedApp, Reply,
    RevisionAction, RevisionMetrics, RuleReadings,
};
pub use pods::{PodLink, PodsRead, WantedPods};
pub use role::Role;
pub use sources::SignalOptions;
pub use task::{ControlOptions, ControlTask, Inbox};
