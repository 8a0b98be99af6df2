//! The control loop: one task owns the state of all apps; others send it bounded messages through
//! a [`Control`] and read what it publishes.

pub mod handle;

pub use handle::{Command, Control, ControlError, Published, RevisionAction, RevisionMetrics};
