//! Following an autoscaler through the binary: what an Ebbtide sent once, sent again by a stand-in, and what is said of
//! what cannot be followed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::server::{Behaviour, Server};

/// The events of an Ebbtide whose app `hello` went from zero to two replicas and back.
const RECORDED: &str = include_str!("../../src/observe/ebbtide/recorded.sse");
/// Where its replicas begin to be taken away.
const AFTERWARDS: &str = ": 18.52";

/// An app and the status API of the autoscaler that runs it.
struct Pair {
    app: TcpListener,
    status: TcpListener,
}

fn url(listener: &TcpListener) -> String {
    format!("http://{}", listener.local_addr().unwrap())
}

/// A connection whose request has been read.
fn accept(listener: &TcpListener) -> TcpStream {
    let (stream, _) = listener.accept().unwrap();
    let lines = BufReader::new(&stream).lines().map_while(Result::ok);
    lines.take_while(|line| !line.is_empty()).for_each(drop);
    stream
}

impl Pair {
    fn new() -> Self {
        let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
        Self {
            app: listen(),
            status: listen(),
        }
    }

    /// Shows an app at zero, which starts replicas when a request comes, answers it, and goes back to zero.
    fn serve(self) {
        let first = RECORDED.find("\n\n").unwrap() + 2;
        let afterwards = RECORDED.find(AFTERWARDS).unwrap();
        let mut events = accept(&self.status);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let mut send = |text: &str| events.write_all(text.as_bytes()).unwrap();
        send(head);
        send(&RECORDED[..first]);
        let mut request = accept(&self.app);
        send(&RECORDED[first..afterwards]);
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nserver-timing: coldstart;dur=423\r\n\
                      x-revision: hello--blue\r\nx-replica: hello--blue-c43tb\r\n\r\n";
        request.write_all(answer.as_bytes()).unwrap();
        send(&RECORDED[afterwards..]);
        // Until loadgen has gone.
        BufReader::new(events)
            .lines()
            .map_while(Result::ok)
            .for_each(drop);
    }
}

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(["run"]).args(arguments);
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn what_the_autoscaler_did_is_joined_with_the_requests() {
    let pair = Pair::new();
    let (app, status) = (url(&pair.app), url(&pair.status));
    let stand_in = std::thread::spawn(move || pair.serve());
    let thresholds = [
        "timeToZero < 10m",
        "mostReady == 2",
        "coldStarts == 1",
        "lostOnScaleIn == 0",
    ];
    let mut arguments = vec![
        app.as_str(),
        "--burst",
        "1",
        "--host",
        "hello.localhost",
        "--output",
        "json",
    ];
    arguments.extend(["--observe", &status, "--observe-after", "10m"]);
    arguments.extend(
        thresholds
            .iter()
            .flat_map(|threshold| ["--threshold", threshold]),
    );
    let output = run(&arguments);
    let errors = text(&output.stderr);
    assert!(
        errors.contains("own time"),
        "the recording is of another day: {errors}"
    );
    assert_eq!(errors.lines().count(), 1, "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    stand_in.join().unwrap();
    let expected = if report["valid"] == true { 0 } else { 3 };
    assert_eq!(output.status.code(), Some(expected), "{report:#}");
    let autoscaler = &report["autoscaler"];
    assert_eq!(autoscaler["source"], status);
    assert_eq!(autoscaler["gaps"], json!([]));
    let reasons: Vec<_> = autoscaler["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["reason"])
        .collect();
    let decisions = reasons
        .iter()
        .filter(|reason| **reason == "Decision")
        .count();
    assert_eq!((reasons.len(), decisions), (12, 4), "{reasons:?}");
    let first = autoscaler["events"][0]["message"].as_str().unwrap();
    assert!(
        first.starts_with("hello--blue 0 → 1: 1 request waits"),
        "{first}"
    );
    let figures = &autoscaler["figures"];
    assert_eq!(
        (&figures["waitedPercent"], &figures["flaps"]),
        (&json!(100.0), &json!(2))
    );
    assert!(figures["timeToFirstReplicaSeconds"].is_f64(), "{figures:#}");
    assert_eq!(report["revisions"][0]["weightPercent"], 80.0);
    let last = autoscaler["seconds"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["ready"], &last["desired"]),
        (&json!(0), &json!(0)),
        "{last}"
    );
}

#[test]
fn what_cannot_be_followed_ends_the_run_before_a_request_is_sent() {
    let server = Server::start(Behaviour::Answer);
    let nobody = url(&TcpListener::bind("127.0.0.1:0").unwrap());
    let url = server.url();
    for (status, expected) in [
        (
            nobody.as_str(),
            "is `ebbtide up` running, and is this its --status-listen?",
        ),
        (url.as_str(), "is not the status API of Ebbtide"),
    ] {
        let output = run(&[&url, "--burst", "5", "--observe", status]);
        let errors = text(&output.stderr);
        assert!(
            errors.contains(expected) && errors.contains(status.trim_end_matches('/')),
            "{errors}"
        );
        assert_eq!(output.status.code(), Some(1));
    }
    assert_eq!(
        server.requests(),
        1,
        "that to the status API that it is not"
    );
}
