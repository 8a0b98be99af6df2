//! What the containers of a replica say, as what the replica says.

use std::time::Duration;

use tokio::sync::mpsc;

use crate::{ReplicaEventKind, ReplicaPorts};

/// What a container reports to its replica.
#[derive(Debug)]
pub(crate) enum Report {
    /// Its process runs.
    Started { pid: u32, ports: ReplicaPorts },
    /// It passes its startup and readiness probes.
    Ready,
    /// Its readiness probe failed.
    NotReady { because: String },
    /// It ended and is started again.
    Backoff(Restart),
}

/// The way of one container to its replica.
#[derive(Debug)]
pub(crate) struct Reporter {
    pub(crate) index: usize,
    pub(crate) reports: mpsc::Sender<(usize, Report)>,
}

impl Reporter {
    /// Sends a report, waiting while the replica is busy.
    pub(crate) async fn send(&self, report: Report) {
        // The replica reads until all its containers have ended.
        let _ = self.reports.send((self.index, report)).await;
    }
}

/// The end of a run, and the wait until the next.
#[derive(Debug)]
pub(crate) struct Restart {
    /// How it ended, with its last output.
    pub(crate) because: String,
    /// Its last lines of output.
    pub(crate) last_lines: Vec<String>,
    /// Until the next run.
    pub(crate) retry_in: Duration,
    /// Restarts so far.
    pub(crate) restarts: u32,
}

/// Which containers are ready, and whether that was said of the replica.
#[derive(Debug)]
pub(crate) struct Readiness {
    containers: Vec<bool>,
    announced: bool,
}

impl Readiness {
    /// None of `containers` is ready.
    pub(crate) fn new(containers: usize) -> Self {
        Self {
            containers: vec![false; containers],
            announced: false,
        }
    }

    /// What the report of a container means for the replica, if anything.
    pub(crate) fn apply(&mut self, container: usize, report: Report) -> Option<ReplicaEventKind> {
        if let Some(ready) = self.containers.get_mut(container) {
            *ready = matches!(report, Report::Ready);
        }
        match report {
            Report::Started { pid, ports } => {
                (container == 0).then_some(ReplicaEventKind::Started { pid, ports })
            }
            Report::Ready if self.announced || self.containers.contains(&false) => None,
            Report::Ready => {
                self.announced = true;
                Some(ReplicaEventKind::Ready)
            }
            Report::NotReady { because } => std::mem::take(&mut self.announced)
                .then_some(ReplicaEventKind::NotReady { because }),
            Report::Backoff(restart) => {
                self.announced = false;
                Some(restart.into_event())
            }
        }
    }
}

impl Restart {
    /// The event that tells of it.
    pub(crate) fn into_event(self) -> ReplicaEventKind {
        ReplicaEventKind::Backoff {
            because: self.because,
            last_lines: self.last_lines,
            retry_in: self.retry_in,
            restarts: self.restarts,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started() -> Report {
        Report::Started {
            pid: 7,
            ports: ReplicaPorts::default(),
        }
    }

    fn backoff() -> Report {
        Report::Backoff(Restart {
            because: "b".to_owned(),
            last_lines: Vec::new(),
            retry_in: Duration::ZERO,
            restarts: 1,
        })
    }

    fn words(kind: Option<&ReplicaEventKind>) -> &'static str {
        match kind {
            None => "-",
            Some(ReplicaEventKind::Started { .. }) => "started",
            Some(ReplicaEventKind::Ready) => "ready",
            Some(ReplicaEventKind::NotReady { .. }) => "not ready",
            Some(ReplicaEventKind::Backoff { .. }) => "backoff",
            Some(ReplicaEventKind::Stopped) => "stopped",
        }
    }

    #[test]
    fn a_replica_is_ready_when_all_its_containers_are() {
        let not_ready = || Report::NotReady {
            because: String::new(),
        };
        let steps = [
            (1, started(), "-"),
            (0, started(), "started"),
            (0, Report::Ready, "-"),
            (0, not_ready(), "-"),
            (1, Report::Ready, "-"),
            (0, Report::Ready, "ready"),
            (0, Report::Ready, "-"),
            (1, not_ready(), "not ready"),
            (0, not_ready(), "-"),
            (0, Report::Ready, "-"),
            (1, Report::Ready, "ready"),
            (1, backoff(), "backoff"),
            (0, backoff(), "backoff"),
            (1, Report::Ready, "-"),
            (0, started(), "started"),
            (0, Report::Ready, "ready"),
        ];
        let mut readiness = Readiness::new(2);
        for (step, (container, report, expected)) in steps.into_iter().enumerate() {
            assert_eq!(
                words(readiness.apply(container, report).as_ref()),
                expected,
                "step {step}"
            );
        }
    }
}
