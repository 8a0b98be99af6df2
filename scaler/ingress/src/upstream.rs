//! Connections to replicas. Each worker has its own: for HTTP/1.1 a stack of idle ones per replica,
//! for HTTP/2 one that all requests share.

mod answer;
mod connect;
mod http1;
mod pool;
mod send;

pub(crate) use answer::{AnswerStream, Switched, UpstreamError};
pub(crate) use connect::{LocalExecutor, tcp};
pub(crate) use pool::Pool;
pub(crate) use send::{Failure, send};
