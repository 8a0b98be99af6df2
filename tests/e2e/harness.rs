//! What every test needs: an Ebbtide of its own, a client that is not ours, and patience.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Patience for something that ought to happen in a moment, even on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

static MACHINE: Mutex<()> = Mutex::new(());

/// One test at a time has the machine, so that loads do not disturb one another.
pub(crate) fn machine() -> MutexGuard<'static, ()> {
    MACHINE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `ebbtide`, which keeps what belongs to its user in a folder of the tests' own.
pub(crate) fn ebbtide() -> Command {
    let mut command = Command::new(program("EBBTIDE_BIN", "ebbtide"));
    command.env("XDG_STATE_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// A program under test: the one that the environment names, or the one beside this test.
pub(crate) fn program(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return PathBuf::from(path);
    }
    let this = std::env::current_exe().expect("this test has a file");
    let folder = this
        .parent()
        .and_then(Path::parent)
        .expect("it is in target/…/deps");
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is missing: run tests/run, or set {variable}",
        path.display()
    );
    path
}

/// An address of loopback, with a port that the system chooses.
pub(crate) const ANY_PORT: &str = "127.0.0.1:0";

/// `ebbtide up`, or another command that goes on, running on ports of its own.
pub(crate) struct Ebbtide {
    child: Child,
    /// The ingress's port.
    pub(crate) ingress: u16,
    /// The status API's port.
    pub(crate) status: u16,
    /// The port of HTTPS, if it is taken.
    pub(crate) tls: u16,
    /// The file with the root of its user's authority; empty if no certificates are made.
    pub(crate) root: String,
    /// The KEDA service's port, if it has one.
    pub(crate) keda: u16,
    /// The port that ingresses report to, if it has one.
    pub(crate) telemetry: u16,
    /// Its documents.
    pub(crate) folder: TempDir,
    output: Option<JoinHandle<String>>,
}

impl Ebbtide {
    /// Starts it with these documents, by file name.
    pub(crate) fn up(documents: &[(&str, &str)]) -> Self {
        let folder = folder(documents);
        Self::up_in(folder, &[])
    }

    /// Starts it with the documents of a folder (the bundled example if it is empty).
    pub(crate) fn up_in(folder: TempDir, arguments: &[&str]) -> Self {
        let mut ports = vec!["up", "--listen", ANY_PORT, "--keda-listen", ANY_PORT];
        if !arguments.contains(&"--listen-tls") {
            ports.extend(["--listen-tls", ANY_PORT]);
        }
        Self::start(folder, &[&ports, arguments].concat())
    }

    /// Starts `ebbtide serve` or `ebbtide ingress` with the documents of a folder.
    pub(crate) fn start(folder: TempDir, arguments: &[&str]) -> Self {
        Self::start_as(ebbtide(), folder, arguments)
    }

    /// The same, by a command with other variables.
    pub(crate) fn start_as(mut command: Command, folder: TempDir, arguments: &[&str]) -> Self {
        command.args(arguments).args(["--status-listen", ANY_PORT]);
        command.env("EBBTIDE_LOG", "info");
        if folder.path().read_dir().expect("a folder").next().is_some() {
            command.arg(folder.path());
        }
        let command = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().expect("ebbtide starts");
        let mut errors = child.stderr.take().expect("piped");
        let output = std::thread::spawn(move || {
            let mut text = String::new();
            drop(errors.read_to_string(&mut text));
            text
        });
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let (mut ingress, mut status) = (None, None);
        let (mut tls, mut keda, mut telemetry) = (0, 0, 0);
        let mut root = String::new();
        while let Some(Ok(line)) = lines.next() {
            if let Some(rest) = line.trim().strip_prefix("live page") {
                status = port(rest.trim().trim_end_matches('/'));
            }
            if let Some(rest) = line.trim().strip_prefix("HTTPS") {
                tls = rest.split_whitespace().next().and_then(port).unwrap_or(0);
            }
            if let Some((_, rest)) = line.split_once("curl --cacert ") {
                root.extend(rest.split(' ').next());
            }
            if let Some(rest) = line.trim().strip_prefix("KEDA") {
                keda = rest.split_whitespace().next().and_then(port).unwrap_or(0);
            }
            if let Some(rest) = line.trim().strip_prefix("telemetry") {
                telemetry = rest.split_whitespace().next().and_then(port).unwrap_or(0);
            }
            if let Some(rest) = line.strip_prefix("Listening on ") {
                ingress = rest.split(". ").next().and_then(port);
                break;
            }
        }
        let (Some(ingress), Some(status)) = (ingress, status) else {
            drop(child.kill());
            panic!(
                "ebbtide did not say where it listens:\n{}",
                output.join().unwrap_or_default()
            );
        };
        // What it prints later is not needed; the pipe stays open until it ends.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            ingress,
            status,
            tls,
            root,
            keda,
            telemetry,
            folder,
            output: Some(output),
        }
    }

    /// Kills it, as a machine that fails would.
    pub(crate) fn kill(mut self) {
        let _ = kill_process(self.pid(), Signal::KILL);
        drop(self.child.wait());
        self.output = None;
    }

    /// Its process.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// A request through the ingress, by curl.
    pub(crate) fn request(&self, host: &str, path: &str) -> Answer {
        let url = format!("http://127.0.0.1:{}{path}", self.ingress);
        curl(&["-H", &format!("Host: {host}"), &url])
    }

    /// The URL of a path of the status API.
    pub(crate) fn api_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.status)
    }

    /// A JSON answer of the status API.
    pub(crate) fn api(&self, path: &str) -> Value {
        let answer = curl(&[&self.api_url(path)]);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// One revision of an app, as the status API shows it.
    pub(crate) fn revision(&self, app: &str, revision: &str) -> Value {
        let revisions = self.api(&format!("/api/v1/apps/{app}/revisions"));
        let all = revisions["value"].as_array().cloned().unwrap_or_default();
        let found = all.into_iter().find(|one| one["name"] == revision);
        found.unwrap_or_else(|| panic!("{revision} is not there: {revisions}"))
    }

    /// The ready replicas of a revision.
    pub(crate) fn ready(&self, app: &str, revision: &str) -> u64 {
        self.revision(app, revision)["replicas"]["ready"]
            .as_u64()
            .expect("a number")
    }

    /// `ebbtide …` against this one.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Output {
        let mut command = ebbtide();
        command
            .args(arguments)
            .env("EBBTIDE_SERVER", self.api_url(""));
        command.output().expect("ebbtide runs")
    }

    /// What `ebbtide …` prints, which must succeed.
    pub(crate) fn cli_text(&self, arguments: &[&str]) -> String {
        let output = self.cli(arguments);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {text}{errors}");
        text
    }

    /// Replaces or adds a document.
    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("the folder is writable");
    }

    /// Stops it as Ctrl-C does, and returns what it logged.
    pub(crate) fn stop(mut self) -> String {
        let _ = kill_process(self.pid(), Signal::INT);
        let status = self.child.wait().expect("it was started");
        let log = self
            .output
            .take()
            .and_then(|log| log.join().ok())
            .unwrap_or_default();
        assert!(status.success(), "{status}\n{log}");
        log
    }
}

impl Drop for Ebbtide {
    fn drop(&mut self) {
        if self.output.is_some() {
            let _ = kill_process(self.pid(), Signal::TERM);
            drop(self.child.wait());
        }
    }
}

/// A folder with these documents.
pub(crate) fn folder(documents: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in documents {
        std::fs::write(folder.path().join(name), text).expect("it is writable");
    }
    folder
}

fn port(address: &str) -> Option<u16> {
    address.rsplit(':').next()?.parse().ok()
}

/// What curl was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status; 0 if there was no answer.
    pub(crate) status: u16,
    /// The head, as it was sent.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Answer {
    /// The first value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let named = |line: &&str| {
            line.split_once(':')
                .is_some_and(|(key, _)| key.trim().eq_ignore_ascii_case(name))
        };
        let line = self.head.lines().find(named)?;
        line.split_once(':').map(|(_, value)| value.trim())
    }
}

/// Runs curl, which gives up after a minute.
pub(crate) fn curl(arguments: &[&str]) -> Answer {
    let output = curl_command(arguments).output();
    answer(&output.expect("curl is installed"))
}

/// curl with the answer on its output, to be run beside a test.
pub(crate) fn curl_command(arguments: &[&str]) -> Command {
    let mut command = Command::new("curl");
    command
        .args(["--silent", "--include", "--max-time", "60"])
        .args(["--noproxy", "*"])
        .args(arguments);
    command
}

/// What curl, which has ended, was answered.
pub(crate) fn answer(output: &Output) -> Answer {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (mut head, mut body) = split_head(&text);
    // An interim answer comes before the real one.
    while head.starts_with("HTTP/1.1 100") {
        (head, body) = split_head(body);
    }
    let status = head
        .split_whitespace()
        .nth(1)
        .and_then(|status| status.parse().ok());
    Answer {
        status: status.unwrap_or(0),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

fn split_head(text: &str) -> (&str, &str) {
    text.split_once("\r\n\r\n").unwrap_or((text, ""))
}

/// Waits until `condition` holds, and fails the test with `what` if it does not.
pub(crate) fn eventually(patience: Duration, what: &str, mut condition: impl FnMut() -> bool) {
    const PAUSE: Duration = Duration::from_millis(50);
    let tries = patience.as_millis() / PAUSE.as_millis();
    for _ in 0..tries {
        if condition() {
            return;
        }
        std::thread::park_timeout(PAUSE);
    }
    panic!("still not so after {} s: {what}", patience.as_secs());
}
