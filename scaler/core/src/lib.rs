//! The pure core of Ebbtide: container app documents, revisions, traffic, windows, policies and
//! decisions.
//!
//! Nothing here does I/O, is async, reads a clock or the environment, or draws random numbers from
//! anything but a seed it was given. Time is an argument ([`time::Timestamp`]), so that the live
//! control loop and the simulator run the very same functions.

pub mod app;
pub mod arrival;
pub mod document;
pub mod duration;
pub mod hash;
pub mod histogram;
pub mod name;
pub mod network;
pub mod policy;
pub mod request_path;
pub mod scale;
pub mod scaler;
pub mod time;
pub mod traffic;
pub mod trigger;
pub mod window;
