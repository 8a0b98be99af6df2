//! Streams of JetStream: <https://docs.nats.io/reference/reference-protocols/nats_api_reference>.

mod acknowledgement;
mod consumer;

pub use acknowledgement::stored;
pub use consumer::{Consumer, Delivery};

/// The status of an answer where nobody listens to what was asked.
const NO_RESPONDERS: u16 = 503;
