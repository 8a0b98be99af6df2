//! One request in the access log.

use std::net::IpAddr;
use std::time::Duration;

use ebbtide_core::name::{ReplicaName, RevisionName};
use ebbtide_core::time::Timestamp;
use http::header::HOST;
use http::{HeaderValue, Method, Request, StatusCode, Version};

use crate::limits::reason::Reason;
use crate::scheme::Scheme;
use crate::trace::{SpanId, TraceId};

/// What is kept of a method, of a host, and of a path or query, in bytes.
const METHOD: usize = 32;
const NAME: usize = 255;
const TARGET: usize = 1024;

/// A request that has ended.
#[derive(Clone, Debug)]
pub struct AccessRecord {
    /// When its head had come.
    pub arrived: Timestamp,
    /// The revision that it was for; none if none was found.
    pub revision: Option<RevisionName>,
    /// The replica that it was sent to last.
    pub replica: Option<ReplicaName>,
    /// Its method; none of this and the next three if it could not be read.
    pub method: Option<Box<str>>,
    /// The host that was asked, as it was written.
    pub host: Option<Box<str>>,
    /// The path, cut off after 1 KiB.
    pub path: Option<Box<str>>,
    /// The protocol: `HTTP/1.1`.
    pub protocol: Option<&'static str>,
    /// The query, if queries are told, cut off likewise.
    pub query: Option<Box<str>>,
    /// How it came: `http`, `https`, or `tcp` for a connection to a TCP app.
    pub scheme: &'static str,
    /// What it was answered with; 499 if the client went away before.
    pub status: u16,
    /// Why no replica answered it, or its answer is not complete.
    pub reason: Option<&'static str>,
    /// Bytes of its body that came.
    pub received_bytes: u64,
    /// Bytes of its answer's body that were passed on.
    pub sent_bytes: u64,
    /// From its arrival to the end of its answer's body, or of its tunnel.
    pub duration: Duration,
    /// How long it waited for a replica, if it got one after waiting.
    pub held: Option<Duration>,
    /// From its arrival to the head of the replica's answer.
    pub first_byte: Option<Duration>,
    /// Who asked; behind proxies that are trusted, whom they name.
    pub client: IpAddr,
    /// Its trace, and the span that the replica was told.
    pub trace: Option<(TraceId, SpanId)>,
}

impl AccessRecord {
    pub(super) fn new(client: IpAddr, scheme: Scheme, arrived: Timestamp) -> Self {
        Self {
            arrived,
            revision: None,
            replica: None,
            method: None,
            host: None,
            path: None,
            protocol: None,
            query: None,
            scheme: scheme.as_str(),
            status: 0,
            reason: None,
            received_bytes: 0,
            sent_bytes: 0,
            duration: Duration::ZERO,
            held: None,
            first_byte: None,
            client,
            trace: None,
        }
    }

    /// Takes in what a request's head says.
    pub(super) fn asked<B>(&mut self, request: &Request<B>, with_query: bool) {
        let uri = request.uri();
        let header = || request.headers().get(HOST).map(HeaderValue::as_bytes);
        let host = uri.authority().map(|host| host.as_str().as_bytes());
        let host = host.or_else(header).map(String::from_utf8_lossy);
        // A name and password may be before it, with which the request is refused.
        let name = |host: &str| kept(host.rsplit('@').next().unwrap_or_default(), NAME);
        self.host = host.map(|host| name(&host));
        self.method = Some(kept(request.method().as_str(), METHOD));
        self.path = Some(kept(uri.path(), TARGET));
        self.protocol = Some(protocol(request.version()));
        let query = uri.query().filter(|_| with_query);
        self.query = query.map(|query| kept(query, TARGET));
    }

    /// The ingress answers it itself, with so many bytes.
    pub(crate) fn refused(&mut self, status: StatusCode, reason: Reason, bytes: u64) {
        self.status = status.as_u16();
        self.reason = Some(reason.name());
        let is_sent = self.method.as_deref() != Some(Method::HEAD.as_str());
        if is_sent && reason != Reason::ClientGone {
            self.sent_bytes = bytes;
        }
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP/1.1",
    }
}

/// The beginning of a text, at most so many bytes.
pub(crate) fn kept(text: &str, most: usize) -> Box<str> {
    Box::from(&text[..text.floor_char_boundary(most)])
}
