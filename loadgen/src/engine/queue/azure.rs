//! Azure's queues, over HTTP.

mod http;
pub(super) mod servicebus;
pub(super) mod storage;
