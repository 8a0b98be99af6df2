//! HTTP/1.1, by a client of our own: a request costs it one write and one read, and the time of both is known.
//!
//! The worker writes a request itself, on an idle connection, at once. The task of the connection only reads. A
//! request that no idle connection can take is written by the task of a connection that is opened for it, or waits.
//!
//! A request of which not a byte was sent, because its connection turned out to be closed, goes to another one. Any
//! other that gets no answer has failed, whatever its method: it may have been a server that went away too early,
//! which is what a load generator is to see.

mod answer;
mod chunks;
mod connection;
mod message;
mod pool;
mod wire;

pub(super) use self::pool::Pool;
pub(super) use self::wire::Wire;

/// What came back is not HTTP/1.1, or more than is read of it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum ProtocolError {
    /// The head is none.
    #[error("the head of the answer is not HTTP/1.1: {0}")]
    Head(#[from] httparse::Error),
    /// It does not end.
    #[error("the head of the answer is longer than 64 KiB")]
    LongHead,
    /// The length of the body is not a number, or there are several.
    #[error("the answer's Content-Length is not one number")]
    Length,
    /// The chunked coding is none.
    #[error("the answer's chunks are not coded as HTTP/1.1 has them")]
    Chunks,
    /// Another protocol was switched to.
    #[error("the answer switches to another protocol, unasked")]
    Upgrade,
}
