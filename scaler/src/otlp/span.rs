//! A request as a span, by OpenTelemetry's conventions for HTTP servers.

use std::borrow::Cow;

use ebbtide_core::name::{ReplicaName, RevisionName};
use ebbtide_ingress::{AccessRecord, SpanRecord};
use ebbtide_proto::otlp::{Span, SpanKind, Status, StatusCode};

use super::attributes::Attributes;

/// The methods that go by their name.
const METHODS: [&str; 10] = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY",
];

/// The status of requests whose clients went away before there was an answer.
const CLIENT_GONE: u16 = 499;

/// Of `flags`: it is known whether the parent is in another process, and it is.
const IS_REMOTE_KNOWN: u32 = 1 << 8;
const IS_REMOTE: u32 = 1 << 9;

/// The span of a request, with times that count from `origin`, in nanoseconds since 1970. None if it
/// belongs to no trace.
pub(super) fn of(record: &SpanRecord, origin: u64) -> Option<Span> {
    let (request, from) = (&record.request, &record.origin);
    let (trace, span) = request.trace?;
    let start = origin.saturating_add(request.arrived.as_nanos());
    let took = u64::try_from(request.duration.as_nanos()).unwrap_or(u64::MAX);
    let error = error(request);
    let method = request
        .method
        .as_deref()
        .filter(|one| METHODS.contains(one));
    let is_remote = from.parent.map_or(0, |_| IS_REMOTE);
    let parent = from.parent.map(|parent| parent.0.to_be_bytes().to_vec());
    let failed = Status {
        message: String::new(),
        code: StatusCode::Error.into(),
    };
    Some(Span {
        trace_id: trace.0.to_be_bytes().to_vec(),
        span_id: span.0.to_be_bytes().to_vec(),
        trace_state: from.state.as_deref().unwrap_or_default().to_owned(),
        parent_span_id: parent.unwrap_or_default(),
        name: method.unwrap_or("HTTP").to_owned(),
        kind: SpanKind::Server.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: start.saturating_add(took),
        status: error.as_ref().map(|_| failed),
        attributes: attributes(record, method, error.as_deref()).into_vec(),
        flags: u32::from(from.flags) | IS_REMOTE_KNOWN | is_remote,
    })
}

fn attributes(record: &SpanRecord, method: Option<&str>, error: Option<&str>) -> Attributes {
    let request = &record.request;
    let mut all = Attributes::default();
    all.text("http.request.method", Some(method.unwrap_or("_OTHER")));
    let original = request.method.as_deref().filter(|_| method.is_none());
    all.text("http.request.method_original", original);
    all.text("url.scheme", Some(request.scheme));
    all.text("url.path", request.path.as_deref());
    let (address, port) = request.host.as_deref().map(server).unzip();
    all.text("server.address", address);
    all.number("server.port", port.flatten());
    let version = request.protocol.and_then(|text| text.split_once('/'));
    all.text(
        "network.protocol.version",
        version.map(|(_, number)| number),
    );
    all.text("client.address", Some(&request.client.to_string()));
    all.text("user_agent.original", record.origin.user_agent.as_deref());
    let status = Some(request.status).filter(|_| is_answered(request));
    all.number("http.response.status_code", status);
    all.text("error.type", error);
    let revision = request.revision.as_ref();
    all.text("ebbtide.app", revision.map(RevisionName::app));
    all.text("ebbtide.revision", revision.map(RevisionName::as_str));
    let replica = request.replica.as_ref().map(ReplicaName::as_str);
    all.text("ebbtide.replica", replica);
    all.text("ebbtide.reason", request.reason);
    all.seconds("ebbtide.held_seconds", request.held);
    all.seconds("ebbtide.first_byte_seconds", request.first_byte);
    all
}

/// What it ended with, if that is an error of a server: a word for the reason, or else the status.
fn error(request: &AccessRecord) -> Option<Cow<'static, str>> {
    let is_cut_off = request.first_byte.is_some() && request.reason.is_some();
    if request.status < 500 && is_answered(request) && !is_cut_off {
        return None;
    }
    Some(match request.reason {
        Some(reason) => reason.into(),
        None if is_answered(request) => request.status.to_string().into(),
        None => "client-gone".into(),
    })
}

/// Whether the client got the head of an answer: apps may answer 499, too.
fn is_answered(request: &AccessRecord) -> bool {
    request.status != CLIENT_GONE || request.first_byte.is_some()
}

/// The host and the port of what was asked.
fn server(host: &str) -> (&str, Option<u16>) {
    match host.rsplit_once(':') {
        // Else it is the end of an IPv6 address.
        Some((name, port)) if !port.ends_with(']') => (bare(name), port.parse().ok()),
        _ => (bare(host), None),
    }
}

/// An address without its brackets.
fn bare(name: &str) -> &str {
    let inside = name.strip_prefix('[');
    let inside = inside.and_then(|rest| rest.strip_suffix(']'));
    inside.unwrap_or(name)
}
