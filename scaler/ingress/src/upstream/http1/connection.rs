//! A connection, and what was read of it and not used yet.

use std::io;
use std::pin::pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::{Method, StatusCode};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use super::Http1Error;
use super::head::{self, Head};
use crate::stream::SharedStream;

/// What there is room for when a head is read, in bytes, and when a body is that is longer.
pub(super) const ROOM: usize = 8 * 1024;
pub(super) const MOST_ROOM: usize = 64 * 1024;

/// With less room than this it is not worth asking the system.
const LEAST_ROOM: usize = 1024;

/// A connection with a replica, which one request has for itself.
pub(in crate::upstream) struct Connection {
    pub(super) stream: SharedStream,
    pub(super) read: BytesMut,
    /// What heads are written in.
    pub(super) write: Vec<u8>,
    /// Whether there was more room than for heads.
    has_grown: bool,
}

impl Connection {
    pub(in crate::upstream) fn new(stream: TcpStream) -> Self {
        Self {
            stream: SharedStream::new(stream),
            read: BytesMut::new(),
            write: Vec::new(),
            has_grown: false,
        }
    }

    /// Whether a request can be sent over it: the replica has not closed it, and has sent nothing that
    /// nobody asked for.
    pub(in crate::upstream) fn is_quiet(&self) -> bool {
        self.read.is_empty() && self.stream.is_quiet()
    }

    /// Makes it small, as nobody uses it for now.
    pub(in crate::upstream) fn rest(&mut self) {
        if std::mem::take(&mut self.has_grown) {
            self.read = BytesMut::new();
        }
    }

    /// Reads what there is, with room for as much as is `wanted`. Zero bytes are the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
    ) -> Poll<io::Result<usize>> {
        let room = self.read.capacity() - self.read.len();
        if room < LEAST_ROOM.min(wanted) {
            let wanted = wanted.clamp(ROOM, MOST_ROOM);
            self.has_grown |= wanted > ROOM;
            self.read.reserve(wanted);
        }
        pin!(self.stream.read_buf(&mut self.read)).poll(cx)
    }

    /// Reads the head of the answer to a request with this `method`. What the replica says before, for
    /// whoever waits with the body of a request (100), is not for the client.
    pub(super) fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        method: &Method,
    ) -> Poll<Result<Head, Http1Error>> {
        loop {
            while let Some(head) = self.take_head(method)? {
                let status = head.response.status();
                if !status.is_informational() || status == StatusCode::SWITCHING_PROTOCOLS {
                    return Poll::Ready(Ok(head));
                }
            }
            match std::task::ready!(self.poll_read(cx, ROOM)) {
                Ok(0) => return Poll::Ready(Err(Http1Error::Closed)),
                Ok(_) => {}
                Err(error) => return Poll::Ready(Err(error.into())),
            }
        }
    }

    fn take_head(&mut self, method: &Method) -> Result<Option<Head>, Http1Error> {
        if self.read.is_empty() {
            return Ok(None);
        }
        head::take(&mut self.read, method)
    }

    /// The connection itself, and what was read of what follows.
    pub(super) fn into_parts(self) -> (SharedStream, Bytes) {
        (self.stream, self.read.freeze())
    }
}
