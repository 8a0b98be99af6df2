use std::sync::Arc;

use http::header::HOST;
use http::{HeaderMap, Method};

use super::*;
use crate::records::{RecordReading, WAITING};
use crate::spans::Spans;
use crate::trace::{SpanId, Traces};

/// A clock that stands still.
struct Still;

impl ebbtide_core::time::Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::ORIGIN
    }
}

fn access(sample: &str, with_query: bool) -> (Access, AccessRecords) {
    let (log, records) = AccessLog::new(sample.parse().unwrap(), with_query);
    let mut options = IngressOptions::new(([127, 0, 0, 1], 0).into(), Arc::new(Still));
    options.access_log = Some(log);
    options.trusted_proxies = vec!["10.0.0.0/8".parse().unwrap()];
    (Access::new(options), records)
}

fn begin(access: &Access, request: &Request<()>) -> Option<Box<AccessRecord>> {
    let client = Client::new("10.0.0.1".parse().unwrap(), Scheme::Https, true);
    let trace = Traces::new(Share::ALL).of(&HeaderMap::new());
    let telling = access.begin(&client, request, trace, Timestamp::ORIGIN);
    telling.map(|telling| Box::new(telling.record))
}

#[test]
fn a_record_has_no_secrets_and_is_bounded() {
    let long = "a".repeat(5000);
    let request = Request::builder()
        .method("M".repeat(100).as_str())
        .uri(format!("http://user:hunter2@{long}/{long}?token=hunter2"))
        .header("x-forwarded-for", "192.0.2.7")
        .body(())
        .unwrap();
    let record = begin(&access("1", false).0, &request).unwrap();
    assert!(!format!("{record:?}").contains("hunter2"), "{record:?}");
    let lengths = [&record.method, &record.host, &record.path];
    let lengths = lengths.map(|text| text.as_ref().unwrap().len());
    assert_eq!(lengths, [32, 255, 1024]);
    assert_eq!(record.client.to_string(), "192.0.2.7");
    assert_eq!(record.scheme, "https");
    let record = begin(&access("1", true).0, &request).unwrap();
    assert_eq!(record.query.as_deref(), Some("token=hunter2"));
}

#[test]
fn the_host_is_the_one_that_was_asked() {
    let request = Request::builder()
        .uri("/a")
        .header(HOST, b"h\xffllo".as_slice());
    let record = begin(&access("1", false).0, &request.body(()).unwrap()).unwrap();
    assert_eq!(record.host.as_deref(), Some("h\u{fffd}llo"));
    assert_eq!(record.protocol, Some("HTTP/1.1"));
}

#[test]
fn a_share_is_told_and_without_a_log_nothing() {
    let request = Request::new(());
    let half = access("0.5", false).0;
    let told = [(); 6].map(|()| begin(&half, &request).is_some());
    assert_eq!(told, [false, true, false, true, false, true]);
    let options = IngressOptions::new(([127, 0, 0, 1], 0).into(), Arc::new(Still));
    assert!(begin(&Access::new(options), &request).is_none());
}

#[tokio::test]
async fn what_finds_no_place_is_counted() {
    let (access, mut records) = access("1", false);
    let client = Client::new("10.0.0.1".parse().unwrap(), Scheme::Http, false);
    for _ in 0..WAITING + 3 {
        let (status, reason) = (StatusCode::BAD_REQUEST, Reason::Malformed);
        access.unread(&client, status, reason, Timestamp::ORIGIN);
    }
    records.close();
    let mut batch = Vec::new();
    while records.next(&mut batch, 1000).await > 0 {}
    records.wrote(batch.len() as u64);
    let expected = RecordReading {
        written: 8192,
        dropped: 3,
    };
    assert_eq!(records.read(), expected);
    assert_eq!((batch[0].status, batch[0].reason), (400, Some("malformed")));
}

#[test]
fn a_refusal_has_its_bytes_unless_nobody_gets_them() {
    for (method, reason, expected) in [
        (Method::GET, Reason::UnknownHost, 7),
        (Method::HEAD, Reason::UnknownHost, 0),
        (Method::GET, Reason::ClientGone, 0),
    ] {
        let request = Request::builder().method(&method).body(()).unwrap();
        let mut record = begin(&access("1", false).0, &request).unwrap();
        record.refused(StatusCode::NOT_FOUND, reason, 7);
        assert_eq!(record.sent_bytes, expected, "{method} {reason:?}");
    }
}

/// What the log and whoever exports spans are told of a request with this `traceparent`, if they are.
async fn told(sample: &str, parent: &str) -> (Option<AccessRecord>, Option<SpanRecord>) {
    let (log, mut records) = AccessLog::new(sample.parse().unwrap(), true);
    let (spans, mut ended) = Spans::new();
    let mut options = IngressOptions::new(([127, 0, 0, 1], 0).into(), Arc::new(Still));
    options.access_log = Some(log);
    options.spans = Some(spans);
    let access = Access::new(options);
    let client = Client::new("10.0.0.1".parse().unwrap(), Scheme::Http, false);
    let request = Request::builder()
        .uri("/a?token=hunter2")
        .header("traceparent", parent)
        .header("user-agent", "u".repeat(300));
    let request = request.body(()).unwrap();
    let trace = Traces::new("0".parse().unwrap()).of(request.headers());
    if let Some(telling) = access.begin(&client, &request, trace, Timestamp::ORIGIN) {
        access.end(*telling);
    }
    drop(access);
    let (mut logged, mut exported) = (Vec::new(), Vec::new());
    records.next(&mut logged, 10).await;
    ended.next(&mut exported, 10).await;
    (logged.pop(), exported.pop())
}

#[tokio::test]
async fn a_span_is_told_of_if_the_trace_is_sampled_whether_or_not_there_is_a_line() {
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-";
    for (sample, flags, expected) in [
        ("1", "01", (true, true)),
        ("1", "00", (true, false)),
        ("0", "01", (false, true)),
        ("0", "00", (false, false)),
        // A trace begins here, of which none is sampled.
        ("1", "xx", (true, false)),
    ] {
        let (line, span) = told(sample, &format!("{parent}{flags}")).await;
        assert_eq!(
            (line.is_some(), span.is_some()),
            expected,
            "{sample} {flags}"
        );
    }
    let (line, span) = told("1", &format!("{parent}01")).await;
    let (line, span) = (line.unwrap(), span.unwrap());
    assert_eq!(line.query.as_deref(), Some("token=hunter2"));
    assert!(!format!("{span:?}").contains("hunter2"), "{span:?}");
    assert_eq!(span.request.trace, line.trace);
    let expected = SpanOrigin {
        parent: Some(SpanId(0x00f0_67aa_0ba9_02b7)),
        flags: 1,
        state: None,
        user_agent: Some("u".repeat(256).into()),
    };
    assert_eq!(span.origin, expected);
}
