//! A runtime to test, and what tests ask of the system.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::document::{Container, EnvironmentValue, EnvironmentVariable};
use ebbtide_core::name::{AppName, ReplicaName, RevisionName};
use ebbtide_runtime::{
    ReplicaEvent, ReplicaEventKind, ReplicaPorts, ReplicaSpec, Runtime, RuntimeOptions,
};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::clock::TestClock;

/// Far longer than anything takes; a test that waits this long has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// A runtime, its events, and a folder for its containers.
pub(crate) struct Harness {
    pub(crate) runtime: Runtime,
    pub(crate) events: mpsc::Receiver<ReplicaEvent>,
    pub(crate) folder: TempDir,
}

impl Harness {
    pub(crate) async fn start() -> Self {
        Self::with_queue(16).await
    }

    pub(crate) async fn with_queue(length: usize) -> Self {
        let (sender, events) = mpsc::channel(length);
        Self {
            runtime: Runtime::start(options(), sender).await.unwrap(),
            events,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A replica of `hello--v1` in the folder.
    pub(crate) fn spec(&self, identifier: &str, containers: Vec<Container>) -> ReplicaSpec {
        spec(identifier, containers, self.folder.path())
    }

    pub(crate) fn run(&mut self, spec: ReplicaSpec) {
        self.runtime.start_replica(spec).unwrap();
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> ReplicaEvent {
        let event = timeout(PATIENCE, self.events.recv()).await;
        event.expect("an event in time").expect("a runtime")
    }

    /// What the next event says.
    pub(crate) async fn kind(&mut self) -> ReplicaEventKind {
        self.next().await.kind
    }

    /// The process and port of the next event, which must say `Started`.
    pub(crate) async fn started(&mut self) -> (u32, Option<u16>) {
        let (pid, ports) = self.started_with_ports().await;
        (pid, ports.main)
    }

    /// The same with all ports.
    pub(crate) async fn started_with_ports(&mut self) -> (u32, ReplicaPorts) {
        match self.kind().await {
            ReplicaEventKind::Started { pid, ports } => (pid, ports),
            other => panic!("not started: {other:?}"),
        }
    }

    /// The reason, the last lines and the restarts of the next event, which must say `Backoff`. A
    /// `Ready` and a `NotReady` before it are passed over: what ends at once may or may not have been
    /// ready.
    pub(crate) async fn backoff(&mut self) -> (String, Vec<String>, u32) {
        loop {
            match self.kind().await {
                ReplicaEventKind::Ready | ReplicaEventKind::NotReady { .. } => {}
                ReplicaEventKind::Backoff {
                    because,
                    last_lines,
                    restarts,
                    ..
                } => return (because, last_lines, restarts),
                other => panic!("no backoff: {other:?}"),
            }
        }
    }

    /// Stops a replica and reads events until it has stopped.
    pub(crate) async fn stop(&mut self, name: &ReplicaName) {
        self.runtime.stop_replica(name);
        while self.kind().await != ReplicaEventKind::Stopped {}
    }

    /// The lines of all replicas so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.runtime.logs().tail("hello", None, None, 1000);
        lines.iter().map(|line| line.line.clone()).collect()
    }

    /// Waits until a line of output is `text`.
    pub(crate) async fn line(&self, text: &str) {
        until(text, || self.lines().iter().any(|line| line == text)).await;
    }

    /// What is in a file of the folder, once it is there.
    pub(crate) async fn file(&self, name: &str) -> String {
        read(&self.folder.path().join(name)).await
    }
}

pub(crate) fn options() -> RuntimeOptions {
    RuntimeOptions {
        program: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/processes/guardian.sh"),
        log_lines_per_replica: 100,
        clock: Arc::new(TestClock::new()),
    }
}

pub(crate) fn spec(identifier: &str, containers: Vec<Container>, folder: &Path) -> ReplicaSpec {
    let revision = RevisionName::parse("hello--v1").unwrap();
    ReplicaSpec {
        name: ReplicaName::new(&revision, identifier),
        revision,
        app: AppName::new("hello").unwrap(),
        target_port: None,
        additional_ports: Vec::new(),
        init_containers: Vec::new(),
        containers,
        secrets: BTreeMap::new(),
        termination_grace_period: PATIENCE,
        environment: vec![("CONTAINER_APP_NAME".to_owned(), "hello".to_owned())],
        working_directory: PathBuf::from(folder),
    }
}

/// A container named `name` that runs a shell script. `$` of the script is for the shell.
pub(crate) fn shell(name: &str, script: &str) -> Container {
    let script = script.replace('$', "$$");
    Container {
        name: name.to_owned(),
        command: ["sh", "-c"].map(str::to_owned).to_vec(),
        args: vec![script],
        ..Container::default()
    }
}

/// A container that runs this binary's own server on `PORT`.
pub(crate) fn server(name: &str) -> Container {
    let binary = std::env::current_exe().unwrap();
    let mut container = Container {
        name: name.to_owned(),
        command: vec![binary.to_str().unwrap().to_owned()],
        args: crate::roles::ARGUMENTS.map(str::to_owned).to_vec(),
        ..Container::default()
    };
    set(&mut container, crate::roles::ROLE, "server");
    container
}

/// Adds a variable.
pub(crate) fn set(container: &mut Container, name: &str, value: &str) {
    container.env.push(EnvironmentVariable {
        name: name.to_owned(),
        value: EnvironmentValue::Literal(value.to_owned()),
    });
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let holds = async {
        while !condition() {
            sleep(Duration::from_millis(2)).await;
        }
    };
    assert!(timeout(PATIENCE, holds).await.is_ok(), "never came: {what}");
}

/// What is in a file, once it is there and ends with a newline.
pub(crate) async fn read(path: &Path) -> String {
    let mut text = String::new();
    until(&path.display().to_string(), || {
        text = std::fs::read_to_string(path).unwrap_or_default();
        text.ends_with('\n')
    })
    .await;
    text
}

/// Whether a process runs. One that has ended and was not reaped does not.
pub(crate) fn runs(process: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(") ")
        .and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// The processes that have `entry` in their environment.
pub(crate) fn with_environment(entry: &str) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let processes = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    processes
        .filter(|process: &u32| {
            let environment = std::fs::read(format!("/proc/{process}/environ")).unwrap_or_default();
            let mut entries = environment.split(|byte| *byte == 0);
            entries.any(|found| found == entry.as_bytes())
        })
        .collect()
}

/// Sends a signal to a process.
pub(crate) fn send(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    kill_process(process.unwrap(), signal).unwrap();
}
