//! The stream of events of a status API.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::uri::{Authority, Scheme};
use http::{Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::api::Problem;
use crate::observe::error::ObserveError;
use crate::observe::stream::{LONGEST, Parser, ServerEvent};

/// How long a connection may take to be made, and an answer to begin.
const ANSWER: Duration = Duration::from_secs(5);
/// How long nothing may come: Ebbtide sends a comment every 15 s if nothing happens.
const SILENCE: Duration = Duration::from_secs(40);
/// The longest body of an error that is read.
const LONGEST_PROBLEM: usize = 64 * 1024;

/// Where a status API is.
#[derive(Clone, Debug)]
pub(super) struct Server {
    url: String,
    authority: Authority,
}

/// A stream that is open.
pub(super) struct Stream {
    server: Server,
    body: Incoming,
    parser: Parser,
    /// Events that have come and were not taken yet, the next one last.
    ready: Vec<ServerEvent>,
    /// Drives the connection.
    _driver: JoinSet<()>,
}

impl Server {
    /// Of a URL without a path.
    pub(super) fn new(url: &str) -> Result<Self, ObserveError> {
        let wrong = || ObserveError::Url(url.to_owned());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let plain = uri.scheme() == Some(&Scheme::HTTP) && uri.path() == "/";
        let authority = uri.authority().filter(|_| plain && uri.query().is_none());
        let authority = authority.ok_or_else(wrong)?.clone();
        Ok(Self {
            url: format!("http://{authority}"),
            authority,
        })
    }

    /// Opens the stream of events.
    pub(super) async fn open(&self) -> Result<Stream, ObserveError> {
        let answered = timeout(ANSWER, self.ask()).await;
        let (answer, driver) = answered.map_err(|_| self.late("answer", ANSWER))??;
        let kind = answer.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.to_owned();
        if answer.status() != StatusCode::OK || !kind.starts_with("text/event-stream") {
            return Err(self.refused(answer, &kind).await);
        }
        Ok(Stream {
            server: self.clone(),
            body: answer.into_body(),
            parser: Parser::new(LONGEST),
            ready: Vec::new(),
            _driver: driver,
        })
    }

    async fn ask(&self) -> Result<(Response<Incoming>, JoinSet<()>), ObserveError> {
        let host = self.authority.host().trim_matches(['[', ']']);
        let port = self.authority.port_u16().unwrap_or(80);
        let stream = TcpStream::connect((host, port)).await;
        let stream = stream.map_err(|because| ObserveError::Unreachable {
            url: self.url.clone(),
            because,
        })?;
        let shaken = http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = shaken.map_err(|error| self.broken(&error))?;
        let mut driver = JoinSet::new();
        driver.spawn(async {
            // What goes wrong with it is told to who reads from it.
            let _ = connection.await;
        });
        let request = Request::get("/api/v1/events")
            .header(HOST, self.authority.as_str())
            .header(ACCEPT, "text/event-stream")
            .body(Empty::<Bytes>::new());
        let request = request.map_err(|_| ObserveError::Url(self.url.clone()))?;
        let answer = sender.send_request(request).await;
        Ok((answer.map_err(|error| self.broken(&error))?, driver))
    }

    async fn refused(&self, answer: Response<Incoming>, kind: &str) -> ObserveError {
        let url = self.url.clone();
        let status = answer.status();
        if kind.starts_with("application/problem+json") {
            let body = Limited::new(answer.into_body(), LONGEST_PROBLEM).collect();
            if let Ok(Ok(body)) = timeout(ANSWER, body).await
                && let Ok(problem) = serde_json::from_slice::<Problem>(&body.to_bytes())
            {
                return ObserveError::Refused {
                    url,
                    status: status.as_u16(),
                    detail: problem.detail,
                };
            }
        }
        let kind = if kind.is_empty() {
            "no content type"
        } else {
            kind
        };
        ObserveError::NotEbbtide {
            url,
            answer: format!("{status} with {kind}"),
        }
    }

    fn broken(&self, error: &hyper::Error) -> ObserveError {
        ObserveError::Broken {
            url: self.url.clone(),
            because: error.to_string(),
        }
    }

    pub(super) fn unreadable(&self, event: &str, because: String) -> ObserveError {
        ObserveError::Unreadable {
            url: self.url.clone(),
            event: event.to_owned(),
            because,
        }
    }

    pub(super) fn late(&self, what: &'static str, within: Duration) -> ObserveError {
        ObserveError::TooLate {
            url: self.url.clone(),
            what,
            within,
        }
    }
}

impl Stream {
    /// The next event. If this is dropped before it is there, nothing is lost.
    pub(super) async fn next(&mut self) -> Result<ServerEvent, ObserveError> {
        loop {
            if let Some(event) = self.ready.pop() {
                return Ok(event);
            }
            let frame = timeout(SILENCE, self.body.frame()).await;
            let frame = frame.map_err(|_| self.server.late("send anything", SILENCE))?;
            let frame = frame.ok_or_else(|| ObserveError::Broken {
                url: self.server.url.clone(),
                because: "it was closed".to_owned(),
            })?;
            let frame = frame.map_err(|error| self.server.broken(&error))?;
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            let pushed = self.parser.push(&bytes, &mut self.ready);
            pushed.map_err(|because| ObserveError::TooLong {
                url: self.server.url.clone(),
                because,
            })?;
            self.ready.reverse();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_api_is_at_a_plain_url_without_a_path() {
        for (url, expected) in [
            ("http://127.0.0.1:8081", Some("http://127.0.0.1:8081")),
            ("http://localhost:8081/", Some("http://localhost:8081")),
            ("http://[::1]:8081", Some("http://[::1]:8081")),
            ("https://127.0.0.1:8081", None),
            ("http://127.0.0.1:8081/api", None),
            ("http://127.0.0.1:8081/?a", None),
            ("127.0.0.1:8081", None),
            ("", None),
        ] {
            let server = Server::new(url).ok().map(|server| server.url);
            assert_eq!(server.as_deref(), expected, "{url}");
        }
    }
}
