//! One replica: its init containers in turn, then its containers side by side.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::backoff::Backoff;
use crate::container::{self, Failure, Outcome, Seat};
use crate::leases::{Leases, ReplicaPorts, Wanted};
use crate::readiness::{Readiness, Reporter};
use crate::shared::Shared;
use crate::{ReplicaEvent, ReplicaEventKind, ReplicaSpec};

/// Reports of containers that wait while the replica sends events.
const REPORTS: usize = 16;

/// A replica and the ports it holds.
pub(crate) struct Replica {
    pub(crate) shared: Arc<Shared>,
    pub(crate) spec: ReplicaSpec,
    leases: Mutex<Leases>,
}

/// Runs a replica until it is told to stop, and says so.
pub(crate) async fn run(shared: Arc<Shared>, spec: ReplicaSpec, stop: watch::Receiver<bool>) {
    let replica = Arc::new(Replica {
        shared,
        spec,
        leases: Mutex::default(),
    });
    let Replica { shared, spec, .. } = &*replica;
    shared.logs.open(&spec.app, &spec.revision, &spec.name);
    if replica.initialize(stop.clone()).await {
        serve(&replica, stop).await;
    }
    shared.logs.close(&spec.name);
    replica.emit(ReplicaEventKind::Stopped).await;
}

/// Runs the containers until all have stopped.
async fn serve(replica: &Arc<Replica>, stop: watch::Receiver<bool>) {
    let (reports, mut inbox) = mpsc::channel(REPORTS);
    let mut containers = JoinSet::new();
    for index in 0..replica.spec.containers.len() {
        let reporter = Reporter {
            index,
            reports: reports.clone(),
        };
        containers.spawn(container::run(Arc::clone(replica), stop.clone(), reporter));
    }
    drop(reports);
    let mut readiness = Readiness::new(replica.spec.containers.len());
    while let Some((index, report)) = inbox.recv().await {
        if let Some(kind) = readiness.apply(index, report) {
            replica.emit(kind).await;
        }
    }
    while let Some(ended) = containers.join_next().await {
        if let Err(error) = ended {
            tracing::error!(replica = %replica.spec.name, %error, "the task of a container failed");
        }
    }
}

impl Replica {
    /// The replica's ports. With `renew`, others where something else has taken them meanwhile.
    pub(crate) fn ports(&self, renew: bool) -> io::Result<ReplicaPorts> {
        let wanted = Wanted {
            target: self.spec.target_port,
            additional: &self.spec.additional_ports,
            renew,
            // Of several containers another one may be what has taken it.
            renew_additional: renew && self.spec.containers.len() == 1,
        };
        let mut leases = self.leases.lock().unwrap_or_else(PoisonError::into_inner);
        leases.take(&self.shared.ports, wanted)
    }

    /// Runs the init containers in turn, from the first again if one fails. Returns whether the
    /// containers are to run, which is false when the replica was told to stop.
    async fn initialize(&self, stop: watch::Receiver<bool>) -> bool {
        let mut backoff = Backoff::default();
        loop {
            let began = self.shared.clock.now();
            let failure = match self.initialize_once(&stop).await {
                None => return true,
                Some(Outcome::Stopped) => return false,
                Some(Outcome::Ended(failure)) => failure,
            };
            let ran = self.shared.clock.now().since(began);
            let restart = failure.restart(&mut backoff, ran);
            let retry_in = restart.retry_in;
            self.emit(restart.into_event()).await;
            let stopped = async {
                let _ = stop.clone().wait_for(|stop| *stop).await;
            };
            if tokio::time::timeout(retry_in, stopped).await.is_ok() {
                return false;
            }
        }
    }

    /// Runs the init containers in turn, until one does not succeed.
    async fn initialize_once(&self, stop: &watch::Receiver<bool>) -> Option<Outcome> {
        for container in &self.spec.init_containers {
            let mut seat = Seat {
                replica: self,
                container,
                stop: stop.clone(),
            };
            match seat.run_to_end().await {
                Outcome::Ended(Failure { success: true, .. }) => {}
                outcome => return Some(outcome),
            }
        }
        // Told to stop between two of them.
        stop.borrow().then_some(Outcome::Stopped)
    }

    async fn emit(&self, kind: ReplicaEventKind) {
        let event = ReplicaEvent {
            replica: self.spec.name.clone(),
            revision: self.spec.revision.clone(),
            at: self.shared.clock.now(),
            kind,
        };
        self.shared.emit(event).await;
    }
}
