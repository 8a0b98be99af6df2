//! One run of a container: a child process that leads a process group of its own.

mod environment;
mod exit;
mod expand;
mod program;

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::document::Container;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, waitid};
use thiserror::Error;
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind};
use tokio::time::timeout;

use self::program::ProgramError;
use crate::groups::{ProcessGroup, number};
use crate::instance;
use crate::logs::{Capture, LineSink};
use crate::shared::Shared;
use crate::{ReplicaPorts, ReplicaSpec};

/// Why a process could not be started.
#[derive(Debug, Error)]
pub(crate) enum StartError {
    /// There is no such program.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The system refused.
    #[error("{}: {source}", program.display())]
    Spawn {
        program: std::path::PathBuf,
        source: io::Error,
    },
    /// The system gave no way to watch it.
    #[error("cannot watch for its end: {0}")]
    Watch(io::Error),
}

/// How a process ended.
#[derive(Debug)]
pub(crate) struct Ending {
    /// `exited with status 1`.
    pub(crate) words: String,
    /// Whether it exited with status 0.
    pub(crate) success: bool,
    /// Its last lines of output, oldest first.
    pub(crate) last_lines: Vec<String>,
}

/// A running process and its group. Dropping it kills the group.
pub(crate) struct Process {
    group: ProcessGroup,
    child: Child,
    children: unix::Signal,
    capture: Capture,
}

impl Process {
    /// Starts `container` of the replica `spec` on `ports`.
    pub(crate) fn start(
        shared: &Shared,
        spec: &ReplicaSpec,
        container: &Container,
        ports: &ReplicaPorts,
    ) -> Result<Self, StartError> {
        // Before the child is there, so that no notice of its end is missed.
        let children = unix::signal(SignalKind::child()).map_err(StartError::Watch)?;
        let (program, mut command) = command(shared, spec, container, ports)?;
        let mut child = command
            .spawn()
            .map_err(|source| StartError::Spawn { program, source })?;
        let leader = leader(&child).map_err(StartError::Watch)?;
        let group = shared.groups.adopt(leader, &spec.name);
        let sink = LineSink {
            store: Arc::clone(&shared.logs),
            clock: Arc::clone(&shared.clock),
            revision: spec.revision.clone(),
            replica: spec.name.clone(),
            container: Arc::from(container.name.as_str()),
        };
        let capture = Capture::start(&mut child, sink);
        Ok(Self {
            group,
            child,
            children,
            capture,
        })
    }

    /// The process's number, which is its group's too.
    pub(crate) fn id(&self) -> u32 {
        number(self.group.leader())
    }

    /// Waits until the process has ended. It is not reaped, so its number stays its own.
    pub(crate) async fn exited(&mut self) {
        while !has_exited(self.group.leader()) {
            if self.children.recv().await.is_none() {
                return;
            }
        }
    }

    /// Asks the group to end, and kills it if the process has not ended after `grace`.
    pub(crate) async fn terminate(&mut self, grace: Duration) {
        self.group.signal(Signal::TERM);
        if timeout(grace, self.exited()).await.is_err() {
            self.group.signal(Signal::KILL);
            self.exited().await;
        }
    }

    /// Kills what is left of the group of a process that has ended, and reaps it.
    pub(crate) async fn finish(mut self) -> Ending {
        drop(self.group);
        let status = self.child.wait().await;
        let last_lines = self.capture.finish().await;
        match status {
            Ok(status) => Ending {
                words: exit::describe(status),
                success: status.success(),
                last_lines,
            },
            Err(error) => Ending {
                words: format!("ended, and its status is unknown: {error}"),
                success: false,
                last_lines,
            },
        }
    }
}

fn command(
    shared: &Shared,
    spec: &ReplicaSpec,
    container: &Container,
    ports: &ReplicaPorts,
) -> Result<(std::path::PathBuf, Command), ProgramError> {
    let variables = environment::variables(spec, container, ports);
    let words = environment::command_line(container, &variables);
    let name = words.first().map_or("", String::as_str);
    let search = match variables.get("PATH") {
        Some(path) => Some(path.into()),
        None => std::env::var_os("PATH"),
    };
    let program = program::find(name, search.as_deref(), &spec.working_directory)?;
    let mut command = std::process::Command::new(&program);
    command
        .arg0(name)
        .args(words.iter().skip(1))
        .envs(variables)
        .env(instance::VARIABLE, &shared.instance)
        .current_dir(&spec.working_directory)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    Ok((program, Command::from(command)))
}

fn leader(child: &Child) -> io::Result<Pid> {
    child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw)
        .ok_or_else(|| io::Error::other("the child has no process number"))
}

/// Whether the child has ended, without reaping it. One that is no longer there has.
fn has_exited(child: Pid) -> bool {
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    loop {
        match waitid(WaitId::Pid(child), look) {
            Ok(None) => return false,
            Err(Errno::INTR) => {}
            Ok(Some(_)) | Err(_) => return true,
        }
    }
}
