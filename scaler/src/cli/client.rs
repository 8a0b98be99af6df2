//! Asks the status API: one connection for each request, over plain HTTP/1.1.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context;
use bytes::{Bytes, BytesMut};
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::uri::{Authority, Scheme};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::api::model::Problem;

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// How long an answer may take to begin, and one that ends, to end.
const ANSWER: Duration = Duration::from_secs(30);

/// The longest answer, or line of an answer that does not end.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// The address of a status API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server(Authority);

impl FromStr for Server {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let uri = text
            .parse::<Uri>()
            .ok()
            .filter(|uri| uri.scheme() == Some(&Scheme::HTTP));
        let parts = uri.map(Uri::into_parts);
        let is_root = |path: &str| path == "/";
        parts
            .filter(|parts| {
                parts
                    .path_and_query
                    .as_ref()
                    .is_none_or(|p| is_root(p.as_str()))
            })
            .and_then(|parts| parts.authority)
            .map(Self)
            .ok_or_else(|| "write http://HOST:PORT, as in http://127.0.0.1:8081".to_owned())
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.0)
    }
}

/// The server cannot be reached.
#[derive(Debug, Error)]
#[error(
    "cannot reach {server}: {because}; is `ebbtide up` running? If its status API is elsewhere, \
     name it with --server or EBBTIDE_SERVER"
)]
pub(super) struct Unreachable {
    server: Server,
    because: String,
}

/// The server said no.
#[derive(Debug, Error)]
#[error("{}", .0.detail)]
pub(super) struct Refused(Problem);

impl Refused {
    /// Whether it was a document that was not valid.
    pub(super) fn is_invalid_document(&self) -> bool {
        self.0.status == StatusCode::UNPROCESSABLE_ENTITY && !self.0.errors.is_empty()
    }

    /// The detail, and what was wrong, a line each.
    fn new(mut problem: Problem) -> Self {
        for error in &problem.errors {
            let place = match (error.line, error.column) {
                (Some(line), Some(column)) => format!("{line}:{column}: "),
                (Some(line), None) => format!("line {line}: "),
                _ => String::new(),
            };
            let path = if error.path.is_empty() { "" } else { ": " };
            let line = format!("\n  {place}{}{path}{}", error.path, error.message);
            problem.detail.push_str(&line);
        }
        Self(problem)
    }
}

/// The status API of a running Ebbtide.
pub(super) struct Client {
    server: Server,
}

/// A document to send, and what it is.
pub(super) struct Document {
    pub(super) content_type: &'static str,
    pub(super) text: Vec<u8>,
}

impl Client {
    pub(super) fn new(server: Server) -> Self {
        Self { server }
    }

    /// Asks for JSON.
    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, None).await
    }

    /// Sends a request, and reads the JSON that comes back.
    pub(super) async fn send(
        &self,
        method: Method,
        path: &str,
        document: Option<Document>,
    ) -> anyhow::Result<Value> {
        let (response, _connection) = self.start(method, path, document).await?;
        let body = self.read(response).await?;
        serde_json::from_slice(&body)
            .with_context(|| format!("{} did not answer with JSON", self.server))
    }

    /// Asks for an answer that is one JSON object a line.
    pub(super) async fn lines(&self, path: &str) -> anyhow::Result<Lines> {
        let (response, connection) = self.start(Method::GET, path, None).await?;
        let body = response.into_body();
        Ok(Lines {
            body,
            rest: BytesMut::new(),
            _connection: connection,
        })
    }

    /// Sends a request, and waits for the head of an answer that is not an error.
    async fn start(
        &self,
        method: Method,
        path: &str,
        document: Option<Document>,
    ) -> anyhow::Result<(Response<Incoming>, JoinSet<()>)> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.server.0.as_str())
            .header(ACCEPT, "application/json");
        if let Some(document) = &document {
            request = request.header(CONTENT_TYPE, document.content_type);
        }
        let body = document.map(|document| document.text).unwrap_or_default();
        let request = request.body(Full::new(Bytes::from(body)))?;

        let (mut sender, connection) = self.connect().await?;
        let response = timeout(ANSWER, sender.send_request(request)).await;
        let response = response
            .map_err(|_| self.silent())?
            .map_err(|error| self.broken(&error))?;
        if response.status().is_success() {
            return Ok((response, connection));
        }
        Err(self.refusal(response).await)
    }

    /// The connection is driven for as long as the set is kept.
    async fn connect(&self) -> anyhow::Result<(http1::SendRequest<Full<Bytes>>, JoinSet<()>)> {
        let port = self.server.0.port_u16().unwrap_or(80);
        let host = self.server.0.host().trim_matches(['[', ']']);
        let connecting = timeout(CONNECT, TcpStream::connect((host, port))).await;
        let stream = connecting
            .map_err(|_| self.unreachable(&"no answer"))?
            .map_err(|error| self.unreachable(&error))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.broken(&error))?;
        let mut driver = JoinSet::new();
        driver.spawn(async move {
            // What goes wrong here, the request or its answer reports.
            let _ = connection.await;
        });
        Ok((sender, driver))
    }

    async fn read(&self, response: Response<Incoming>) -> anyhow::Result<Bytes> {
        let body = Limited::new(response.into_body(), MAX_ANSWER).collect();
        let body = timeout(ANSWER, body).await.map_err(|_| self.silent())?;
        let body = body.map_err(|error| anyhow::anyhow!("the answer broke off: {error}"))?;
        Ok(body.to_bytes())
    }

    async fn refusal(&self, response: Response<Incoming>) -> anyhow::Error {
        let status = response.status();
        let body = match self.read(response).await {
            Ok(body) => body,
            Err(error) => return error,
        };
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => Refused::new(problem).into(),
            Err(_) => anyhow::anyhow!("{} answered {status}; is it ebbtide's?", self.server),
        }
    }

    fn unreachable(&self, because: &dyn fmt::Display) -> anyhow::Error {
        Unreachable {
            server: self.server.clone(),
            because: because.to_string(),
        }
        .into()
    }

    fn broken(&self, error: &hyper::Error) -> anyhow::Error {
        let server = &self.server;
        anyhow::anyhow!("{server} broke off: {error}; is it ebbtide's status API?")
    }

    fn silent(&self) -> anyhow::Error {
        anyhow::anyhow!(
            "{} did not answer within {} s",
            self.server,
            ANSWER.as_secs()
        )
    }
}

/// Reads what the API answered.
pub(super) fn typed<T: DeserializeOwned>(value: &Value) -> anyhow::Result<T> {
    T::deserialize(value).context("the answer is not what this version of ebbtide expects")
}

/// An answer, line by line.
pub(super) struct Lines {
    body: Incoming,
    rest: BytesMut,
    _connection: JoinSet<()>,
}

impl Lines {
    /// The next line without its end; none when the answer has ended.
    pub(super) async fn next(&mut self) -> anyhow::Result<Option<Bytes>> {
        loop {
            if let Some(end) = self.rest.iter().position(|&byte| byte == b'\n') {
                let mut line = self.rest.split_to(end + 1);
                line.truncate(end);
                return Ok(Some(line.freeze()));
            }
            anyhow::ensure!(
                self.rest.len() < MAX_ANSWER,
                "a line of the answer is too long"
            );
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    self.rest
                        .extend_from_slice(&frame.into_data().unwrap_or_default());
                }
                Some(Err(error)) => anyhow::bail!("the answer broke off: {error}"),
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::exit_code;

    #[test]
    fn a_server_is_a_root_over_plain_http() {
        for good in [
            "http://127.0.0.1:8081",
            "http://localhost:1/",
            "http://[::1]:8081",
        ] {
            assert!(good.parse::<Server>().is_ok(), "{good}");
        }
        for bad in [
            "127.0.0.1:8081",
            "https://a",
            "http://a/b",
            "http://a/?b",
            "",
            "http://",
        ] {
            assert!(bad.parse::<Server>().is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn where_nobody_listens_the_error_says_what_to_do() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let client = Client::new(format!("http://{address}").parse().unwrap());
        let error = client.get("/api/v1/apps").await.unwrap_err();
        assert!(
            error.to_string().contains("is `ebbtide up` running?"),
            "{error}"
        );
        assert_eq!(exit_code(&error), 4);
    }

    #[test]
    fn a_refusal_lists_each_error_with_its_place() {
        let detail = |path: &str, line, column| crate::api::model::ProblemDetail {
            path: path.to_owned(),
            line,
            column,
            message: "is wrong".to_owned(),
        };
        let mut problem = Problem {
            kind: String::new(),
            title: String::new(),
            status: 422,
            detail: "2 errors".to_owned(),
            errors: vec![detail("a.b", Some(3), Some(5)), detail("", None, None)],
        };
        let error = anyhow::Error::from(Refused::new(problem.clone()));
        assert_eq!(
            error.to_string(),
            "2 errors\n  3:5: a.b: is wrong\n  is wrong"
        );
        assert_eq!(exit_code(&error), 3);
        problem.status = 409;
        assert_eq!(exit_code(&Refused::new(problem).into()), 1);
    }
}
