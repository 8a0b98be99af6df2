use std::net::SocketAddr;
use std::time::Duration;

use ebbtide_core::name::{ReplicaName, RevisionName};
use ebbtide_core::time::Timestamp;
use ebbtide_ingress::{
    AccessLog, Ingress, IngressOptions, RecordReading, RoutingTable, Share, SpanId, TraceId,
};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::*;

fn record() -> AccessRecord {
    let revision = RevisionName::parse("hello--v1").unwrap();
    AccessRecord {
        arrived: Timestamp::ORIGIN,
        replica: Some(ReplicaName::new(&revision, "abc")),
        revision: Some(revision),
        method: Some("GET".into()),
        host: Some("hello.localhost".into()),
        path: Some("/a\n\"b".into()),
        protocol: Some("HTTP/2"),
        query: None,
        scheme: "https",
        status: 200,
        reason: None,
        received_bytes: 3,
        sent_bytes: 5,
        duration: Duration::from_micros(2500),
        held: Some(Duration::from_millis(2)),
        first_byte: None,
        client: "2001:db8::1".parse().unwrap(),
        trace: Some((TraceId(255), SpanId(16))),
    }
}

#[test]
fn a_line_has_every_field_that_is_known() {
    let mut text = Vec::new();
    let clock = SystemClock::start();
    line::write(&mut text, &record(), &clock);
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let mut line: Value = serde_json::from_str(&text).unwrap();
    let time = line.as_object_mut().unwrap().remove("time").unwrap();
    assert!(time.as_str().unwrap().ends_with('Z'), "{time}");
    let expected = json!({
        "app": "hello", "revision": "hello--v1", "replica": "hello--v1-abc", "method": "GET",
        "scheme": "https", "host": "hello.localhost", "path": "/a\n\"b", "protocol": "HTTP/2",
        "status": 200, "requestBytes": 3, "responseBytes": 5, "durationMilliseconds": 2.5,
        "heldMilliseconds": 2.0, "client": "2001:db8::1",
        "traceId": "000000000000000000000000000000ff", "spanId": "0000000000000010",
    });
    assert_eq!(line, expected);
}

#[test]
fn a_destination_is_a_file_or_standard_output() {
    assert_eq!("-".parse(), Ok(Destination::Stdout));
    assert_eq!("./-".parse(), Ok(Destination::File("./-".into())));
    assert!("".parse::<Destination>().is_err());
    let nowhere = Destination::File("/nowhere/at/all".into());
    let error = Output::open(&nowhere).err().unwrap();
    assert!(format!("{error:#}").contains("--access-log"), "{error:#}");
}

async fn ask(address: SocketAddr) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"GET /a?b HTTP/1.1\r\nHost: nobody\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
}

#[tokio::test]
async fn what_was_told_is_written_before_the_end_and_a_file_that_was_moved_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
    let clock = Arc::new(SystemClock::start());
    let (log, records) = AccessLog::new(Share::ALL, false);
    let mut options = IngressOptions::new(([127, 0, 0, 1], 0).into(), Arc::clone(&clock) as _);
    options.access_log = Some(log);
    let ingress = Ingress::start(options, mpsc::channel(1).0).unwrap();
    ingress.publisher().publish(RoutingTable::default());
    let destination = Destination::File(path.clone());
    let mut writer = AccessLogWriter::open(&destination, records, clock).unwrap();
    ask(ingress.local_address()).await;
    let mut batch = Vec::new();
    assert_eq!(writer.records.next(&mut batch, BATCH).await, 1);
    writer.write(&mut batch).await;
    std::fs::rename(&path, &moved).unwrap();
    writer.reopen().await;
    ask(ingress.local_address()).await;
    let limits = ingress.limits();
    ingress.shutdown(Duration::ZERO).await;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    writer.spawn(&mut tasks, stopped);
    stop.send_replace(true);
    tasks.join_next().await.unwrap().unwrap();
    for file in [path, moved] {
        let text = std::fs::read_to_string(file).unwrap();
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["reason"], "unknown-host", "{line}");
        assert_eq!(
            (&line["path"], &line["query"]),
            (&json!("/a"), &Value::Null)
        );
    }
    let expected = RecordReading {
        written: 2,
        dropped: 0,
    };
    assert_eq!(limits.read().access_log, Some(expected));
}
