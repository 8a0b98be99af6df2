//! HTTP/2, by hyper's client: many requests on a connection.

use std::cell::Cell;
use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use http::uri::{PathAndQuery, Scheme};
use http::{HeaderValue, Request, Uri};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::Mutex;
use tokio::task::spawn_local;

use super::dial::{Dialer, Stream};
use super::driver::Start;
use super::rules::{Found, Rules, Times};
use super::tasks::{Complete, Exchange};
use super::template::Filling;
use super::{Target, grpc, tls};
use crate::clock::RunClock;
use crate::plan::{Answers, Connections, HttpTarget, TargetKind};
use crate::record::outcome::FailureKind;

type Sender = SendRequest<Full<Bytes>>;

/// Why there is no answer, in words.
pub(super) type Failed = (FailureKind, String);

/// The connections of a target, over which requests go in turn. One is opened when it is needed, and again when it
/// was closed.
///
/// Beyond the number of streams that the server allows on a connection, requests queue inside of it, and that counts
/// as service time.
pub(super) struct Http2 {
    seed: u64,
    scheme: Scheme,
    target: HttpTarget,
    /// How many messages a call of gRPC is answered with; none if it is plain HTTP/2.
    grpc: Option<Answers>,
    rules: Rules,
    dialer: Dialer,
    /// None if each request has a connection of its own.
    connections: Vec<Mutex<Option<Sender>>>,
    next: Cell<usize>,
}

impl Http2 {
    /// With so many connections, or one for each request if that is none.
    pub(super) fn new(
        target: &Target<'_>,
        http: &HttpTarget,
        connections: usize,
    ) -> Result<Self, tls::Error> {
        let is_secure = http.tls.is_some();
        Ok(Self {
            seed: target.seed,
            scheme: if is_secure {
                Scheme::HTTPS
            } else {
                Scheme::HTTP
            },
            target: http.clone(),
            grpc: match &target.plan.kind {
                TargetKind::Grpc(grpc) => Some(grpc.answers),
                _ => None,
            },
            rules: Rules::of(target.plan),
            dialer: Dialer::new(http)?,
            connections: (0..connections).map(|_| Mutex::default()).collect(),
            next: Cell::new(0),
        })
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Opens those connections that are fixed, and says how long each took.
    pub(super) async fn prepare(&self, clock: RunClock) -> Result<Vec<Duration>, String> {
        let mut times = Vec::new();
        if let Connections::Fixed(_) = self.target.connections {
            for connection in &self.connections {
                let opened = self.open(clock).await;
                let (sender, took) = opened.map_err(|(_, why)| why)?;
                *connection.lock().await = Some(sender);
                times.push(took);
            }
        }
        Ok(times)
    }

    /// Sends the request of this position and reads its answer to the end.
    pub(super) async fn exchange(&self, clock: RunClock, start: &Start) -> Exchange {
        let mut connect = None;
        let result = async {
            let request = self.request(start.position)?;
            let sender = self.sender(clock, &mut connect).await?;
            self.send(clock, sender, request).await
        };
        let result = result.await;
        Exchange { connect, result }
    }

    fn request(&self, position: u64) -> Result<Request<Full<Bytes>>, Failed> {
        let mut filling = Filling::new(self.seed, position);
        let mut path = Vec::new();
        self.target.path.render(&mut filling, &mut path);
        let path = PathAndQuery::try_from(path).map_err(|error| refused(&error))?;
        let uri = Uri::builder()
            .scheme(self.scheme.clone())
            .authority(self.target.authority.as_str())
            .path_and_query(path);
        let mut request = Request::builder()
            .method(self.target.method.clone())
            .uri(uri.build().map_err(|error| refused(&error))?);
        for (name, template) in &self.target.headers {
            let mut value = Vec::new();
            template.render(&mut filling, &mut value);
            let value = HeaderValue::try_from(value).map_err(|error| refused(&error))?;
            request = request.header(name, value);
        }
        let mut body = Vec::new();
        self.target.body.render(&mut filling, &mut body);
        let request = request.body(Full::from(body));
        request.map_err(|error| refused(&error))
    }

    async fn sender(&self, clock: RunClock, took: &mut Option<Duration>) -> Result<Sender, Failed> {
        if self.connections.is_empty() {
            let (sender, time) = self.open(clock).await?;
            *took = Some(time);
            return Ok(sender);
        }
        let next = self.next.get();
        self.next.set((next + 1) % self.connections.len());
        let mut connection = self.connections[next].lock().await;
        if let Some(sender) = connection.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let (sender, time) = self.open(clock).await?;
        *took = Some(time);
        Ok(connection.insert(sender).clone())
    }

    async fn open(&self, clock: RunClock) -> Result<(Sender, Duration), Failed> {
        let failed = |error: &(dyn Error + 'static)| (FailureKind::Connect, chain(error));
        let started = clock.elapsed();
        let stream = self.dialer.dial().await.map_err(|error| failed(&error))?;
        let sender = match stream {
            Stream::Plain(stream) => shake_hands(TokioIo::new(stream)).await,
            Stream::Tls(stream) => shake_hands(TokioIo::new(stream)).await,
        };
        let sender = sender.map_err(|error| failed(&error))?;
        Ok((sender, clock.elapsed().saturating_sub(started)))
    }

    async fn send(
        &self,
        clock: RunClock,
        mut sender: Sender,
        request: Request<Full<Bytes>>,
    ) -> Result<Complete, Failed> {
        let sent = clock.elapsed();
        let response = sender
            .send_request(request)
            .await
            .map_err(|error| broken(&error))?;
        let mut first_byte = clock.elapsed();
        let mut found = Found::default();
        found.clear(&self.rules);
        found.headers(&self.rules, response.headers());
        let status = response.status().as_u16();
        let bytes = if let Some(answers) = self.grpc {
            let call = grpc::Call::new(answers, clock, &self.rules);
            let read = call.read(response, &mut found).await?;
            first_byte = read.first_message.unwrap_or(first_byte);
            read.bytes
        } else {
            read_body(response.into_body(), &self.rules, &mut found).await?
        };
        let ended = clock.elapsed();
        let times = Times {
            sent,
            first_byte,
            ended,
        };
        Ok(Complete {
            status,
            bytes,
            times,
            found,
        })
    }
}

/// Reads a body to its end, and says how long it was.
pub(super) async fn read_body(
    mut body: Incoming,
    rules: &Rules,
    found: &mut Found,
) -> Result<u64, Failed> {
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        if let Some(data) = frame.map_err(|error| broken(&error))?.data_ref() {
            bytes += data.len() as u64;
            found.body(rules, data);
        }
    }
    Ok(bytes)
}

async fn shake_hands<I>(io: I) -> Result<Sender, hyper::Error>
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin + Send + 'static,
{
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
    spawn_local(async {
        // What goes wrong with it is told to its requests.
        let _ = connection.await;
    });
    Ok(sender)
}

/// A template was filled with what cannot be sent.
fn refused(error: &(dyn Error + 'static)) -> Failed {
    (FailureKind::Protocol, chain(error))
}

pub(super) fn broken(error: &hyper::Error) -> Failed {
    let kind = if error.is_parse() {
        FailureKind::Protocol
    } else {
        FailureKind::Reset
    };
    (kind, chain(error))
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    causes.join(": ")
}
