//! Container app documents: what they say ([`model`]).

pub mod model;

pub use model::*;
