//! What readers and workers of Azure's services have in common: connection strings, and how requests
//! are signed.

mod connection_string;
mod messages;
mod namespace;
mod storage;

pub use connection_string::ConnectionString;
pub use messages::QueueMessage;
pub use namespace::Namespace;
pub use storage::{QueueService, Signed};
