//! From the first documents to an orderly end.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::anyhow;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::super::arguments::{DocumentArguments, settings};
use super::super::failure::warn_of_unmentioned;
use super::DRAIN;
use super::signals::Signals;
use super::watch::{follow, warn};
use crate::control::{Command, Control, ControlError, ControlTask, Origin};
use crate::documents::{self, Documents, Texts};

/// The documents as they were read first, and where from.
pub(in crate::cli) struct Followed {
    files: Vec<PathBuf>,
    set: BTreeMap<String, String>,
    texts: Texts,
}

impl Followed {
    /// Reads the documents; without a file, those of `otherwise`.
    ///
    /// # Errors
    /// A file that cannot be read, or everything that is wrong with the documents.
    pub(in crate::cli) fn read(
        arguments: &DocumentArguments,
        otherwise: impl FnOnce() -> Texts,
    ) -> anyhow::Result<(Self, Documents)> {
        let set = settings(&arguments.set);
        let texts = match arguments.files.as_slice() {
            [] => otherwise(),
            files => documents::read(files)?,
        };
        warn_of_unmentioned(&texts, &set);
        let documents = documents::parse(&texts, &set)?;
        let files = arguments.files.clone();
        Ok((Self { files, set, texts }, documents))
    }
}

/// The tasks of this process.
pub(in crate::cli) struct Process {
    /// The way to the control task.
    pub(in crate::cli) control: Control,
    /// Whatever else runs until the end.
    pub(in crate::cli) services: JoinSet<()>,
    signals: Signals,
    control_task: JoinSet<()>,
    stop_control: oneshot::Sender<()>,
    stop_services: watch::Sender<bool>,
}

impl Process {
    /// Starts the control task.
    ///
    /// # Errors
    /// When signals cannot be taken in.
    pub(in crate::cli) fn start(task: ControlTask, control: Control) -> anyhow::Result<Self> {
        let signals = Signals::new()?;
        let (stop_control, control_stopped) = oneshot::channel();
        let mut control_task = JoinSet::new();
        control_task.spawn(task.run(control_stopped));
        Ok(Self {
            control,
            services: JoinSet::new(),
            signals,
            control_task,
            stop_control,
            stop_services: watch::Sender::new(false),
        })
    }

    /// Becomes true when the services are to stop.
    pub(in crate::cli) fn stopped(&self) -> watch::Receiver<bool> {
        self.stop_services.subscribe()
    }

    /// Applies the documents, then follows them until a signal comes; then `drain` is done, and
    /// everything stops. `started` is told when the documents are in force.
    ///
    /// # Errors
    /// Documents that cannot be applied, or a control task that ended by itself.
    pub(in crate::cli) async fn run(
        mut self,
        (followed, documents): (Followed, Documents),
        started: impl FnOnce(&Control),
        drain: impl Future<Output = ()>,
    ) -> anyhow::Result<()> {
        let origin = Origin::Files;
        let apply = |reply| Command::Apply {
            documents,
            origin,
            reply,
        };
        let outcome = match self.control.ask(apply).await {
            Ok(results) => {
                warn(&results);
                started(&self.control);
                let Followed { files, set, texts } = followed;
                let (control, stopped) = (self.control.clone(), self.stopped());
                self.services
                    .spawn(follow(files, set, texts, control, stopped));
                self.until_told().await
            }
            Err(ControlError::InvalidDocument(invalid)) => Err(anyhow!(invalid)),
            Err(error) => Err(anyhow!(error)),
        };
        let stopping = async {
            // Held requests are still served while the ingress drains, so the control task ends
            // after it.
            drain.await;
            // An error means that it has ended already.
            let _ = self.stop_control.send(());
            while self.control_task.join_next().await.is_some() {}
            self.stop_services.send_replace(true);
            while self.services.join_next().await.is_some() {}
        };
        tokio::select! {
            () = stopping => outcome,
            () = self.signals.recv() => {
                Err(anyhow!("told to stop twice: requests and replicas were cut off"))
            }
        }
    }

    /// Waits for a signal.
    ///
    /// # Errors
    /// When the control task ends before: without it nothing starts, stops or recovers any more.
    async fn until_told(&mut self) -> anyhow::Result<()> {
        tokio::select! {
            () = self.signals.recv() => {
                tracing::info!("stopping; requests in flight have {} s", DRAIN.as_secs());
                Ok(())
            }
            Some(_) = self.control_task.join_next() => {
                Err(anyhow!("the control task has failed; see the log above"))
            }
        }
    }
}
