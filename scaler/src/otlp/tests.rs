use std::net::{IpAddr, SocketAddr};

use ebbtide_core::name::{ReplicaName, RevisionName};
use ebbtide_core::time::Timestamp;
use ebbtide_ingress::{
    AccessRecord, Ingress, IngressOptions, RecordReading, RoutingTable, SpanId, SpanOrigin, Spans,
    TraceId,
};
use ebbtide_proto::otlp::any_value::Value;
use ebbtide_proto::otlp::{Span, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;

fn record() -> SpanRecord {
    let revision = RevisionName::parse("hello--v1").unwrap();
    let request = AccessRecord {
        arrived: Timestamp::from_nanos(5),
        replica: Some(ReplicaName::new(&revision, "abc")),
        revision: Some(revision),
        method: Some("GET".into()),
        host: Some("hello.localhost".into()),
        path: Some("/a".into()),
        protocol: Some("HTTP/2"),
        query: None,
        scheme: "https",
        status: 200,
        reason: None,
        received_bytes: 3,
        sent_bytes: 5,
        duration: Duration::from_nanos(7),
        held: None,
        first_byte: Some(Duration::from_nanos(6)),
        client: IpAddr::from([127, 0, 0, 1]),
        trace: Some((TraceId(255), SpanId(16))),
    };
    let origin = SpanOrigin {
        parent: Some(SpanId(17)),
        flags: 1,
        ..SpanOrigin::default()
    };
    SpanRecord { request, origin }
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|one| one.key == key)?;
    Some(match found.value.clone()?.value? {
        Value::Text(text) => text,
        Value::Integer(number) => number.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Truth(is) => is.to_string(),
    })
}

#[test]
fn a_span_has_the_identities_times_and_flags_of_its_request() {
    let mut record = record();
    let span = span::of(&record, 1000).unwrap();
    assert_eq!(span.trace_id, [[0; 15].as_slice(), &[255]].concat());
    assert_eq!(span.span_id, [0, 0, 0, 0, 0, 0, 0, 16]);
    assert_eq!(span.parent_span_id, [0, 0, 0, 0, 0, 0, 0, 17]);
    let times = (span.start_time_unix_nano, span.end_time_unix_nano);
    assert_eq!((times, span.flags), ((1005, 1012), 0x301));
    assert_eq!((span.name.as_str(), span.status), ("GET", None));
    record.origin.parent = None;
    let span = span::of(&record, 1000).unwrap();
    assert_eq!((span.parent_span_id.len(), span.flags), (0, 0x101));
    record.request.trace = None;
    assert_eq!(span::of(&record, 1000), None);
}

#[test]
fn errors_are_those_of_a_server_and_say_which() {
    // What it was answered with, why, and whether an app's answer had begun.
    for (status, reason, has_begun, error, code) in [
        (200, None, true, None, Some("200")),
        (404, None, true, None, Some("404")),
        (499, None, true, None, Some("499")),
        (500, None, true, Some("500"), Some("500")),
        (404, Some("unknown-host"), false, None, Some("404")),
        (301, Some("redirect"), false, None, Some("301")),
        (
            503,
            Some("waited-too-long"),
            false,
            Some("waited-too-long"),
            Some("503"),
        ),
        (
            200,
            Some("replica-broke-off"),
            true,
            Some("replica-broke-off"),
            Some("200"),
        ),
        (
            200,
            Some("client-gone"),
            true,
            Some("client-gone"),
            Some("200"),
        ),
        (499, None, false, Some("client-gone"), None),
    ] {
        let mut record = record();
        record.request.status = status;
        record.request.reason = reason;
        if !has_begun {
            record.request.first_byte = None;
        }
        let span = span::of(&record, 0).unwrap();
        let found = (
            attribute(&span, "error.type"),
            attribute(&span, "http.response.status_code"),
        );
        let expected = (error.map(str::to_owned), code.map(str::to_owned));
        assert_eq!(found, expected, "{status} {reason:?}");
        let is_error = span
            .status
            .is_some_and(|one| one.code() == StatusCode::Error);
        assert_eq!(is_error, error.is_some(), "{status} {reason:?}");
    }
}

#[test]
fn hosts_and_methods_are_told_as_the_conventions_have_them() {
    for (host, address, port) in [
        ("hello.localhost", "hello.localhost", None),
        ("hello:8080", "hello", Some("8080")),
        ("[::1]:8080", "::1", Some("8080")),
        ("[::1]", "::1", None),
        ("hello:", "hello", None),
    ] {
        let mut record = record();
        record.request.host = Some(host.into());
        record.request.method = Some("get".into());
        let span = span::of(&record, 0).unwrap();
        let found = ["server.address", "server.port"].map(|key| attribute(&span, key));
        assert_eq!(
            found,
            [Some(address), port].map(|one| one.map(str::to_owned)),
            "{host}"
        );
        let method = attribute(&span, "http.request.method");
        assert_eq!(
            (method.as_deref(), span.name.as_str()),
            (Some("_OTHER"), "HTTP")
        );
        assert_eq!(
            attribute(&span, "network.protocol.version").as_deref(),
            Some("2")
        );
    }
}

/// An exporter of `records` by HTTP to `url`.
fn exporter(url: &str, records: Records<SpanRecord>) -> SpanExporter {
    let options = OtlpOptions {
        endpoint: Some(url.parse().unwrap()),
        ..OtlpOptions::default()
    };
    let settings = OtlpSettings::new(&options, |_| None).unwrap().unwrap();
    let clock = Arc::new(SystemClock::start());
    SpanExporter::new(settings, records, clock).unwrap()
}

/// Answers one export with this.
async fn collector(answer: String) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut server = JoinSet::new();
    server.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _rest = stream.read_to_end(&mut Vec::new()).await;
    });
    (url, server)
}

#[tokio::test]
async fn what_a_collector_rejects_or_will_never_take_is_dropped_at_once() {
    let (_stop, stopped) = watch::channel(false);
    // Two of them are rejected, because of "no".
    let partly = "\x0a\x06\x08\x02\x12\x02no";
    for (head, body, written, dropped) in [
        ("200 OK", "", 5, 0),
        ("200 OK", partly, 3, 2),
        ("400 Bad Request", "", 0, 5),
        ("302 Found\r\nLocation: /", "", 0, 5),
    ] {
        let length = body.len();
        let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\nContent-Length: {length}");
        let (url, mut server) = collector(format!("{head}\r\n\r\n{body}")).await;
        let mut exporter = exporter(&url, Spans::new().1);
        exporter.deliver(&vec![record(); 5], &stopped).await;
        server.join_next().await.unwrap().unwrap();
        let read = exporter.records.read();
        assert_eq!((read.written, read.dropped), (written, dropped), "{head}");
    }
}

/// Asks an ingress that has no app.
async fn ask(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nHost: nobody\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    stream.read_to_end(&mut Vec::new()).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_collector_that_never_answers_does_not_hold_the_end_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let clock = Arc::new(SystemClock::start());
    let mut options = IngressOptions::new(([127, 0, 0, 1], 0).into(), clock);
    let (spans, records) = Spans::new();
    options.spans = Some(spans);
    let ingress = Ingress::start(options, mpsc::channel(1).0).unwrap();
    ingress.publisher().publish(RoutingTable::default());
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    exporter(&url, records).spawn(&mut tasks, stopped);
    ask(ingress.local_address()).await;
    let _connection = listener.accept().await.unwrap();
    ask(ingress.local_address()).await;
    let limits = ingress.limits();
    ingress.shutdown(Duration::ZERO).await;
    stop.send_replace(true);
    tasks.join_next().await.unwrap().unwrap();
    let expected = RecordReading {
        written: 0,
        dropped: 2,
    };
    assert_eq!(limits.read().spans, Some(expected));
}
