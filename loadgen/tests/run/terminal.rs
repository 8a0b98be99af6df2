//! The view of a run on a pseudo-terminal: what it shows, what a key does, and that the terminal is given back.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, open};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcgetattr, tcsetwinsize};
use serde_json::Value;

use crate::server::{Behaviour, Server};

/// For what comes within a second on a machine that is not busy.
const PATIENCE: Timespec = Timespec {
    tv_sec: 120,
    tv_nsec: 0,
};

/// A run that does not go on after its test.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Both ends of a terminal of 100 columns and 30 rows.
fn terminal() -> (OwnedFd, OwnedFd) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    let size = Winsize {
        ws_row: 30,
        ws_col: 100,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&slave, size).unwrap();
    (master, slave)
}

/// Reads until the text has come; the rest of what there was is left in `seen`.
fn read_until(terminal: &mut File, seen: &mut String, text: &str) {
    let mut bytes = [0; 4096];
    while !seen.contains(text) {
        let mut readable = [PollFd::new(&*terminal, PollFlags::IN)];
        let ready = poll(&mut readable, Some(&PATIENCE)).unwrap();
        assert!(ready > 0, "{text} did not come: {seen:?}");
        let many = terminal.read(&mut bytes).unwrap();
        assert!(many > 0, "{text} is missing in {seen:?}");
        *seen += &String::from_utf8_lossy(&bytes[..many]);
    }
}

#[test]
fn a_key_ends_the_run_and_the_terminal_is_given_back() {
    let server = Server::start(Behaviour::Answer);
    let (master, slave) = terminal();
    let before = tcgetattr(&slave).unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["run", &server.url(), "-o", "json"])
        .args([
            "--rate",
            "20",
            "--duration",
            "1h",
            "--threshold",
            "failed == 0",
        ])
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .stdin(slave.try_clone().unwrap())
        .stderr(slave.try_clone().unwrap())
        .stdout(Stdio::piped())
        .spawn()
        .map(Run)
        .unwrap();
    let mut master = File::from(master);
    let mut seen = String::new();
    for text in [
        "\x1b[?1049h",
        "Requests",
        "Response",
        "Thresholds",
        "failed is 0",
    ] {
        read_until(&mut master, &mut seen, text);
    }
    assert!(
        tcgetattr(&slave).unwrap().local_modes != before.local_modes,
        "keys come one by one"
    );
    master.write_all(b"q").unwrap();
    read_until(&mut master, &mut seen, "\x1b[?1049l");
    let report: Value = serde_json::from_reader(run.0.stdout.take().unwrap()).unwrap();
    assert!(run.0.wait().unwrap().code().is_some());
    assert_eq!(report["interrupted"], true);
    assert_eq!(report["thresholds"][0]["holds"], true);
    let after = tcgetattr(&slave).unwrap();
    assert_eq!(
        (after.local_modes, after.input_modes),
        (before.local_modes, before.input_modes)
    );
    assert_eq!(after.output_modes, before.output_modes);
}

#[test]
fn lines_come_where_they_are_asked_for() {
    let server = Server::start(Behaviour::Answer);
    let output = Command::new(env!("CARGO_BIN_EXE_loadgen"))
        .args(["run", &server.url(), "-o", "json", "--progress", "plain"])
        .args(["--rate", "20", "--duration", "5s"])
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stderr).unwrap();
    assert!(lines.lines().count() >= 1, "{lines}");
    for line in lines.lines() {
        assert!(
            line.contains(" sent, ") && line.contains(" answered, "),
            "{line}"
        );
    }
    assert!(serde_json::from_slice::<Value>(&output.stdout).is_ok());
}
