//! A replica's answer, over either protocol.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use ebbtide_core::time::Timestamp;
use http::StatusCode;
use http::response::Parts;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use thiserror::Error;

use super::http1::{Http1Body, Http1Error};
use crate::stream::SharedStream;

/// What went wrong on a connection with a replica.
#[derive(Debug, Error)]
pub(crate) enum UpstreamError {
    #[error(transparent)]
    Http1(#[from] Http1Error),
    #[error(transparent)]
    Http2(#[from] hyper::Error),
}

/// The body of a replica's answer. Dropped before its end, it ends the connection, or the stream.
pub(crate) enum AnswerStream {
    /// With the connection, which no other request uses meanwhile.
    Http1(Http1Body),
    /// A stream of the shared connection.
    Http2(Incoming),
}

/// What a replica that has switched protocols is spoken to by.
pub(crate) enum Switched {
    /// HTTP/1.1: the connection, and what was already read of what follows.
    Connection(SharedStream, Bytes),
    /// HTTP/2: the request's stream.
    Stream(OnUpgrade),
}

impl AnswerStream {
    /// The body has been read to its end: another request can use the connection.
    pub(crate) fn give_back(&mut self, now: Timestamp) {
        if let Self::Http1(body) = self {
            body.give_back(now);
        }
    }

    /// The connection itself, or the stream, if the replica has switched protocols by this answer.
    pub(crate) fn into_switched(self, head: &mut Parts) -> Result<Switched, Self> {
        match self {
            Self::Http1(body) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                let (stream, read) = body.into_connection().map_err(Self::Http1)?;
                Ok(Switched::Connection(stream, read))
            }
            Self::Http2(body) => match head.extensions.remove::<OnUpgrade>() {
                Some(stream) => Ok(Switched::Stream(stream)),
                None => Err(Self::Http2(body)),
            },
            http1 @ Self::Http1(_) => Err(http1),
        }
    }
}

impl Body for AnswerStream {
    type Data = Bytes;
    type Error = UpstreamError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        match self.get_mut() {
            Self::Http1(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
            Self::Http2(body) => Pin::new(body).poll_frame(cx).map_err(Into::into),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Http1(body) => body.is_end_stream(),
            Self::Http2(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Http1(body) => body.size_hint(),
            Self::Http2(body) => body.size_hint(),
        }
    }
}
