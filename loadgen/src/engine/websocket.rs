//! WebSocket (RFC 6455), over connections of `tungstenite`, each of which carries one message and its answer at a time.
//!
//! A connection is driven by a task of its own, so that pings are answered and the server's end is noticed while
//! nothing is asked of it. What comes then is nobody's answer, and is passed over.

mod connection;
mod timed;

use std::cell::RefCell;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, Uri, header};
use tokio::task::JoinSet;
use tokio_tungstenite::client_async_with_config;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use self::connection::{Connection, drive};
use self::timed::Timed;
use super::dial::Dialer;
use super::driver::Start;
use super::http2::Failed;
use super::rules::{Found, Rules, Times};
use super::tasks::{Complete, Exchange};
use super::template::Filling;
use super::{Target, tls};
use crate::clock::RunClock;
use crate::plan::{Connections, WebSocketTarget};
use crate::record::outcome::FailureKind;

/// How much a connection has room for before it grows. There may be ten thousand of them.
const BUFFER: usize = 8 * 1024;

/// The longest message that is taken, in bytes.
const LONGEST: usize = 64 << 20;

/// The connections of a target.
pub(super) struct WebSocket {
    seed: u64,
    target: WebSocketTarget,
    rules: Rules,
    dialer: Dialer,
    /// How many are opened before the first request.
    fixed: usize,
    /// Those that carry nothing, the one that was used last at the end. Some may be closed.
    idle: RefCell<Vec<Connection>>,
    /// What drives them.
    driven: RefCell<JoinSet<()>>,
}

/// What came of opening a connection.
enum Opened {
    Open(Connection),
    /// The server answered, but not with a WebSocket.
    Refused(Complete),
}

impl WebSocket {
    /// `most` are this worker's connections.
    pub(super) fn new(
        target: &Target<'_>,
        of: &WebSocketTarget,
        most: usize,
    ) -> Result<Self, tls::Error> {
        let is_fixed = matches!(of.http.connections, Connections::Fixed(_));
        Ok(Self {
            seed: target.seed,
            target: of.clone(),
            rules: Rules::of(target.plan),
            dialer: Dialer::new(&of.http)?,
            fixed: if is_fixed { most } else { 0 },
            idle: RefCell::default(),
            driven: RefCell::default(),
        })
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Opens those connections that are fixed, and says how long each took.
    pub(super) async fn prepare(&self, clock: RunClock) -> Result<Vec<Duration>, String> {
        let mut times = Vec::new();
        for position in (0..).take(self.fixed) {
            let mut took = None;
            match self.open(clock, position, &mut took).await {
                Ok(Opened::Open(connection)) => self.idle.borrow_mut().push(connection),
                Ok(Opened::Refused(Complete { status, .. })) => {
                    return Err(format!("the server answered the handshake with {status}"));
                }
                Err((_, why)) => return Err(why),
            }
            times.extend(took);
        }
        Ok(times)
    }

    /// Sends the message of this position and waits for its answer.
    pub(super) async fn exchange(&self, clock: RunClock, start: &Start) -> Exchange {
        let mut connect = None;
        let result = self.ask(clock, start.position, &mut connect).await;
        Exchange { connect, result }
    }

    async fn ask(
        &self,
        clock: RunClock,
        position: u64,
        took: &mut Option<Duration>,
    ) -> Result<Complete, Failed> {
        let message = self.message(position)?;
        let wanted = self.wanted(position);
        loop {
            let idle = self.idle.borrow_mut().pop();
            let is_new = idle.is_none();
            let connection = match idle {
                Some(connection) => connection,
                None => match self.open(clock, position, took).await? {
                    Opened::Open(connection) => connection,
                    Opened::Refused(complete) => return Ok(complete),
                },
            };
            let asked = connection.ask(clock, message.clone(), wanted.clone());
            let Some(answered) = asked.await else {
                if is_new {
                    let why = "the server closed the WebSocket before the message was sent";
                    return Err((FailureKind::Reset, why.to_owned()));
                }
                continue;
            };
            let answered = answered?;
            let found = self.found(&connection.headers, is_new, &answered.data);
            if !matches!(self.target.http.connections, Connections::PerRequest(_)) {
                self.idle.borrow_mut().push(connection);
            }
            return Ok(Complete {
                status: 101,
                bytes: answered.data.len() as u64,
                times: answered.times,
                found,
            });
        }
    }

    /// What was found in the handshake and a message. Only who opened the connection waited for a cold start.
    fn found(&self, headers: &HeaderMap, is_new: bool, data: &[u8]) -> Found {
        let mut found = Found::default();
        found.clear(&self.rules);
        for (name, value) in headers {
            if is_new || name != "server-timing" {
                found.header(&self.rules, name.as_str(), value.as_bytes());
            }
        }
        found.body(&self.rules, data);
        found
    }

    fn message(&self, position: u64) -> Result<Message, Failed> {
        let mut filling = Filling::new(self.seed, position);
        let mut message = Vec::new();
        self.target.http.body.render(&mut filling, &mut message);
        if self.target.binary {
            return Ok(Message::Binary(message.into()));
        }
        let text = Utf8Bytes::try_from(message);
        text.map(Message::Text)
            .map_err(|error| (FailureKind::Protocol, error.to_string()))
    }

    fn wanted(&self, position: u64) -> Option<Bytes> {
        let mut wanted = Vec::new();
        let mut filling = Filling::new(self.seed, position);
        let answer = self.target.answer.as_ref()?;
        answer.render(&mut filling, &mut wanted);
        Some(wanted.into())
    }

    async fn open(
        &self,
        clock: RunClock,
        position: u64,
        took: &mut Option<Duration>,
    ) -> Result<Opened, Failed> {
        let request = self.handshake(position);
        let request = request.map_err(|error| (FailureKind::Protocol, error.to_string()))?;
        let started = clock.elapsed();
        let stream = self.dialer.dial().await;
        let stream = stream.map_err(|error| (FailureKind::Connect, error.to_string()))?;
        let sent = clock.elapsed();
        let config = WebSocketConfig::default()
            .read_buffer_size(BUFFER)
            .write_buffer_size(0)
            .max_frame_size(Some(LONGEST))
            .max_message_size(Some(LONGEST));
        let shaken =
            client_async_with_config(request, Timed::new(stream, clock), Some(config)).await;
        let (socket, response) = match shaken {
            Ok(opened) => opened,
            Err(Error::Http(response)) => {
                return Ok(Opened::Refused(self.refused(clock, sent, *response)));
            }
            Err(error) => return Err(no_handshake(&error)),
        };
        *took = Some(clock.elapsed().saturating_sub(started));
        let (connection, asks) = Connection::new(response.into_parts().0.headers);
        let mut driven = self.driven.borrow_mut();
        // Those that have ended are forgotten.
        while driven.try_join_next().is_some() {}
        driven.spawn_local(drive(socket, asks));
        Ok(Opened::Open(connection))
    }

    fn handshake(&self, position: u64) -> Result<Request<()>, http::Error> {
        let http = &self.target.http;
        let mut filling = Filling::new(self.seed, position);
        let mut path = Vec::new();
        http.path.render(&mut filling, &mut path);
        let uri = Uri::builder()
            .scheme(if http.tls.is_some() { "wss" } else { "ws" })
            .authority(http.authority.as_str())
            .path_and_query(path);
        let mut request = Request::builder()
            .uri(uri.build()?)
            .header(header::HOST, &http.authority)
            .header(header::CONNECTION, "Upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_VERSION, "13")
            .header(header::SEC_WEBSOCKET_KEY, generate_key());
        for (name, template) in &http.headers {
            let mut value = Vec::new();
            template.render(&mut filling, &mut value);
            request = request.header(name, value);
        }
        request.body(())
    }

    /// The answer of a server that does not open a WebSocket.
    fn refused(
        &self,
        clock: RunClock,
        sent: Duration,
        response: Response<Option<Vec<u8>>>,
    ) -> Complete {
        let ended = clock.elapsed();
        let times = Times {
            sent,
            first_byte: ended,
            ended,
        };
        let (head, body) = response.into_parts();
        let body = body.unwrap_or_default();
        Complete {
            status: head.status.as_u16(),
            bytes: body.len() as u64,
            times,
            found: self.found(&head.headers, true, &body),
        }
    }

    /// Closes all connections, and waits a while for the server to do so too.
    pub(super) async fn close(&self) {
        self.idle.borrow_mut().clear();
        let mut driven = std::mem::take(&mut *self.driven.borrow_mut());
        while driven.join_next().await.is_some() {}
    }
}

fn no_handshake(error: &Error) -> Failed {
    let kind = match error {
        Error::Protocol(
            tokio_tungstenite::tungstenite::error::ProtocolError::HandshakeIncomplete,
        )
        | Error::Io(_) => FailureKind::Connect,
        _ => FailureKind::Protocol,
    };
    (
        kind,
        format!("the handshake of the WebSocket failed: {error}"),
    )
}
