//! h2spec, which sends an implementation of HTTP/2 what RFC 7540 and 7541 allow and forbid, against
//! `ebbtide up`.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use crate::harness::{Ebbtide, machine, program};
use crate::load::Document;

/// What cannot pass where one port speaks HTTP/1.1 too: bytes that are no preface of HTTP/2 are a bad
/// request of HTTP/1.1, which is answered as one before the connection is closed. h2spec takes that
/// answer for a frame.
const NO_PREFACE: &str = "2: Sends invalid connection preface";

#[test]
fn h2spec_finds_nothing_wrong() {
    if std::env::var_os("EBBTIDE_TESTS_WITHOUT_GO").is_some() {
        return;
    }
    let _machine = machine();
    // h2spec asks for the host that it connects to.
    let document = Document {
        name: "localhost",
        args: "[]",
        scale: "{minReplicas: 1, maxReplicas: 1}",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("app.yaml", &document.yaml())]);
    assert_eq!(ebbtide.request("localhost", "/").status, 200);
    let port = ebbtide.ingress.to_string();
    let mut command = Command::new(program("H2SPEC_BIN", "h2spec"));
    command.args([
        "--strict",
        "--timeout",
        "10",
        "--host",
        "localhost",
        "--port",
        &port,
    ]);
    let output = command.output().expect("h2spec runs");
    let text = String::from_utf8_lossy(&output.stdout);
    let mut failed: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once("× "))
        .map(|(_, case)| case.trim())
        .collect();
    failed.sort_unstable();
    failed.dedup();
    assert_eq!(failed, [NO_PREFACE], "{text}");
    assert!(
        text.contains("146 tests, 145 passed, 0 skipped, 1 failed"),
        "{text}"
    );
    assert!(is_refused(
        ebbtide.ingress,
        b"INVALID CONNECTION PREFACE\r\n\r\n"
    ));
    assert_eq!(ebbtide.request("localhost", "/").status, 200);
}

/// Whether bytes are answered 400 and the connection is closed.
fn is_refused(port: u16, bytes: &[u8]) -> bool {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(bytes).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.starts_with("HTTP/1.1 400 ")
}
