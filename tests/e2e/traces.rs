//! Spans of requests, as a collector that is not ours takes them.

mod collector;

use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::harness::{ANY_PORT, Ebbtide, SOON, curl, ebbtide, eventually, folder, machine};
use crate::keda::certificates;
use crate::observing::{APP, TRACE, document};
use collector::Collector;

/// Where a trace comes from that is sampled, and one that is not.
const SAMPLED: &str = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const NOT_SAMPLED: &str = "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

/// An app at zero that answers with the trace that it was told, and files beside it.
fn files(more: &[(&str, &str)]) -> (TempDir, String) {
    let files = folder(&[&[("app.py", APP)], more].concat());
    let document = document(&files.path().join("app.py"));
    (files, document)
}

fn ask(ebbtide: &Ebbtide, host: &str, path: &str, more: &[&str]) -> (u16, String) {
    let url = format!("http://127.0.0.1:{}{path}", ebbtide.ingress);
    let host = format!("Host: {host}:8080");
    let answer = curl(&[&["-H", &host, "-A", "curl", &url], more].concat());
    (answer.status, answer.body)
}

fn counted(ebbtide: &Ebbtide, name: &str) -> u64 {
    let metrics = curl(&[&ebbtide.api_url("/metrics")]).body;
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
}

/// The attributes of a span, without those that differ each time.
fn attributes(span: &Value) -> Value {
    let mut all = span["attributes"].clone();
    if let Some(all) = all.as_object_mut() {
        all.remove("ebbtide.replica");
        all.remove("ebbtide.first_byte_seconds");
        all.remove("ebbtide.held_seconds");
    }
    all
}

/// An Ebbtide with that app, whose spans go to a collector by HTTP.
fn up() -> (Collector, Ebbtide, TempDir) {
    let collector = Collector::start(0, &[]);
    let (files, document) = files(&[("headers", "X-Key: hunter2\n")]);
    let headers = files.path().join("headers").display().to_string();
    let endpoint = format!("http://127.0.0.1:{}/base", collector.port("http/protobuf"));
    let arguments = ["--otlp-endpoint", &endpoint, "--otlp-headers", &headers];
    let ebbtide = Ebbtide::up_in(folder(&[("web.yaml", &document)]), &arguments);
    (collector, ebbtide, files)
}

#[test]
fn a_request_is_a_span_between_its_client_and_its_app() {
    let _machine = machine();
    let (collector, ebbtide, _files) = up();
    let state = ["-H", SAMPLED, "-H", "tracestate: a=1"];
    let (_, told) = ask(&ebbtide, "web.localhost", "/a?token=hunter3", &state);
    let span = &collector.spans(1)[0];
    assert_eq!(told, format!("00-{TRACE}-{}-01 a=1", text(span, "span")));
    let expected = json!({
        "http.request.method": "GET", "url.scheme": "http", "url.path": "/a",
        "server.address": "web.localhost", "server.port": 8080, "client.address": "127.0.0.1",
        "network.protocol.version": "1.1", "user_agent.original": "curl",
        "http.response.status_code": 200, "ebbtide.app": "web", "ebbtide.revision": "web--one",
    });
    assert_eq!(attributes(span), expected);
    for (field, expected) in [
        ("by", json!("http")),
        ("key", json!("hunter2")),
        ("trace", json!(TRACE)),
        ("parent", json!("00f067aa0ba902b7")),
        ("state", json!("a=1")),
        ("flags", json!(0x301)),
        ("name", json!("GET")),
        ("kind", json!(2)),
        ("status", json!(0)),
    ] {
        assert_eq!(span[field], expected, "{field}: {span:#}");
    }
    assert_eq!(span["resource"]["service.name"], "ebbtide", "{span:#}");
    let seconds = |name: &str| span["attributes"][name].as_f64().unwrap();
    let waited = seconds("ebbtide.held_seconds");
    let answered = seconds("ebbtide.first_byte_seconds");
    let nanoseconds = |name: &str| span[name].as_u64().unwrap();
    let took = Duration::from_nanos(nanoseconds("end") - nanoseconds("start"));
    assert!(0.0 < waited && waited <= answered, "{span:#}");
    assert!(answered <= took.as_secs_f64(), "{span:#}");
    let log = ebbtide.stop();
    assert!(!log.contains("spans"), "{log}");
}

#[test]
fn what_begins_here_what_fails_and_what_no_app_is_for_are_spans_and_what_is_not_sampled_is_none() {
    let _machine = machine();
    let (collector, ebbtide, _files) = up();
    let (_, begun) = ask(&ebbtide, "web.localhost", "/a", &[]);
    let not_sampled = ["-H", NOT_SAMPLED];
    assert_eq!(ask(&ebbtide, "web.localhost", "/a", &not_sampled).0, 200);
    assert_eq!(ask(&ebbtide, "web.localhost", "/fail", &[]).0, 500);
    assert_eq!(ask(&ebbtide, "nobody", "/", &["-X", "BREW"]).0, 404);
    eventually(SOON, "all are counted", || {
        counted(&ebbtide, "ebbtide_spans_total ") == 3
    });
    let spans = collector.spans(3);
    let [first, failed, unknown] = spans.as_slice() else {
        panic!("{spans:#?}");
    };
    let expected = format!("00-{}-{}-03 ", text(first, "trace"), text(first, "span"));
    assert_eq!((begun, text(first, "parent")), (expected, ""));
    let said = (&failed["status"], &failed["attributes"]["error.type"]);
    assert_eq!(said, (&json!(2), &json!("500")));
    assert_eq!(failed["attributes"]["ebbtide.held_seconds"], Value::Null);
    let expected = json!({
        "http.request.method": "_OTHER", "http.request.method_original": "BREW",
        "url.scheme": "http", "url.path": "/", "server.address": "nobody", "server.port": 8080,
        "network.protocol.version": "1.1", "client.address": "127.0.0.1",
        "user_agent.original": "curl", "http.response.status_code": 404,
        "ebbtide.reason": "unknown-host",
    });
    assert_eq!(attributes(unknown), expected);
    assert_eq!(text(unknown, "name"), "HTTP");
}

fn text<'a>(span: &'a Value, field: &str) -> &'a str {
    span[field].as_str().unwrap()
}

#[test]
fn opentelemetrys_variables_lead_to_a_collector_by_tls_which_gets_the_last_spans_too() {
    let _machine = machine();
    let (files, document) = files(&[]);
    certificates(files.path());
    let [ca, certificate, key] =
        ["ca.crt", "tls.crt", "tls.key"].map(|name| files.path().join(name).display().to_string());
    for protocol in ["grpc", "http/protobuf"] {
        let collector = Collector::start(0, &[&certificate, &key]);
        let url = format!("https://127.0.0.1:{}/base", collector.port(protocol));
        let mut command = ebbtide();
        command
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", url)
            .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .env("OTEL_EXPORTER_OTLP_HEADERS", "x-key=hunter%202")
            .env("OTEL_EXPORTER_OTLP_CERTIFICATE", &ca)
            .env("OTEL_RESOURCE_ATTRIBUTES", "zone=a,service.name=no")
            .env("OTEL_SERVICE_NAME", "door");
        let arguments = "up --listen 127.0.0.1:0 --listen-tls off --keda-listen off";
        let arguments = [arguments, "--trace-sample 0"].map(|words| words.split(' '));
        let arguments: Vec<_> = arguments.into_iter().flatten().collect();
        let documents = folder(&[("web.yaml", &document)]);
        let ebbtide = Ebbtide::start_as(command, documents, &arguments);
        assert_eq!(ask(&ebbtide, "web.localhost", "/", &[]).0, 200);
        assert_eq!(ask(&ebbtide, "web.localhost", "/", &["-H", SAMPLED]).0, 200);
        let log = ebbtide.stop();
        assert!(!log.contains("spans") && !log.contains("hunter"), "{log}");
        let span = &collector.spans(1)[0];
        assert!(protocol.starts_with(text(span, "by")), "{span}");
        let said = (text(span, "key"), text(span, "trace"));
        assert_eq!(said, ("hunter 2", TRACE));
        let resource = &span["resource"];
        let said = ["service.name", "zone"].map(|name| &resource[name]);
        assert_eq!(said, ["door", "a"], "{resource}");
    }
}

#[test]
fn spans_wait_for_a_collector_that_is_too_busy() {
    let _machine = machine();
    for protocol in ["http/protobuf", "grpc"] {
        let collector = Collector::start(2, &[]);
        let (_files, document) = files(&[]);
        let endpoint = format!("http://127.0.0.1:{}/base", collector.port(protocol));
        let arguments = ["--otlp-endpoint", &endpoint, "--otlp-protocol", protocol];
        let ebbtide = Ebbtide::up_in(folder(&[("web.yaml", &document)]), &arguments);
        assert_eq!(ask(&ebbtide, "web.localhost", "/", &[]).0, 200);
        assert_eq!(collector.spans(1).len(), 1, "{protocol}");
        assert_eq!(collector.refused(), 2, "{protocol}");
        eventually(SOON, "it is counted once it is taken", || {
            counted(&ebbtide, "ebbtide_spans_total ") == 1
        });
        assert_eq!(counted(&ebbtide, "ebbtide_spans_dropped_total "), 0);
    }
}

#[test]
fn without_a_collector_requests_are_served_and_spans_are_dropped_and_counted() {
    let _machine = machine();
    let collector = Collector::start(0, &[]);
    let endpoint = format!("http://127.0.0.1:{}", collector.port("http/protobuf"));
    drop(collector);
    let (_files, document) = files(&[]);
    let arguments = ["--otlp-endpoint", &endpoint];
    let ebbtide = Ebbtide::up_in(folder(&[("web.yaml", &document)]), &arguments);
    for _ in 0..3 {
        assert_eq!(ask(&ebbtide, "web.localhost", "/", &[]).0, 200);
    }
    eventually(
        SOON,
        "those that were tried often enough are counted",
        || {
            assert_eq!(ask(&ebbtide, "web.localhost", "/", &[]).0, 200);
            counted(&ebbtide, "ebbtide_spans_dropped_total ") >= 3
        },
    );
    let log = ebbtide.stop();
    assert!(log.contains("requests are served all the same"), "{log}");
}

#[test]
fn what_is_no_collector_is_said_with_its_option_or_variable() {
    for (arguments, variable, expected) in [
        (
            &["--otlp-endpoint", "localhost:4317"][..],
            None,
            "--otlp-endpoint",
        ),
        (
            &[],
            Some(("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://a")),
            "OTEL_EXPORTER_OTLP_ENDPOINT",
        ),
        (
            &["--otlp-endpoint", "http://a"],
            Some(("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")),
            "give grpc or http/protobuf",
        ),
        (
            &["--otlp-endpoint", "http://a"],
            Some(("OTEL_EXPORTER_OTLP_HEADERS", "hunter2")),
            "pair 1 is not NAME=VALUE",
        ),
    ] {
        let mut command = ebbtide();
        command.args(["up", "--listen", ANY_PORT, "--status-listen", ANY_PORT]);
        let output = command.args(arguments).envs(variable).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{said}");
        assert!(
            said.contains(expected) && !said.contains("hunter2"),
            "{said}"
        );
    }
}
