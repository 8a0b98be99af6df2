//! One connection, and the task that drives it.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use http::HeaderMap;
use tokio::select;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::timed::Timed;
use crate::clock::RunClock;
use crate::engine::http2::Failed;
use crate::engine::rules::Times;
use crate::record::outcome::FailureKind;

/// How long the server has to close a connection that we have taken leave of.
const CLOSING: Duration = Duration::from_secs(1);

/// A connection. Once it is dropped, it is closed.
pub(super) struct Connection {
    /// Of the answer to the handshake.
    pub(super) headers: HeaderMap,
    asks: mpsc::Sender<Ask>,
}

/// A message to send.
pub(super) struct Ask {
    clock: RunClock,
    message: Message,
    /// What the answer has in it; none if it is the next message.
    wanted: Option<Bytes>,
    reply: oneshot::Sender<Result<Answered, Failed>>,
}

/// A message that answers one.
pub(super) struct Answered {
    pub(super) data: Bytes,
    pub(super) times: Times,
}

impl Connection {
    /// With these headers in the answer to its handshake; and what is to be sent on it, for who drives it.
    pub(super) fn new(headers: HeaderMap) -> (Self, mpsc::Receiver<Ask>) {
        let (asks, asked) = mpsc::channel(1);
        (Self { headers, asks }, asked)
    }

    /// Sends a message and waits for its answer; none if it turns out to be closed, and nothing was sent.
    pub(super) async fn ask(
        &self,
        clock: RunClock,
        message: Message,
        wanted: Option<Bytes>,
    ) -> Option<Result<Answered, Failed>> {
        let (reply, replied) = oneshot::channel();
        let ask = Ask {
            clock,
            message,
            wanted,
            reply,
        };
        self.asks.try_send(ask).ok()?;
        replied.await.ok()
    }
}

/// Drives a connection until it is closed.
pub(super) async fn drive(mut socket: WebSocketStream<Timed>, mut asks: mpsc::Receiver<Ask>) {
    loop {
        let ask = select! {
            biased;
            came = socket.next() => match came {
                Some(Ok(Message::Close(_))) => break,
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return,
            },
            ask = asks.recv() => ask,
        };
        let Some(ask) = ask else { break };
        if !answer(&mut socket, ask).await {
            break;
        }
    }
    // What is asked from here on goes elsewhere.
    drop(asks);
    let closing = async {
        // One that is closed already needs no more of it.
        let _ = socket.close(None).await;
        while let Some(Ok(_)) = socket.next().await {}
    };
    // A server that does not take leave loses the connection.
    let _ = timeout(CLOSING, closing).await;
}

/// Answers for a message. Says whether the connection can carry another.
async fn answer(socket: &mut WebSocketStream<Timed>, ask: Ask) -> bool {
    let Ask {
        clock,
        message,
        wanted,
        mut reply,
    } = ask;
    let exchanged = select! {
        exchanged = exchange(socket, clock, message, wanted.as_deref()) => exchanged,
        // Its request was given up: an answer that is still to come is nobody's.
        () = reply.closed() => return false,
    };
    let is_usable = exchanged.is_ok();
    // Who asked may have given up just now: then it is not put back.
    let _ = reply.send(exchanged);
    is_usable
}

async fn exchange(
    socket: &mut WebSocketStream<Timed>,
    clock: RunClock,
    message: Message,
    wanted: Option<&[u8]>,
) -> Result<Answered, Failed> {
    socket.get_mut().begin(clock);
    let sent = clock.elapsed();
    socket.send(message).await.map_err(|error| broken(&error))?;
    loop {
        let came = socket.next().await.unwrap_or(Err(Error::ConnectionClosed));
        let data = match came.map_err(|error| broken(&error))? {
            Message::Text(text) => Bytes::from(text),
            Message::Binary(data) => data,
            Message::Close(frame) => return Err((FailureKind::Reset, closed(frame.as_ref()))),
            // Pings are answered where they are read.
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                socket.get_mut().begin(clock);
                continue;
            }
        };
        let ended = clock.elapsed();
        if wanted.is_none_or(|wanted| contains(&data, wanted)) {
            // It may have come together with what came before it.
            let first_byte = socket.get_ref().first_read().unwrap_or(ended);
            let times = Times {
                sent,
                first_byte,
                ended,
            };
            return Ok(Answered { data, times });
        }
        socket.get_mut().begin(clock);
    }
}

fn contains(data: &[u8], wanted: &[u8]) -> bool {
    data.windows(wanted.len().max(1)).any(|part| part == wanted)
}

fn closed(frame: Option<&CloseFrame>) -> String {
    match frame {
        None => "the server closed the WebSocket without a code".to_owned(),
        Some(CloseFrame { code, reason }) if reason.is_empty() => {
            format!("the server closed the WebSocket with code {code}")
        }
        Some(CloseFrame { code, reason }) => {
            format!("the server closed the WebSocket with code {code}: {reason}")
        }
    }
}

fn broken(error: &Error) -> Failed {
    let kind = match error {
        Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::ReceivedAfterClosing,
        )
        | Error::Io(_)
        | Error::ConnectionClosed
        | Error::AlreadyClosed => FailureKind::Reset,
        _ => FailureKind::Protocol,
    };
    (kind, error.to_string())
}
