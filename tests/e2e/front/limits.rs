//! Limits of what a client may send, and how slowly, for curl, nghttp2 and Python's client.

use std::process::Command;

use super::bed::{App, ask, metric, ready, up};
use crate::harness::{Ebbtide, curl, machine};
use crate::protocols::bed::printed;

const AUTHORITY: &str = ":authority: web.localhost";

const ARGUMENTS: [&str; 18] = [
    "--max-header-bytes",
    "8192",
    "--max-headers",
    "20",
    "--max-target-bytes",
    "1000",
    "--max-body-bytes",
    "1000",
    "--max-connections-per-client",
    "16",
    "--max-streams",
    "4",
    "--head-timeout",
    "1s",
    "--body-timeout",
    "1s",
    "--idle-timeout",
    "1s",
];

/// Heads and bodies that stop half-way, a connection that is kept for nothing, and one connection more than
/// a client may have.
const SLOW: &str = r#"
import http.client, sys
port = int(sys.argv[1])

def connect():
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=("127.0.0.8", 0))
    connection.connect()
    return connection

def begin(connection, method, length=None):
    connection.putrequest(method, "/length", skip_host=True)
    connection.putheader("Host", "web.localhost")
    if length:
        connection.putheader("Content-Length", length)

def ends(connection):
    try:
        return connection.sock.recv(1) == b""
    except ConnectionResetError:
        return True

slow_head, slow_body, kept = connect(), connect(), connect()
begin(slow_head, "GET")
slow_head.send(b"\r\n".join(slow_head._buffer))
begin(slow_body, "POST", "10")
slow_body.endheaders(b"half")
begin(kept, "GET")
kept.endheaders()
answer = kept.getresponse()
print("kept", answer.status, len(answer.read()) > 0, ends(kept))
print("head", slow_head.sock.recv(12).decode())
print("body", slow_body.getresponse().status)
"#;

/// As many connections as a client may have, and one more.
const MANY: &str = r#"
import socket, sys
connect = lambda: socket.create_connection(("127.0.0.1", int(sys.argv[1])), 60, ("127.0.0.7", 0))
def ask(connection):
    try:
        connection.sendall(b"GET /who HTTP/1.1\r\nHost: web.localhost\r\n\r\n")
        return connection.recv(12).decode() or "closed"
    except ConnectionError:
        return "closed"
connections = [connect() for _ in range(17)]
print(*sorted(ask(connection) for connection in connections), sep=", ")
"#;

fn refusals(ebbtide: &Ebbtide, limit: &str) -> u64 {
    let name = format!("ebbtide_ingress_refusals_total{{limit=\"{limit}\"}}");
    metric(ebbtide, &name)
}

fn python(ebbtide: &Ebbtide, source: &str) -> String {
    let port = ebbtide.ingress.to_string();
    printed(Command::new("python3").args(["-c", source, &port]))
}

#[test]
fn what_is_too_large_too_slow_or_too_many_is_refused_and_counted() {
    let _machine = machine();
    let ebbtide = up(&[("web.yaml", &App::default().yaml())], &ARGUMENTS);
    ready(&ebbtide, "web", "one", 1);
    too_large(&ebbtide);
    too_long(&ebbtide);
    malformed(&ebbtide);
    let said = python(&ebbtide, SLOW);
    assert_eq!(said, "kept 200 True True\nhead HTTP/1.1 408\nbody 408\n");
    let said = python(&ebbtide, MANY);
    let taken = "HTTP/1.1 200";
    assert_eq!(said, format!("{}closed\n", format!("{taken}, ").repeat(16)));
    for (limit, count) in [
        ("head-time", 1),
        ("body-time", 1),
        ("connections-per-client", 1),
    ] {
        assert_eq!(refusals(&ebbtide, limit), count, "{limit}");
    }
    assert!(refusals(&ebbtide, "idle-time") >= 1);

    streams(&ebbtide);
}

/// More streams on a connection than there may be.
fn streams(ebbtide: &Ebbtide) {
    let url = format!("http://127.0.0.1:{}/busy", ebbtide.ingress);
    let said = printed(Command::new("nghttp").args(["-nv", "-H", AUTHORITY, &url]));
    assert!(
        said.contains("SETTINGS_MAX_CONCURRENT_STREAMS(0x03):4]"),
        "{said}"
    );
    // h2load begins with more than that before it has been told, and those are refused.
    let load = ["-n", "100", "-c", "1", "-m", "50", "-H", AUTHORITY, &url];
    let said = printed(Command::new("h2load").args(load));
    assert!(said.contains("54 succeeded, 46 failed"), "{said}");
    let most: u32 = ask(ebbtide, "web", "/most", &[]).body.parse().unwrap();
    assert!((1..=4).contains(&most), "{most}");
}

/// Requests that are too large in each way, by both versions.
fn too_large(ebbtide: &Ebbtide) {
    let long = "x".repeat(2000);
    let header = format!("X-Long: {}", "x".repeat(9000));
    let many: Vec<_> = (0..30).map(|number| format!("X-{number}: 1")).collect();
    let many: Vec<_> = many.iter().flat_map(|one| ["-H", one]).collect();
    let target = format!("/who?{long}");
    for (limit, path, more, status) in [
        ("header", "/who", &["-H", &header][..], 431),
        ("header", "/who", &many, 431),
        ("target", &target, &[], 414),
    ] {
        for version in ["--http1.1", "--http2-prior-knowledge"] {
            let before = refusals(ebbtide, limit);
            let answer = ask(ebbtide, "web", path, &[&[version], more].concat());
            assert_eq!(answer.status, status, "{version} {limit}: {answer:?}");
            // A connection of HTTP/2 refuses bytes of a head before they are a request.
            let counts = more.len() != 2 || limit != "header" || version == "--http1.1";
            let expected = before + u64::from(counts);
            assert_eq!(refusals(ebbtide, limit), expected, "{version} {limit}");
        }
    }
}

/// A body that is too large, with its length and without.
fn too_long(ebbtide: &Ebbtide) {
    let long = "x".repeat(2000);
    for (count, length) in (1..).zip(["Content-Length: 2000", "Transfer-Encoding: chunked"]) {
        let answer = ask(ebbtide, "web", "/length", &["-H", length, "--data", &long]);
        assert_eq!(answer.status, 413, "{length}: {answer:?}");
        assert_eq!(refusals(ebbtide, "body"), count, "{length}");
    }
    // A client that is still sending is not reset before it has the answer.
    let large = ebbtide.folder.path().join("large");
    std::fs::write(&large, vec![b'x'; 16 << 20]).unwrap();
    let upload = ["-H", "Expect:", "--upload-file", large.to_str().unwrap()];
    for _ in 0..10 {
        assert_eq!(ask(ebbtide, "web", "/length", &upload).status, 413);
    }
    // curl 7.88 may take an answer that comes before the end of its request for a broken stream.
    ebbtide.write("long", &long);
    let file = ebbtide.folder.path().join("long").display().to_string();
    let url = format!("http://127.0.0.1:{}/length", ebbtide.ingress);
    for (count, more) in (13..).zip([&[][..], &["--no-content-length"]]) {
        let mut command = Command::new("nghttp");
        command.args(["-nv", "-H", AUTHORITY, "-d", &file, &url]);
        let said = printed(command.args(more));
        assert!(said.contains(":status: 413"), "{said}");
        assert_eq!(refusals(ebbtide, "body"), count, "{more:?}");
    }
}

/// Requests that are none.
fn malformed(ebbtide: &Ebbtide) {
    let url = format!("http://127.0.0.1:{}/who", ebbtide.ingress);
    for (more, status) in [
        (&["-H", "Host:"][..], 400),
        (&["-H", "Host: a b"], 400),
        (&["-H", "Host: web.localhost", "-X", "G@T"], 400),
        (
            &["-H", "Host: web.localhost", "-H", "Content-Length: +1"],
            400,
        ),
        (
            &["-H", "Host: web.localhost", "-H", "Transfer-Encoding: x"],
            400,
        ),
    ] {
        let answer = curl(&[more, &["--http1.1", &url]].concat());
        assert_eq!(answer.status, status, "{more:?}: {answer:?}");
    }
}
