//! The runtime: what starts and stops replicas.

use std::path::PathBuf;
use std::sync::Arc;

use ebbtide_core::name::ReplicaName;
use ebbtide_core::time::Clock;
use thiserror::Error;
use tokio::sync::mpsc;

use crate::{LogStore, ReplicaEvent, ReplicaSpec, SpecError};

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

/// Runs replicas. One task of its own per replica; all are joined by [`Runtime::shutdown`].
pub struct Runtime {
    logs: Arc<LogStore>,
}

impl Runtime {
    /// Starts the guardian and makes the runtime. Events go to `events`; when it is full, the
    /// replicas wait.
    ///
    /// # Errors
    /// When the guardian cannot be started.
    #[expect(clippy::unused_async, reason = "first form")]
    pub async fn start(
        _options: RuntimeOptions,
        _events: mpsc::Sender<ReplicaEvent>,
    ) -> Result<Self, RuntimeError> {
        Ok(Self {
            logs: Arc::new(LogStore::new()),
        })
    }

    /// Starts a replica. What becomes of it is told by events.
    ///
    /// # Errors
    /// When the specification cannot be run; then nothing was started and no event follows.
    pub fn start_replica(&mut self, _spec: ReplicaSpec) -> Result<(), SpecError> {
        Ok(())
    }

    /// Stops a replica: SIGTERM to the process group of each container, SIGKILL after the grace
    /// period, then `Stopped`. Does nothing if there is no such replica.
    pub fn stop_replica(&mut self, _name: &ReplicaName) {}

    /// The processes of each live replica, one for each container that runs.
    pub fn processes(&self) -> Vec<(ReplicaName, Vec<u32>)> {
        Vec::new()
    }

    /// The output of the replicas.
    pub fn logs(&self) -> Arc<LogStore> {
        Arc::clone(&self.logs)
    }

    /// Stops all replicas, waits for them, and ends the guardian.
    #[expect(clippy::unused_async, reason = "first form")]
    pub async fn shutdown(self) {}
}
