//! Requests that have to wait until a replica of their app has started.
//!
//! The app says when its program began and when it listened, which is when it could first have answered. What
//! it needs between the two is its own. All else that a request waits is what the machine adds: from the
//! request to the program's beginning, the system's part of starting it included, and from there on, once it
//! listens, to the answer.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::found::at;
use crate::ports;
use crate::roles::{Role, number};

/// Starts that are measured in a round.
pub(crate) const STARTS: usize = 200;

/// How often the program is started without Ebbtide, to know what that takes.
const ALONE: usize = 50;

/// Nanoseconds by the machine's clock, which all processes share.
fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.expect("the clock is right").as_nanos();
    u64::try_from(since).expect("it is not that late")
}

/// The app: it listens on `PORT` after a while, which differs so that no rhythm of Ebbtide's agrees with it.
pub(crate) fn app() {
    let began = now();
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok());
    let port: u16 = port.expect("PORT is where to listen");
    sleep(Duration::from_millis(20) + Duration::from_micros(began / 1_000 % 100_000));
    let door = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
    let listened = now();
    let said = json!({"began": began, "listened": listened}).to_string();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{said}",
        said.len()
    );
    std::thread::scope(|scope| {
        for stream in door.incoming() {
            let stream = stream.expect("files are left");
            scope.spawn(|| serve(stream, &answer));
        }
    });
}

/// Answers whatever comes, which is one request at a time, and looks at none of it.
fn serve(mut stream: TcpStream, answer: &str) {
    let mut request = [0; 4096];
    while let Ok(1..) = stream.read(&mut request) {
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// Asks each app once, one after another. Takes a port.
pub(crate) fn load(arguments: &[String]) {
    let port = number(arguments, 0);
    let (mut before, mut after, mut added) = (Vec::new(), Vec::new(), Vec::new());
    for app in 0..STARTS {
        let start = start(port, app);
        before.push(start.before);
        after.push(start.after);
        added.push(start.before + start.after);
    }
    let mut alone: Vec<f64> = (0..ALONE).map(|_| alone()).collect();
    for values in [&mut before, &mut after, &mut added, &mut alone] {
        values.sort_by(f64::total_cmp);
    }
    let said = json!({
        "added50": at(&added, 500),
        "added99": at(&added, 990),
        "before50": at(&before, 500),
        "before99": at(&before, 990),
        "after50": at(&after, 500),
        "after99": at(&after, 990),
        "alone50": at(&alone, 500),
        "alone99": at(&alone, 990),
    });
    println!("{said}");
}

/// What was added to a start, in milliseconds.
struct Start {
    /// From the request to the program's beginning.
    before: f64,
    /// From its listening to the answer.
    after: f64,
}

/// Asks an app that is not running.
fn start(port: u16, app: usize) -> Start {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("Ebbtide listens");
    let request = format!("GET / HTTP/1.1\r\nHost: app{app}.localhost\r\n\r\n");
    let sent = now();
    let asked = stream.write_all(request.as_bytes());
    asked.expect("Ebbtide reads");
    let times = times(&mut stream);
    let answered = now();
    let time = |name: &str| times[name].as_u64().expect("a time");
    let (began, listened) = (time("began"), time("listened"));
    assert!(began > sent, "app{app} was there");
    Start {
        before: milliseconds(sent, began),
        after: milliseconds(listened, answered),
    }
}

/// What the app says of itself.
fn times(stream: &mut TcpStream) -> Value {
    let mut answer = Vec::new();
    let mut part = [0; 4096];
    loop {
        let length = stream.read(&mut part).expect("Ebbtide answers");
        assert!(length > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&answer);
        let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        assert!(text.starts_with("HTTP/1.1 200"), "{text}");
        if let Ok(times) = serde_json::from_str(body) {
            return times;
        }
    }
}

/// The milliseconds until the program begins if it is started here.
fn alone() -> f64 {
    let port = ports::free();
    let before = now();
    let mut child = Role::App.command().env("PORT", port.to_string()).spawn();
    let child = child.as_mut().expect("this program starts");
    let mut stream = loop {
        match TcpStream::connect(("127.0.0.1", port)) {
            Ok(stream) => break stream,
            Err(_) => sleep(Duration::from_millis(1)),
        }
    };
    stream
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .expect("it reads");
    let began = times(&mut stream)["began"].as_u64().expect("a time");
    child.kill().and_then(|()| child.wait()).expect("it ends");
    milliseconds(before, began)
}

fn milliseconds(from: u64, to: u64) -> f64 {
    to.saturating_sub(from) as f64 / 1e6
}
