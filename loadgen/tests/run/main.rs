//! The binary against a real server: what it counts, what it times and how it exits.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is how a test fails"
)]

mod observe;
mod reports;
mod scenarios;
mod schedule;
mod server;
mod terminal;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use server::{Behaviour, Server};

fn loadgen(url: &str, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(["run", url, "--output", "json"]);
    command.args(arguments.split_whitespace());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The report, and the exit code.
fn read(output: &Output) -> (Value, i32) {
    let errors = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout);
    let report = report.unwrap_or_else(|error| panic!("{error}: {errors}"));
    assert_eq!(errors, "", "nothing on stderr when it is not a terminal");
    (report, output.status.code().expect("an exit code"))
}

fn run(server: &Server, arguments: &str) -> (Value, i32) {
    read(&loadgen(&server.url(), arguments).output().unwrap())
}

/// 0, or 3 on a machine so busy that the generator could not keep up.
fn assert_all_answered(code: i32, report: &Value) {
    let expected = if report["valid"] == true { 0 } else { 3 };
    assert_eq!(code, expected, "{report:#}");
    assert_eq!(
        report["total"]["succeeded"], report["total"]["sent"],
        "{report:#}"
    );
}

#[test]
fn every_request_of_the_schedule_is_sent_and_counted() {
    let server = Server::start(Behaviour::Answer);
    let arguments = "--rate 500 --duration 600ms --burst 50 --count-header x-revision";
    let (report, code) = run(&server, arguments);
    assert_all_answered(code, &report);
    assert_eq!(report["total"]["sent"], 350);
    assert_eq!(server.requests(), 350);
    assert_eq!(report["total"]["statusCodes"]["200"], 350);
    assert_eq!(report["total"]["bytesReceived"], 350 * 5);
    assert_eq!(report["total"]["connectionsOpened"], server.connections());
    assert_eq!(report["countedHeader"]["name"], "x-revision");
    assert_eq!(report["countedHeader"]["values"]["even"], 175);
    assert_eq!(report["countedHeader"]["values"]["odd"], 175);
}

/// A server that stops for a second does so once for a client that waits for each answer. All
/// whose requests were due in that second had to wait, and the response time has them all.
#[test]
fn a_stall_is_seen_by_every_request_that_was_due_in_it() {
    let pause = Duration::from_secs(1);
    let server = Server::start(Behaviour::Stall { at: 100, pause });
    let (report, code) = run(&server, "--rate 200 --duration 2s --connections 1");
    assert_all_answered(code, &report);
    assert_eq!(report["total"]["sent"], 400);
    let response = |quantile: &str| {
        report["total"]["responseTime"][format!("{quantile}Ms")]
            .as_f64()
            .unwrap()
    };
    let service = |quantile: &str| {
        report["total"]["serviceTime"][format!("{quantile}Ms")]
            .as_f64()
            .unwrap()
    };
    // The closed loop's view: one slow answer of 400, beyond the 99th percentile.
    assert!(service("max") >= 999.0, "{report:#}");
    assert!(service("p99") < service("max") / 2.0, "{report:#}");
    // The truth: of the 200 requests due in the pause, the n-th waited for 5·(200 - n) ms, so a
    // quarter of all 400 waited for half a second and more. A slow machine only adds to that.
    assert!(response("p99") >= 950.0, "{report:#}");
    assert!(response("p75") >= 480.0, "{report:#}");
    assert!(
        report["total"]["waitedForConnection"].as_u64().unwrap() >= 190,
        "{report:#}"
    );
}

#[test]
fn failures_are_told_apart() {
    for (behaviour, kind, answered) in [
        (Behaviour::Refuse, "status", 5),
        (Behaviour::Hangup, "reset", 0),
        (Behaviour::Nonsense, "protocol", 0),
        (Behaviour::Silence, "timeout", 0),
    ] {
        let server = Server::start(behaviour);
        let (report, code) = run(&server, "--burst 5 --timeout 2s");
        assert_eq!(code, 2, "{behaviour:?}");
        assert_eq!(
            report["total"]["errors"][kind], 5,
            "{behaviour:?}: {report:#}"
        );
        assert_eq!(report["total"]["failed"], 5, "{behaviour:?}");
        assert_eq!(report["total"]["answered"], answered, "{behaviour:?}");
    }
}

#[test]
fn nobody_listening_is_a_connect_error() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", closed.local_addr().unwrap());
    drop(closed);
    let (report, code) = read(&loadgen(&url, "--burst 3").output().unwrap());
    assert_eq!(code, 2);
    assert_eq!(report["total"]["errors"]["connect"], 3);
    let sample = report["total"]["errorSamples"]["connect"].as_str().unwrap();
    assert!(sample.contains("refused"), "{sample}");
}

#[test]
fn connections_are_used_again_unless_the_server_closes_them() {
    let server = Server::start(Behaviour::Answer);
    let (report, code) = run(&server, "--rate 200 --duration 500ms --connections 2");
    assert_all_answered(code, &report);
    assert!(server.connections() <= 2, "{}", server.connections());

    let server = Server::start(Behaviour::AnswerAndClose);
    let (report, code) = run(&server, "--rate 200 --duration 500ms");
    assert_all_answered(code, &report);
    assert_eq!(report["total"]["connectionsOpened"], 100);
}

#[test]
fn http2_shares_one_connection() {
    let server = Server::start(Behaviour::Http2);
    let (report, code) = run(&server, "--burst 300 --http2 --host hello.localhost");
    assert_all_answered(code, &report);
    assert_eq!((server.requests(), server.connections()), (300, 1));
    let how = report["destinations"][0]["how"].as_str().unwrap();
    assert!(how.contains("HTTP/2"), "{how}");
}

#[test]
fn an_interrupt_ends_the_schedule_and_waits_for_what_is_outstanding() {
    let server = Server::start(Behaviour::Answer);
    let child = loadgen(&server.url(), "--rate 100 --duration 1h")
        .spawn()
        .unwrap();
    let pid = Pid::from_child(&child);
    wait_until(|| server.requests() >= 5);
    kill_process(pid, Signal::INT).unwrap();
    let (report, code) = read(&child.wait_with_output().unwrap());
    assert_all_answered(code, &report);
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["total"]["sent"], server.requests());
}

#[test]
fn a_second_interrupt_abandons_what_is_outstanding() {
    let server = Server::start(Behaviour::Silence);
    let mut child = loadgen(&server.url(), "--burst 3").spawn().unwrap();
    let pid = Pid::from_child(&child);
    wait_until(|| server.requests() == 3);
    wait_until(|| {
        // Two that come before the first was noticed are one.
        let _ = kill_process(pid, Signal::INT);
        child.try_wait().unwrap().is_some()
    });
    let (report, code) = read(&child.wait_with_output().unwrap());
    assert_eq!(code, 2, "{report:#}");
    assert_eq!(
        (&report["total"]["sent"], &report["total"]["abandoned"]),
        (&3.into(), &3.into())
    );
}

#[test]
fn a_wrong_command_line_exits_with_1() {
    for (url, arguments) in [
        ("ftp://localhost/", "--burst 1"),
        ("http://localhost/", ""),
        ("http://localhost/", "--rate 5 --duration never"),
    ] {
        let output = loadgen(url, arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{url} {arguments}");
        assert!(output.stdout.is_empty());
        assert!(!output.stderr.is_empty());
    }
    let help = loadgen("http://localhost/", "--help").output().unwrap();
    assert_eq!(help.status.code(), Some(0));
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("Exit codes:"), "{help}");
}

fn wait_until(mut condition: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if condition() {
            return;
        }
        std::thread::park_timeout(Duration::from_millis(10));
    }
    panic!("it did not happen within 30 s");
}
