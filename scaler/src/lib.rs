//! `ebbtide`: the control loop, the status API and its page, and the command line.

pub mod api;
pub mod cli;
pub mod control;
pub mod log;
