//! HTTP/1.1 and HTTP/2 on either side, with curl, nghttp2 and Node.js.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::bed::{App, HOST, has_node, printed};
use crate::harness::{Ebbtide, SOON, curl, eventually, machine};
use crate::load::Document;

const CLIENT: &str = include_str!("http/client.mjs");

/// An app that speaks HTTP/1.1 or HTTP/2.
fn up(version: &str) -> Ebbtide {
    let app = App {
        file: "app.mjs",
        source: include_str!("http/app.mjs"),
        run: ("node", version),
        transport: if version == "2" { "http2" } else { "http" },
    };
    app.up()
}

#[test]
fn bodies_in_pieces_and_trailers_go_both_ways_between_both_versions() {
    if !has_node() {
        return;
    }
    let _machine = machine();
    for (app, spoken) in [("1", "1.1"), ("2", "2.0")] {
        let ebbtide = up(app);
        let port = ebbtide.ingress.to_string();
        for client in ["1", "2"] {
            let mut command = Command::new("node");
            command.args(["--input-type=module", "-e", CLIENT, client, &port, HOST]);
            let said: Value = serde_json::from_str(&printed(&mut command)).unwrap();
            let mut expected = json!({
                "status": 200, "version": spoken, "method": "PUT", "url": "/a?b=c", "te": "trailers",
                "length": 19, "sum": "19", "client": "sent",
            });
            if app == "1" {
                expected["coding"] = json!("chunked");
            }
            assert_eq!(said, expected, "client {client}, app {app}");
        }
    }
}

#[test]
fn a_client_that_expects_to_be_told_to_go_on_is() {
    if !has_node() {
        return;
    }
    let _machine = machine();
    let ebbtide = up("1");
    let url = |path: &str| format!("http://127.0.0.1:{}{path}", ebbtide.ingress);
    let body = "x".repeat(300_000);
    let file = ebbtide.folder.path().join("body");
    std::fs::write(&file, &body).unwrap();
    let from = format!("@{}", file.display());
    let host = format!("Host: {HOST}");
    // curl says on the side what comes; it would wait a minute for word to go on.
    let send = |path: &str| {
        let mut command = Command::new("curl");
        command.args(["-sv", "--expect100-timeout", "60", "--max-time", "50"]);
        command.args(["--noproxy", "*", "-H", &host, "-H", "Expect: 100-continue"]);
        let output = command.args(["--data-binary", &from, &url(path)]).output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        (said, String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (said, answer) = send("/taken");
    assert!(said.contains("< HTTP/1.1 100 Continue"), "{said}");
    assert!(answer.contains("\"length\":300000"), "{answer}");
    let (said, answer) = send("/refused");
    assert!(said.contains("< HTTP/1.1 413 "), "{said}");
    assert_eq!(answer, "too much\n");
    let url = url("/");
    let other = curl(&["-H", &host, "-H", "Expect: more", "--data", "x", &url]);
    assert_eq!(other.status, 417, "{other:?}");
}

#[test]
fn server_sent_events_come_one_by_one_and_the_app_hears_when_the_client_leaves() {
    if !has_node() {
        return;
    }
    let _machine = machine();
    let ebbtide = up("1");
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let url = format!("http://127.0.0.1:{}/events", ebbtide.ingress);
        let mut command = Command::new("curl");
        command.args(["-sN", version, "--noproxy", "*", "--max-time", "60", "-H"]);
        command.args([&format!("Host: {HOST}"), &url]);
        let mut client = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
        let mut event = || {
            let event = lines.next().unwrap().unwrap();
            assert_eq!(lines.next().unwrap().unwrap(), "");
            event
        };
        assert_eq!(event(), "data: first");
        // Each is asked for when the one before has come.
        for _ in 0..3 {
            assert_eq!(ebbtide.request(HOST, "/next").body, "1");
            assert_eq!(event(), "data: next");
        }
        client.kill().unwrap();
        client.wait().unwrap();
        eventually(SOON, "the app hears of it", || {
            ebbtide.request(HOST, "/listeners").body == "0"
        });
    }
}

#[test]
fn nghttp2_has_all_its_requests_answered_in_the_clear_and_by_tls() {
    let _machine = machine();
    let ebbtide = Ebbtide::up(&[("web.yaml", &Document::default().yaml())]);
    let authority = format!(":authority: {HOST}");
    let url = format!("http://127.0.0.1:{}/", ebbtide.ingress);
    let said = printed(Command::new("nghttp").args(["-nv", "-H", &authority, &url]));
    assert!(said.contains(":status: 200"), "{said}");
    let by_tls = format!("https://127.0.0.1:{}/", ebbtide.tls);
    for url in [url, by_tls] {
        let mut command = Command::new("h2load");
        command.args(["-n", "500", "-c", "5", "-m", "20", "-H", &authority, &url]);
        let said = printed(&mut command);
        let all = "500 total, 500 started, 500 done, 500 succeeded, 0 failed";
        assert!(said.contains(all), "{said}");
        assert!(said.contains("status codes: 500 2xx"), "{said}");
    }
}
