//! Metrics, the access log and trace context, as curl and an app that is not ours see them.

use std::path::Path;

use rustix::process::{Signal, kill_process};
use serde_json::Value;

use crate::harness::{Ebbtide, SOON, curl, eventually, folder, machine};
use crate::load::Document;

pub(crate) const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Answers with the trace that it was told, and 500 for what begins with `/fail`.
pub(crate) const APP: &str = r#"
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = [self.headers.get(name, "") for name in ("traceparent", "tracestate")]
        body = " ".join(told).encode()
        self.send_response(500 if self.path.startswith("/fail") else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"#;

/// The document of that app, at zero.
pub(crate) fn document(app: &Path) -> String {
    format!(
        r"name: web
properties:
  configuration:
    ingress: {{external: true, allowInsecure: true, targetPort: 8080}}
  template:
    revisionSuffix: one
    containers:
      - name: web
        command: [python3, {}]
    scale: {{minReplicas: 0, maxReplicas: 1}}
",
        app.display()
    )
}

fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().unwrap_or_default()
}

#[test]
fn each_request_has_a_line_with_its_trace_which_the_app_is_told() {
    let _machine = machine();
    let files = folder(&[("app.py", APP)]);
    let log = files.path().join("access.log");
    let document = document(&files.path().join("app.py"));
    let arguments = ["--access-log", log.to_str().unwrap()];
    let ebbtide = Ebbtide::up_in(folder(&[("web.yaml", &document)]), &arguments);
    let url = format!("http://127.0.0.1:{}/a?token=hunter2", ebbtide.ingress);
    let ask = |host: &str, more: &[&str]| {
        let host = format!("Host: {host}");
        curl(&[&["-H", &host, &url], more].concat())
    };
    let parent = format!("traceparent: 00-{TRACE}-00f067aa0ba902b7-01");
    let told = ask("web.localhost", &["-H", &parent, "-H", "tracestate: a=1"]);
    assert_eq!(told.status, 200, "{told:?}");
    let begun = ask("web.localhost", &["-H", "traceparent: 00-1-2-3"]);
    assert_eq!(ask("nobody.localhost", &[]).status, 404);
    assert_eq!(
        ask("web.localhost", &["-H", "Content-Length: 1x"]).status,
        400
    );
    let http2 = ["--http2-prior-knowledge"];
    assert_eq!(ask("web.localhost", &http2).status, 200);
    eventually(SOON, "all five are there", || lines(&log).len() == 5);

    let written = lines(&log);
    let first = &written[0];
    let span = first["spanId"].as_str().unwrap();
    assert_eq!(told.body, format!("00-{TRACE}-{span}-01 a=1"));
    assert_eq!(first["traceId"], TRACE);
    for (field, expected) in [
        ("app", "web"),
        ("revision", "web--one"),
        ("method", "GET"),
        ("host", "web.localhost"),
        ("path", "/a"),
        ("protocol", "HTTP/1.1"),
        ("client", "127.0.0.1"),
    ] {
        assert_eq!(first[field], expected, "{first}");
    }
    assert_eq!(first["responseBytes"], told.body.len(), "{first}");
    let milliseconds = |field: &str| first[field].as_f64().unwrap();
    assert!(milliseconds("heldMilliseconds") > 0.0, "{first}");
    let both = (
        milliseconds("firstByteMilliseconds"),
        milliseconds("durationMilliseconds"),
    );
    assert!(both.0 <= both.1, "{first}");
    let second = &written[1];
    let id = |field: &str| second[field].as_str().unwrap();
    let expected = format!("00-{}-{}-03 ", id("traceId"), id("spanId"));
    assert_eq!(begun.body, expected);
    assert_eq!(second["heldMilliseconds"], Value::Null, "{second}");
    let refused = [&written[2], &written[3]].map(|one| (&one["status"], &one["reason"]));
    assert_eq!(refused[0], (&404.into(), &"unknown-host".into()));
    assert_eq!(refused[1], (&400.into(), &"malformed".into()));
    assert_eq!(written[4]["protocol"], "HTTP/2", "{}", written[4]);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(!text.contains("hunter2"), "{text}");

    let moved = files.path().join("access.log.1");
    std::fs::rename(&log, &moved).unwrap();
    kill_process(ebbtide.pid(), Signal::HUP).unwrap();
    eventually(SOON, "the log is made anew", || log.exists());
    assert_eq!(ask("nobody.localhost", &[]).status, 404);
    let counted = "\nebbtide_access_log_lines_total 6\n";
    eventually(SOON, "the sixth is counted", || {
        curl(&[&ebbtide.api_url("/metrics")]).body.contains(counted)
    });
    ebbtide.stop();
    assert_eq!((lines(&moved).len(), lines(&log).len()), (5, 1));
}

#[test]
fn metrics_are_there_as_long_as_what_they_are_of() {
    let _machine = machine();
    let ebbtide = Ebbtide::up(&[("web.yaml", &Document::default().yaml())]);
    assert_eq!(ebbtide.request("web.localhost", "/").status, 200);
    let metrics = || curl(&[&ebbtide.api_url("/metrics")]).body;
    let of = |name: &str| format!("\nebbtide_{name}{{app=\"web\",revision=\"web--one\"}} ");
    for name in [
        "request_duration_seconds_count",
        "request_first_byte_seconds_count",
        "cold_start_seconds_count",
        "sent_bytes_total",
    ] {
        let name = of(name);
        eventually(SOON, &name, || metrics().contains(&name));
    }
    let accepted = "\nebbtide_ingress_connections_accepted_total{listener=\"http\"} 1\n";
    assert!(metrics().contains(accepted), "{}", metrics());
    let gone = curl(&["-X", "DELETE", &ebbtide.api_url("/api/v1/apps/web")]);
    assert!((200..300).contains(&gone.status), "{gone:?}");
    eventually(SOON, "what is gone has no metrics", || {
        !metrics().contains("app=\"web\"")
    });
}
