//! One line of the access log.

use std::io::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use ebbtide_core::name::{ReplicaName, RevisionName};
use ebbtide_ingress::AccessRecord;
use serde::Serialize;

use crate::clock::SystemClock;

/// A request as JSON. What is not known is left out.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line<'a> {
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<&'a RevisionName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replica: Option<&'a ReplicaName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'a str>,
    scheme: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    request_bytes: u64,
    response_bytes: u64,
    duration_milliseconds: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_milliseconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_byte_milliseconds: Option<f64>,
    client: IpAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    span_id: Option<String>,
}

/// Appends the line of a request.
pub(super) fn write(text: &mut Vec<u8>, record: &AccessRecord, clock: &SystemClock) {
    let revision = record.revision.as_ref();
    let line = Line {
        time: clock.rfc3339(record.arrived),
        app: revision.map(RevisionName::app),
        revision,
        replica: record.replica.as_ref(),
        method: record.method.as_deref(),
        scheme: record.scheme,
        host: record.host.as_deref(),
        path: record.path.as_deref(),
        query: record.query.as_deref(),
        protocol: record.protocol,
        status: record.status,
        reason: record.reason,
        request_bytes: record.received_bytes,
        response_bytes: record.sent_bytes,
        duration_milliseconds: milliseconds(record.duration),
        held_milliseconds: record.held.map(milliseconds),
        first_byte_milliseconds: record.first_byte.map(milliseconds),
        client: record.client,
        trace_id: record.trace.map(|(trace, _)| trace.to_string()),
        span_id: record.trace.map(|(_, span)| span.to_string()),
    };
    // Nothing of it can fail to be written as JSON, nor is there no space in memory.
    if serde_json::to_writer(&mut *text, &line).is_ok() {
        let _infallible = text.write_all(b"\n");
    }
}

/// To the microsecond.
fn milliseconds(duration: Duration) -> f64 {
    let micros = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    f64::from(micros) / 1000.0
}
