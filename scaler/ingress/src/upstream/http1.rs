//! HTTP/1.1 with a replica (RFC 9112), read and written by the task of the request that it is for. A client
//! whose connections have tasks of their own costs each request two wake-ups and a channel each way.

mod body;
mod chunks;
mod connection;
mod exchange;
mod head;
mod sending;

use std::io;

use thiserror::Error;

pub(crate) use body::Http1Body;
pub(super) use connection::Connection;
pub(super) use exchange::{exchange, is_repeated, may_repeat};

/// What went wrong on a connection with a replica.
#[derive(Debug, Error)]
pub(crate) enum Http1Error {
    #[error("it was closed before the answer")]
    Closed,
    #[error("it was closed before the answer was complete")]
    Incomplete,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("its answer is not HTTP/1.1: {0}")]
    Head(#[from] httparse::Error),
    #[error("the head of its answer is longer than {} KiB", head::MOST / 1024)]
    LongHead,
    #[error("its answer has a header that is none")]
    Header,
    #[error("its answer says twice how long it is, or in a way that is not known")]
    Length,
    #[error("the chunks of its answer are not as RFC 9112 has them")]
    Chunks,
    #[error("the request's body is not as long as it says")]
    RequestLength,
    #[error("the request's body broke off")]
    RequestBody,
}
