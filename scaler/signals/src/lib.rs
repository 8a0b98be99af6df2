//! Readers of what rules scale by.

mod processes;

pub use processes::{ProcessSampler, Usage};
