//! Sends one request and reads its answer, over connections that are opened as needed.

mod dial;
mod http1;
mod http2;

use std::net::SocketAddr;
use std::time::Duration;

use ::http::{HeaderName, Request, Response};
use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::clock::RunClock;
use crate::outcome::{Answer, Failure, FailureKind, Outcome};

use self::dial::Dialer;

/// A request body: all of it is there before the run starts.
pub(crate) type Body = Full<Bytes>;

/// What a client sends, and where.
#[derive(Clone, Debug)]
pub(crate) struct ClientOptions {
    pub(crate) address: SocketAddr,
    /// The request, sent again and again.
    pub(crate) request: Request<Body>,
    /// The longest a request may take, from when the generator turned to it.
    pub(crate) timeout: Duration,
    /// The most requests in flight. What comes then waits, and its response time grows.
    pub(crate) connections: usize,
    /// HTTP/2 with prior knowledge instead of HTTP/1.1.
    pub(crate) http2: bool,
    /// The answers' header whose values are counted.
    pub(crate) count_header: Option<HeaderName>,
}

/// Sends the requests of a run.
pub(crate) struct Client {
    options: ClientOptions,
    clock: RunClock,
    in_flight: Semaphore,
    dialer: Dialer,
    connections: Connections,
}

enum Connections {
    Http1(http1::Pool),
    Http2(http2::Shared),
}

impl Client {
    pub(crate) fn new(options: ClientOptions, clock: RunClock) -> Self {
        Self {
            clock,
            in_flight: Semaphore::new(options.connections.min(Semaphore::MAX_PERMITS)),
            dialer: Dialer::new(options.address),
            connections: if options.http2 {
                Connections::Http2(http2::Shared::default())
            } else {
                Connections::Http1(http1::Pool::default())
            },
            options,
        }
    }

    /// How many connections were opened so far.
    pub(crate) fn connections_opened(&self) -> u64 {
        self.dialer.opened()
    }

    /// Sends the request that was to start at `intended` and reads its answer to the end.
    pub(crate) async fn exchange(&self, intended: Duration) -> Outcome {
        let begun = self.clock.elapsed();
        let free = self.in_flight.try_acquire().ok();
        let waited = free.is_none();
        let attempt = async {
            let slot = match free {
                Some(slot) => Some(slot),
                None => self.in_flight.acquire().await.ok(),
            };
            let (answer, connection) = self.send().await?;
            Ok((answer, connection, slot))
        };
        let result = match timeout(self.options.timeout, attempt).await {
            Ok(Ok((answer, connection, slot))) => {
                self.keep(connection).await;
                drop(slot);
                Ok(answer)
            }
            Ok(Err(failure)) => Err(failure),
            Err(elapsed) => Err(Failure::new(FailureKind::Timeout, &elapsed)),
        };
        Outcome {
            intended,
            begun,
            waited,
            result,
        }
    }

    async fn send(&self) -> Result<(Answer, Option<http1::Sender>), Failure> {
        let request = self.options.request.clone();
        match &self.connections {
            Connections::Http1(pool) => {
                let sent = pool.send(&self.dialer, self.clock, request).await?;
                let answer = self.read(sent.response, sent.at).await?;
                Ok((answer, Some(sent.sender)))
            }
            Connections::Http2(shared) => {
                let mut sender = shared.sender(&self.dialer).await?;
                let at = self.clock.elapsed();
                let response = sender.send_request(request).await?;
                Ok((self.read(response, at).await?, None))
            }
        }
    }

    /// Gives the connection of an answered request to the next one.
    async fn keep(&self, connection: Option<http1::Sender>) {
        if let (Connections::Http1(pool), Some(sender)) = (&self.connections, connection) {
            pool.give_back(sender).await;
        }
    }

    async fn read(&self, response: Response<Incoming>, sent: Duration) -> Result<Answer, Failure> {
        let status = response.status();
        let counted = self.options.count_header.as_ref();
        let header = counted
            .and_then(|name| response.headers().get(name))
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let mut body = response.into_body();
        let mut bytes = 0;
        while let Some(frame) = body.frame().await {
            bytes += frame?.data_ref().map_or(0, |data| data.len() as u64);
        }
        Ok(Answer {
            status,
            bytes,
            header,
            sent,
            ended: self.clock.elapsed(),
        })
    }
}

/// Lets the process open as many sockets as the system allows at all: the usual soft limit of 1,024
/// is less than a burst needs.
pub(crate) fn raise_socket_limit() -> anyhow::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).context("cannot raise the limit of open files")
}
