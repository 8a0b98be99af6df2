//! One container of a replica: run, watched, and run again when it ends.

use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::document::Container;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::ReplicaPorts;
use crate::backoff::Backoff;
use crate::probe::{self, Plan};
use crate::process::{Ending, Process};
use crate::readiness::{Report, Reporter, Restart};
use crate::replica::Replica;

/// Lines of output that fit into a sentence.
const QUOTED_LINES: usize = 3;
/// Characters of each.
const QUOTED_CHARACTERS: usize = 200;

/// How a run ended.
pub(crate) enum Outcome {
    /// It was told to stop.
    Stopped,
    /// By itself, or because a probe failed, or it could not be started.
    Ended(Failure),
}

/// The end of a run that nobody asked for.
pub(crate) struct Failure {
    /// In one sentence, with the last output.
    pub(crate) because: String,
    /// The last lines of output.
    pub(crate) last_lines: Vec<String>,
    /// Whether the process exited with status 0.
    pub(crate) success: bool,
}

/// A container and what it needs to run.
pub(crate) struct Seat<'a> {
    pub(crate) replica: &'a Replica,
    pub(crate) container: &'a Container,
    pub(crate) stop: watch::Receiver<bool>,
}

/// Runs the container that `reporter` reports for until it is told to stop.
pub(crate) async fn run(replica: Arc<Replica>, stop: watch::Receiver<bool>, reporter: Reporter) {
    let Some(container) = replica.spec.containers.get(reporter.index) else {
        return;
    };
    let plan = Plan::of(&replica.spec, reporter.index);
    let mut seat = Seat {
        replica: &replica,
        container,
        stop,
    };
    let mut backoff = Backoff::default();
    loop {
        let began = replica.shared.clock.now();
        match seat.serve(reporter.index == 0, &plan, &reporter).await {
            Outcome::Stopped => return,
            Outcome::Ended(failure) => {
                let ran = replica.shared.clock.now().since(began);
                let restart = failure.restart(&mut backoff, ran);
                let retry_in = restart.retry_in;
                reporter.send(Report::Backoff(restart)).await;
                if seat.stopped_within(retry_in).await {
                    return;
                }
            }
        }
    }
}

impl Seat<'_> {
    /// Runs the container once, as one that is to stay.
    async fn serve(&mut self, first: bool, plan: &Plan, reporter: &Reporter) -> Outcome {
        let (mut process, ports) = match self.start(first) {
            Ok(started) => started,
            Err(failure) => return Outcome::Ended(failure),
        };
        let pid = process.id();
        let plan = plan.at(self.replica.spec.target_port, &ports);
        reporter.send(Report::Started { pid, ports }).await;
        let shared = &self.replica.shared;
        let unhealthy = tokio::select! {
            biased;
            () = stopped(&mut self.stop) => {
                self.end(process).await;
                return Outcome::Stopped;
            }
            () = process.exited() => None,
            because = probe::watch(&plan, shared, reporter) => Some(because),
        };
        // It gets no more requests from here, however long its end takes.
        let because = unhealthy.clone();
        let because = because.unwrap_or_else(|| "its process ended".to_owned());
        reporter.send(Report::NotReady { because }).await;
        let ending = match unhealthy {
            None => process.finish().await,
            Some(because) => Ending {
                words: format!("was restarted: {because}"),
                ..self.end(process).await
            },
        };
        Outcome::Ended(self.failure(ending))
    }

    /// Runs the container once, to its end.
    pub(crate) async fn run_to_end(&mut self) -> Outcome {
        let mut process = match self.start(false) {
            Ok((process, _)) => process,
            Err(failure) => return Outcome::Ended(failure),
        };
        tokio::select! {
            biased;
            () = stopped(&mut self.stop) => {
                self.end(process).await;
                return Outcome::Stopped;
            }
            () = process.exited() => {}
        }
        Outcome::Ended(self.failure(process.finish().await))
    }

    /// Waits `time`, and says whether it was told to stop meanwhile.
    pub(crate) async fn stopped_within(&mut self, time: Duration) -> bool {
        timeout(time, stopped(&mut self.stop)).await.is_ok()
    }

    fn start(&self, first: bool) -> Result<(Process, ReplicaPorts), Failure> {
        let failed = |words: String| {
            self.failure(Ending {
                words: format!("could not be started: {words}"),
                success: false,
                last_lines: Vec::new(),
            })
        };
        let replica = self.replica;
        let ports = replica
            .ports(first)
            .map_err(|error| failed(format!("no free port on 127.0.0.1: {error}")))?;
        let process = Process::start(&replica.shared, &replica.spec, self.container, &ports)
            .map_err(|error| failed(error.to_string()))?;
        Ok((process, ports))
    }

    async fn end(&self, mut process: Process) -> Ending {
        let grace = self.replica.spec.termination_grace_period;
        process.terminate(grace).await;
        process.finish().await
    }

    fn failure(&self, ending: Ending) -> Failure {
        let name = &self.container.name;
        let said = quote(&ending.last_lines);
        Failure {
            because: format!("container `{name}` {}{said}", ending.words),
            last_lines: ending.last_lines,
            success: ending.success,
        }
    }
}

impl Failure {
    /// What follows after a run that took `ran`.
    pub(crate) fn restart(self, backoff: &mut Backoff, ran: Duration) -> Restart {
        let retry_in = backoff.after(ran);
        Restart {
            because: self.because,
            last_lines: self.last_lines,
            retry_in,
            restarts: backoff.restarts(),
        }
    }
}

/// Waits until the replica is told to stop, or nobody is left who could.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The last lines with something on them, as the end of a sentence.
fn quote(lines: &[String]) -> String {
    let said: Vec<&String> = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = said.iter().skip(said.len().saturating_sub(QUOTED_LINES));
    let quoted: Vec<String> = last
        .map(|line| line.trim().chars().take(QUOTED_CHARACTERS).collect())
        .collect();
    if quoted.is_empty() {
        String::new()
    } else {
        format!("; its last output: {}", quoted.join(" | "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_end_the_sentence() {
        let lines = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(quote(&[]), "");
        assert_eq!(quote(&lines(&["", "  "])), "");
        assert_eq!(
            quote(&lines(&["a", " b\t", ""])),
            "; its last output: a | b"
        );
        assert_eq!(
            quote(&lines(&["a", "b", "c", "d"])),
            "; its last output: b | c | d"
        );
        let long = "é".repeat(500);
        assert!(quote(&[long]).ends_with(&format!(": {}", "é".repeat(QUOTED_CHARACTERS))));
    }
}
