//! The runtime's side: keeps a guardian running and tells it which process groups there are.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::{ARGUMENT, INSTANCE, READY};
use crate::groups::GroupTable;

/// For a guardian to say that it listens, to read, and to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two tries to start a guardian.
const RETRY: Duration = Duration::from_secs(1);
/// Bytes of output in which it must say so.
const GREETING: u64 = 4096;

/// Keeps a guardian.
pub(crate) struct Keeper {
    program: PathBuf,
    instance: String,
    groups: watch::Receiver<GroupTable>,
    guardian: Guardian,
}

/// A guardian that listens.
struct Guardian {
    child: Child,
    input: ChildStdin,
    /// What it has been told.
    told: BTreeSet<u32>,
}

impl Keeper {
    /// Starts a guardian for the processes of `instance`.
    pub(crate) async fn start(
        program: PathBuf,
        instance: String,
        groups: watch::Receiver<GroupTable>,
    ) -> io::Result<Self> {
        let guardian = Guardian::start(&program, &instance).await?;
        Ok(Self {
            program,
            instance,
            groups,
            guardian,
        })
    }

    /// Keeps it informed, and replaces it if it dies, until nobody holds the groups any more. Then
    /// lets it end.
    pub(crate) async fn run(mut self) {
        loop {
            let lost = tokio::select! {
                changed = self.groups.changed() => {
                    if changed.is_err() {
                        break;
                    }
                    self.tell().await.err()
                }
                status = self.guardian.child.wait() => Some(match status {
                    Ok(status) => io::Error::other(status.to_string()),
                    Err(error) => error,
                }),
            };
            if let Some(error) = lost {
                tracing::warn!(%error, "the guardian process is lost; starting another");
                self.replace().await;
            }
        }
        self.guardian.end().await;
    }

    async fn tell(&mut self) -> io::Result<()> {
        let groups = self.groups.borrow_and_update().keys().copied().collect();
        self.guardian.tell(groups).await
    }

    /// Tries until a new guardian knows everything, or none is needed any more.
    async fn replace(&mut self) {
        // The old one must not take the end of its input for our death.
        let _ = self.guardian.child.kill().await;
        // Once nobody holds the groups any more there is nothing left to guard.
        while self.groups.has_changed().is_ok() {
            match Guardian::start(&self.program, &self.instance).await {
                Ok(guardian) => self.guardian = guardian,
                Err(error) => {
                    tracing::error!(%error, "cannot start the guardian process; trying again");
                    sleep(RETRY).await;
                    continue;
                }
            }
            match self.tell().await {
                Ok(()) => return,
                Err(error) => tracing::error!(%error, "the new guardian process does not read"),
            }
        }
    }
}

impl Guardian {
    async fn start(program: &Path, instance: &str) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(ARGUMENT)
            .env(INSTANCE, instance)
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (input, output) = pipes.ok_or_else(|| io::Error::other("it has no pipes"))?;
        patiently(greeting(output)).await?;
        Ok(Self {
            child,
            input,
            told: BTreeSet::new(),
        })
    }

    /// Writes the difference between what it was told and `groups`.
    async fn tell(&mut self, groups: BTreeSet<u32>) -> io::Result<()> {
        let come = groups
            .difference(&self.told)
            .map(|group| format!("+{group}\n"));
        let gone = self
            .told
            .difference(&groups)
            .map(|group| format!("-{group}\n"));
        let lines: String = come.chain(gone).collect();
        patiently(self.input.write_all(lines.as_bytes())).await?;
        self.told = groups;
        Ok(())
    }

    /// Ends its input, upon which it kills what is left and exits.
    async fn end(self) {
        let Self {
            mut child, input, ..
        } = self;
        drop(input);
        if timeout(PATIENCE, child.wait()).await.is_err() {
            tracing::warn!("the guardian process does not end; killing it");
            let _ = child.kill().await;
        }
    }
}

async fn greeting(output: ChildStdout) -> io::Result<()> {
    let mut lines = BufReader::new(output.take(GREETING)).lines();
    while let Some(line) = lines.next_line().await? {
        if line == READY {
            return Ok(());
        }
    }
    Err(io::Error::other(format!(
        "it ended without having said `{READY}`"
    )))
}

async fn patiently<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match timeout(PATIENCE, work).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("it did nothing for {} s", PATIENCE.as_secs()),
        )),
    }
}
