//! `probes[]`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::document::model::{Probe, ProbeAction, ProbeKind};
use crate::document::reader::{Field, Object, Reader};

const KINDS: [(&str, ProbeKind); 3] = [
    ("Liveness", ProbeKind::Liveness),
    ("Readiness", ProbeKind::Readiness),
    ("Startup", ProbeKind::Startup),
];

/// Reads the probes, at most one of each kind.
pub(super) fn read(reader: &mut Reader<'_>, field: &Field<'_>) -> Vec<Probe> {
    let mut kinds = BTreeSet::new();
    let mut probes = Vec::new();
    for entry in reader.list(field) {
        if let Some(probe) = probe(reader, &entry) {
            if !kinds.insert(probe.kind) {
                let message = format!("a second {:?} probe; give at most one", probe.kind);
                reader.error(&entry, message);
            }
            probes.push(probe);
        }
    }
    probes
}

fn probe(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Probe> {
    let mut object = reader.object(field)?;
    let kind = object.require(reader, "type", "Liveness, Readiness or Startup");
    let kind = kind.and_then(|field| reader.choice(&field, &KINDS));
    let action = action(reader, field, &mut object);
    let mut number =
        |key, default, low, usual| count(reader, &mut object, key, low, usual).unwrap_or(default);
    let seconds = |number: u32| Duration::from_secs(number.into());
    let initial_delay = seconds(number("initialDelaySeconds", 0, 0, 60));
    let period = seconds(number("periodSeconds", 10, 1, 240));
    let timeout = seconds(number("timeoutSeconds", 1, 1, 240));
    let failure_threshold = number("failureThreshold", 3, 1, 10);
    let success_threshold = number("successThreshold", 1, 1, 10);
    if success_threshold != 1
        && matches!(kind, Some(ProbeKind::Liveness | ProbeKind::Startup))
        && let Some(field) = object.get("successThreshold")
    {
        reader.error(&field, "must be 1 for a Liveness or Startup probe");
    }
    object.accept(reader, &["terminationGracePeriodSeconds"]);
    object.finish(reader);
    Some(Probe {
        kind: kind?,
        action: action?,
        initial_delay,
        period,
        timeout,
        failure_threshold,
        success_threshold,
    })
}

/// A number that Azure limits more closely than is needed here; its own default probes are beyond
/// that limit.
fn count(
    reader: &mut Reader<'_>,
    object: &mut Object<'_>,
    key: &'static str,
    low: u32,
    usual: u32,
) -> Option<u32> {
    let field = object.get(key)?;
    let number = reader.integer(&field, low..=u32::MAX)?;
    if number > usual {
        reader.warn(&field, format!("Azure takes at most {usual}"));
    }
    Some(number)
}

fn action(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    object: &mut Object<'_>,
) -> Option<ProbeAction> {
    for key in ["exec", "grpc"] {
        if let Some(other) = object.get(key) {
            reader.error(
                &other,
                "is not a kind of probe here; use `httpGet` or `tcpSocket`",
            );
            return None;
        }
    }
    match (object.get("httpGet"), object.get("tcpSocket")) {
        (Some(get), None) => http_get(reader, &get),
        (None, Some(socket)) => tcp_socket(reader, &socket),
        (Some(_), Some(_)) => {
            reader.error(field, "give `httpGet` or `tcpSocket`, not both");
            None
        }
        (None, None) => {
            reader.error(field, "needs `httpGet` or `tcpSocket`");
            None
        }
    }
}

fn http_get(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<ProbeAction> {
    let mut object = reader.object(field)?;
    let port = object.require(reader, "port", "the port, as a number");
    let path = object.text(reader, "path");
    let host = object.text(reader, "host");
    let scheme = object.get("scheme");
    let https = scheme.and_then(|field| reader.choice(&field, &[("HTTP", false), ("HTTPS", true)]));
    let headers = object.list(reader, "httpHeaders");
    let headers = headers.iter().filter_map(|field| header(reader, field));
    let headers = headers.collect();
    object.finish(reader);
    Some(ProbeAction::HttpGet {
        port: reader.port(&port?)?,
        path: path
            .filter(|path| !path.is_empty())
            .unwrap_or_else(|| "/".to_owned()),
        host: host.filter(|host| !host.is_empty()),
        https: https.unwrap_or(false),
        headers,
    })
}

fn header(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<(String, String)> {
    let mut object = reader.object(field)?;
    let name = object.require(reader, "name", "the header's name");
    let value = object.require(reader, "value", "the header's value");
    object.finish(reader);
    Some((reader.text(&name?)?, reader.text(&value?)?))
}

fn tcp_socket(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<ProbeAction> {
    let mut object = reader.object(field)?;
    let port = object.require(reader, "port", "the port, as a number");
    object.accept(reader, &["host"]);
    object.finish(reader);
    let port = reader.port(&port?)?;
    Some(ProbeAction::TcpSocket { port })
}
