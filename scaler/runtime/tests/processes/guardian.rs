//! No orphans: what becomes of the children when the runtime's process is killed.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use ebbtide_runtime::{Runtime, RuntimeError, RuntimeOptions};
use rustix::process::Signal;
use tokio::sync::mpsc;

use crate::roles;
use crate::support::{options, read, runs, send, until, with_environment};

/// This binary with a runtime. Killed when it is dropped.
struct Victim(Child);

impl Drop for Victim {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// Starts this binary with a runtime that runs `script` in a replica.
fn victim(folder: &Path, script: &str) -> Victim {
    std::fs::write(folder.join("script"), script).unwrap();
    let started = Command::new(std::env::current_exe().unwrap())
        .args(roles::ARGUMENTS)
        .env(roles::ROLE, "victim")
        .env(roles::FOLDER, folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn();
    Victim(started.unwrap())
}

fn folder_entry(folder: &Path) -> String {
    format!("{}={}", roles::FOLDER, folder.display())
}

/// The guardians of the victim of a folder.
fn guardians(folder: &Path) -> Vec<u32> {
    let guardians = with_environment(&format!("{}=guardian", roles::ROLE));
    let mut of_folder = with_environment(&folder_entry(folder));
    of_folder.retain(|process| guardians.contains(process));
    of_folder
}

/// Whether a guardian handles SIGHUP yet. Before it does, it may still be this binary's test harness
/// that runs, which ends when it cannot write to who started it.
fn is_in_charge(guardian: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{guardian}/status")).unwrap_or_default();
    let mut lines = status.lines();
    let caught = lines.find_map(|line| line.strip_prefix("SigCgt:\t"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask, 16).ok());
    caught.is_some_and(|mask| mask & 1 == 1)
}

#[tokio::test]
async fn a_killed_runtime_leaves_no_child_no_grandchild_and_no_guardian() {
    let folder = tempfile::tempdir().unwrap();
    // A child, one that left the group, one without the marker, and a grandchild that left both
    // its group and its parent.
    let script = "
        sleep 1000 & one=$!
        setsid sleep 1000 & two=$!
        env -i sleep 1000 & three=$!
        sh -c 'setsid sleep 1000 & echo $! >four'
        echo $$ $one $two $three $(cat four) >pids
        wait";
    let victim = victim(folder.path(), script);
    let pids = read(&folder.path().join("pids")).await;
    let pids: Vec<u32> = pids
        .split(' ')
        .map(|pid| pid.trim().parse().unwrap())
        .collect();
    assert_eq!(pids.len(), 5);
    assert!(pids.iter().all(|pid| runs(*pid)), "{pids:?}");
    drop(victim);
    until("the end of all", || !pids.iter().any(|pid| runs(*pid))).await;
    let entry = folder_entry(folder.path());
    until("the end of the guardian", || {
        with_environment(&entry).is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_guardian_that_dies_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let script = "sleep 1000 & echo $$ $! >pids; wait";
    let victim = victim(folder.path(), script);
    let pids = read(&folder.path().join("pids")).await;
    let pids: Vec<u32> = pids
        .split(' ')
        .map(|pid| pid.trim().parse().unwrap())
        .collect();
    let first = guardians(folder.path());
    assert_eq!(first.len(), 1);
    send(first[0], Signal::KILL);
    let mut second = Vec::new();
    until("another guardian", || {
        second = guardians(folder.path());
        second.len() == 1 && second != first && is_in_charge(second[0])
    })
    .await;
    assert!(pids.iter().all(|pid| runs(*pid)), "the children go on");
    drop(victim);
    until("the end of all", || !pids.iter().any(|pid| runs(*pid))).await;
    until("the end of the guardian", || !runs(second[0])).await;
}

#[test]
fn a_guardian_ends_with_its_input_and_not_by_signals() {
    let mut guardian = Command::new(std::env::current_exe().unwrap())
        .args(roles::ARGUMENTS)
        .env(roles::ROLE, "guardian")
        .env("EBBTIDE_GUARDIAN_OF", "nobody")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(guardian.stdout.take().unwrap());
    let mut lines = output.lines().map(Result::unwrap);
    assert!(lines.any(|line| line == "guardian ready"));
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        send(guardian.id(), signal);
    }
    // Waiting closes its input.
    assert!(guardian.wait().unwrap().success());
}

#[tokio::test]
async fn a_program_that_is_no_guardian_is_an_error() {
    for program in ["/nonexistent/ebbtide", "/bin/true"] {
        let (sender, _events) = mpsc::channel(1);
        let options = RuntimeOptions {
            program: program.into(),
            ..options()
        };
        match Runtime::start(options, sender).await {
            Err(error @ RuntimeError::Guardian { .. }) => {
                assert!(error.to_string().contains(program), "{error}");
            }
            Err(other) => panic!("{other}"),
            Ok(_) => panic!("{program} is taken for a guardian"),
        }
    }
}
