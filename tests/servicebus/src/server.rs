//! HTTP over the broker: what a request asks for, and how the answer looks.

mod answer;
mod control;
mod describe;
mod description;
mod exchange;
mod fault;
mod listener;
mod manage;
mod messages;
mod properties;
mod route;
mod shared;
mod xml;

pub use fault::{Fault, Faulty};
pub use listener::{Options, Server};
