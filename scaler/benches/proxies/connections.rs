//! Connections on which nothing goes on.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// As many files as 10,000 connections take, and what there is beside them.
const FILES: u64 = 12_000;

/// Lets this process, and those that it starts, have as many connections as they may.
pub(crate) fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let is_enough = setrlimit(Resource::Nofile, raised).is_ok() && most >= FILES;
    assert!(
        is_enough,
        "a process may have {most} files, and needs {FILES}: see ulimit -Hn"
    );
}

/// Opens connections, each with one request that was answered.
pub(crate) fn idle(port: u16, host: &str, number: usize) -> Vec<TcpStream> {
    let open = |_| {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the proxy listens");
        let answer = ask(&mut stream, host);
        assert!(is_well(&answer), "{host}: {answer:?}");
        stream
    };
    (0..number).map(open).collect()
}

/// Waits until a host is answered for, which it may not be yet when the proxy listens.
pub(crate) fn wait_for(port: u16, host: &str) {
    let mut answer = String::new();
    for _ in 0..2400 {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the proxy listens");
        answer = ask(&mut stream, host);
        if is_well(&answer) {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("{host}: {answer:?}");
}

/// Asks for a small answer and reads it.
pub(crate) fn ask(stream: &mut TcpStream, host: &str) -> String {
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let asked = stream.write_all(request.as_bytes());
    asked.expect("the proxy reads");
    let mut answer = [0; 2048];
    let length = stream.read(&mut answer).expect("the proxy answers");
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

fn is_well(answer: &str) -> bool {
    answer.starts_with("HTTP/1.1 200")
}
