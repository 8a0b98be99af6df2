//! The runtime: what starts and stops replicas.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ebbtide_core::name::ReplicaName;
use ebbtide_core::time::Clock;
use thiserror::Error;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::groups::Groups;
use crate::guardian::Keeper;
use crate::ports::Ports;
use crate::probe::Crowd;
use crate::shared::Shared;
use crate::{LogStore, ReplicaEvent, ReplicaSpec, SpecError, instance, replica};

/// What a runtime needs.
#[derive(Clone)]
pub struct RuntimeOptions {
    /// This executable. Run with the argument `guardian` it has to call
    /// [`guardian_main`](crate::guardian_main).
    pub program: PathBuf,
    /// How many lines of output are kept of each replica.
    pub log_lines_per_replica: usize,
    /// Says when things happen.
    pub clock: Arc<dyn Clock>,
}

/// Why a runtime could not start.
#[derive(Debug, Error)]
pub enum RuntimeError {
    /// The guardian could not be started.
    #[error("cannot start the guardian process `{} guardian`: {source}", program.display())]
    Guardian {
        /// The program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No random identifier could be drawn.
    #[error("cannot draw a random identifier from /dev/urandom: {0}")]
    Identifier(std::io::Error),
}

/// Runs replicas, each in a task of its own; all are joined by [`Runtime::shutdown`].
///
/// Dropping a runtime without `shutdown` kills the processes it has started.
pub struct Runtime {
    shared: Arc<Shared>,
    /// The way to tell each replica to stop. Closed once the replica has stopped.
    replicas: BTreeMap<ReplicaName, watch::Sender<bool>>,
    tasks: JoinSet<()>,
    keeper: JoinSet<()>,
}

impl Runtime {
    /// Starts the guardian and makes the runtime. Events go to `events`; while it is full, the
    /// replicas wait.
    ///
    /// # Errors
    /// When the guardian cannot be started.
    pub async fn start(
        options: RuntimeOptions,
        events: mpsc::Sender<ReplicaEvent>,
    ) -> Result<Self, RuntimeError> {
        let instance = instance::draw().map_err(RuntimeError::Identifier)?;
        let (groups, table) = Groups::new();
        let program = options.program;
        let started = Keeper::start(program.clone(), instance.clone(), table).await;
        let started = started.map_err(|source| RuntimeError::Guardian { program, source })?;
        let mut keeper = JoinSet::new();
        keeper.spawn(started.run());
        let shared = Shared {
            clock: options.clock,
            logs: Arc::new(LogStore::new(options.log_lines_per_replica)),
            ports: Ports::default(),
            groups,
            instance,
            events,
            crowd: Crowd::default(),
            closing: watch::Sender::new(false),
        };
        Ok(Self {
            shared: Arc::new(shared),
            replicas: BTreeMap::new(),
            tasks: JoinSet::new(),
            keeper,
        })
    }

    /// Starts a replica. What becomes of it is told by events.
    ///
    /// # Errors
    /// When the specification cannot be run; then nothing was started and no event follows.
    pub fn start_replica(&mut self, mut spec: ReplicaSpec) -> Result<(), SpecError> {
        self.forget_stopped();
        if self.replicas.contains_key(&spec.name) {
            return Err(SpecError::AlreadyRunning(spec.name));
        }
        spec.check()?;
        if let Ok(absolute) = std::path::absolute(&spec.working_directory) {
            spec.working_directory = absolute;
        }
        let (stop, told) = watch::channel(false);
        self.replicas.insert(spec.name.clone(), stop);
        self.tasks
            .spawn(replica::run(Arc::clone(&self.shared), spec, told));
        Ok(())
    }

    /// Stops a replica: SIGTERM to the process group of each container, SIGKILL after the grace
    /// period, then `Stopped`. Does nothing if there is no such replica.
    pub fn stop_replica(&mut self, name: &ReplicaName) {
        self.forget_stopped();
        if let Some(stop) = self.replicas.get(name) {
            stop.send_replace(true);
        }
    }

    /// The processes of each live replica, one for each container that runs.
    pub fn processes(&self) -> Vec<(ReplicaName, Vec<u32>)> {
        self.shared.groups.by_replica()
    }

    /// The output of the replicas.
    pub fn logs(&self) -> Arc<LogStore> {
        Arc::clone(&self.shared.logs)
    }

    /// Stops all replicas, waits for them, and ends the guardian. Takes no longer than the longest
    /// termination grace period, whether anyone reads the events or not; those that find the queue
    /// full are dropped.
    pub async fn shutdown(mut self) {
        self.shared.closing.send_replace(true);
        for stop in self.replicas.values() {
            stop.send_replace(true);
        }
        while let Some(ended) = self.tasks.join_next().await {
            note(ended);
        }
        // With the last one who knows the groups, the keeper ends.
        drop(self.shared);
        while let Some(ended) = self.keeper.join_next().await {
            note(ended);
        }
    }

    fn forget_stopped(&mut self) {
        while let Some(ended) = self.tasks.try_join_next() {
            note(ended);
        }
        self.replicas.retain(|_, stop| !stop.is_closed());
    }
}

fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a task of the runtime failed");
    }
}
