//! The body of an answer.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use ebbtide_core::time::Timestamp;
use http_body::{Body, Frame, SizeHint};

use super::Http1Error;
use super::chunks::{Chunks, Found, take_of};
use super::connection::{Connection, MOST_ROOM, ROOM};
use crate::stream::SharedStream;
use crate::upstream::pool::Pool;

/// How the end of a body is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are to come.
    Length(u64),
    Chunked(Chunks),
    UntilClosed,
}

impl Framing {
    pub(super) const fn chunked() -> Self {
        Self::Chunked(Chunks::Line)
    }

    fn has_ended(&self) -> bool {
        matches!(self, Self::Length(0) | Self::Chunked(Chunks::End))
    }
}

/// The body of an answer, with the connection that it comes by. Dropped before its end, it closes that.
pub(crate) struct Http1Body {
    pool: Rc<Pool>,
    /// None once it was given back.
    connection: Option<Box<Connection>>,
    framing: Framing,
    /// Whether another request can use the connection after it.
    keeps_alive: bool,
    /// Whether something of the answer may not have gone on to the client yet.
    is_fresh: bool,
    /// A failure that is to be told once it has.
    failure: Option<Http1Error>,
}

impl Http1Body {
    pub(super) fn new(
        pool: Rc<Pool>,
        connection: Box<Connection>,
        framing: Framing,
        keeps_alive: bool,
    ) -> Self {
        Self {
            pool,
            connection: Some(connection),
            framing,
            keeps_alive,
            is_fresh: true,
            failure: None,
        }
    }

    /// Gives the connection back, if the body has ended and another request can use it.
    pub(in crate::upstream) fn give_back(&mut self, now: Timestamp) {
        if let Some(connection) = self.connection.take()
            && self.keeps_alive
            && self.framing.has_ended()
        {
            self.pool.put(connection, now);
        }
    }

    /// The connection itself, and what was read of what follows the head: the replica has switched protocols.
    pub(in crate::upstream) fn into_connection(mut self) -> Result<(SharedStream, Bytes), Self> {
        match self.connection.take() {
            Some(connection) => Ok(connection.into_parts()),
            None => Err(self),
        }
    }
}

impl Body for Http1Body {
    type Data = Bytes;
    type Error = Http1Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Http1Error>>> {
        let this = self.get_mut();
        let Some(connection) = &mut this.connection else {
            return Poll::Ready(None);
        };
        let frame = match this.failure.take() {
            Some(error) => Poll::Ready(Err(error)),
            None => this.framing.poll_frame(connection, cx),
        };
        let was_fresh = std::mem::replace(&mut this.is_fresh, frame.is_ready());
        match frame {
            Poll::Ready(Err(error)) if was_fresh => {
                // What came before goes out first: hyper throws it away when it hears of the failure.
                this.is_fresh = false;
                this.failure = Some(error);
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(Err(error)) => {
                this.connection = None;
                Poll::Ready(Some(Err(error)))
            }
            frame => frame.map(Result::transpose),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.framing.has_ended()
    }

    fn size_hint(&self) -> SizeHint {
        match self.framing {
            Framing::Length(length) => SizeHint::with_exact(length),
            Framing::Chunked(_) | Framing::UntilClosed => SizeHint::default(),
        }
    }
}

impl Framing {
    /// What comes next of the body; none at its end.
    fn poll_frame(
        &mut self,
        connection: &mut Connection,
        cx: &mut Context<'_>,
    ) -> Poll<Result<Option<Frame<Bytes>>, Http1Error>> {
        loop {
            match self.take(connection)? {
                Found::Frame(frame) => return Poll::Ready(Ok(Some(frame))),
                Found::End => return Poll::Ready(Ok(None)),
                Found::TooLittle => {}
            }
            if ready!(connection.poll_read(cx, self.wanted()))? == 0 {
                if *self != Self::UntilClosed {
                    return Poll::Ready(Err(Http1Error::Incomplete));
                }
                *self = Self::Length(0);
            }
        }
    }

    /// What comes next of what was read already.
    fn take(&mut self, connection: &mut Connection) -> Result<Found, Http1Error> {
        let read = &mut connection.read;
        let data = match self {
            Self::Length(0) => return Ok(Found::End),
            Self::Chunked(chunks) => return chunks.take(read),
            Self::Length(_) | Self::UntilClosed if read.is_empty() => return Ok(Found::TooLittle),
            Self::UntilClosed => read.split().freeze(),
            Self::Length(left) => take_of(left, read),
        };
        Ok(Found::Frame(Frame::data(data)))
    }

    /// How much room to read into is of use.
    fn wanted(&self) -> usize {
        match self {
            Self::Length(left) | Self::Chunked(Chunks::Data(left)) => {
                usize::try_from(*left).unwrap_or(MOST_ROOM)
            }
            Self::Chunked(_) => ROOM,
            Self::UntilClosed => MOST_ROOM,
        }
    }
}
