//! Connections to replicas. Each worker has its own: for HTTP/1.1 a stack of idle ones per replica,
//! for HTTP/2 one that all requests share.

mod connect;
mod pool;
mod send;
mod stream;

pub(crate) use connect::{LocalExecutor, tcp};
pub(crate) use pool::{Lease, Pool, Switched};
pub(crate) use send::{Failure, send};
