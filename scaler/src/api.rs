//! The status API: what every revision has, wants, and why.

pub mod model;
