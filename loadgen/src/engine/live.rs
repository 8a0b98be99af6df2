//! Tells how far a run is, to who watches.

use std::rc::Weak;
use std::time::Duration;

use anyhow::Context as _;
use tokio::sync::{mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

use super::worker::Worker;
use crate::clock::RunClock;
use crate::record::recording::{Live, SecondTally, Tally, Times};
use crate::record::seconds::add_seconds;

/// How often it is told.
const EVERY: Duration = Duration::from_millis(250);

/// How many reports may wait to be read. A worker does not wait: it leaves one out.
pub(super) const WAITING: usize = 64;

/// How far one worker is.
pub(super) struct Report {
    worker: usize,
    ending: bool,
    total: Tally,
    lateness: Times,
    /// From a second on; the last one is not complete.
    since: usize,
    seconds: Vec<SecondTally>,
}

/// Reports on a worker for as long as it runs.
pub(super) async fn report(worker: Weak<Worker>, to: mpsc::Sender<Report>) {
    let mut every = interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut since = 0;
    loop {
        every.tick().await;
        let Some(worker) = worker.upgrade() else {
            return;
        };
        let Ok((total, lateness, seconds)) = worker.recorder.borrow().so_far(since) else {
            return;
        };
        // The last second goes on, and a request of the one before may still be begun late.
        let next = (since + seconds.len()).saturating_sub(2);
        let report = Report {
            worker: worker.number(),
            ending: worker.ending.get(),
            total,
            lateness,
            since,
            seconds,
        };
        if to.try_send(report).is_ok() {
            since = next;
        }
    }
}

/// What is known of all workers, and who watches.
pub(super) struct Watched {
    live: watch::Sender<Live>,
    reports: mpsc::Receiver<Report>,
    workers: Vec<Option<Report>>,
    until: Option<Duration>,
}

impl Watched {
    pub(super) fn new(
        live: watch::Sender<Live>,
        reports: mpsc::Receiver<Report>,
        workers: usize,
        until: Option<Duration>,
    ) -> Self {
        Self {
            live,
            reports,
            workers: (0..workers).map(|_| None).collect(),
            until,
        }
    }

    /// Tells what is reported, until the last worker has ended.
    pub(super) async fn follow(mut self, clock: RunClock) -> anyhow::Result<()> {
        while let Some(report) = self.reports.recv().await {
            self.take(report);
            while let Ok(report) = self.reports.try_recv() {
                self.take(report);
            }
            let live = self.add_up(clock.elapsed());
            self.live.send_replace(live.context("how far the run is")?);
        }
        Ok(())
    }

    fn take(&mut self, mut report: Report) {
        let Some(known) = self.workers.get_mut(report.worker) else {
            return;
        };
        if let Some(known) = known.take() {
            let mut seconds = known.seconds;
            seconds.truncate(report.since);
            seconds.append(&mut report.seconds);
            report.seconds = seconds;
        }
        *known = Some(report);
    }

    fn add_up(&self, at: Duration) -> anyhow::Result<Live> {
        let mut live = Live {
            at,
            until: self.until,
            ending: true,
            ..Live::new()?
        };
        for report in self.workers.iter().flatten() {
            live.ending &= report.ending;
            live.total.add(&report.total)?;
            live.lateness.add(&report.lateness)?;
            add_seconds(&mut live.seconds, &report.seconds);
        }
        Ok(live)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::tally::times;

    fn report(worker: usize, since: usize, sent: &[u64]) -> Report {
        let second = |sent: &u64| SecondTally {
            sent: *sent,
            ..SecondTally::default()
        };
        Report {
            worker,
            ending: worker == 0,
            total: Tally::new().unwrap(),
            lateness: times().unwrap(),
            since,
            seconds: sent.iter().map(second).collect(),
        }
    }

    #[test]
    fn what_is_told_again_replaces_what_was_told() {
        let live = Live::new().unwrap();
        let (live, _) = watch::channel(live);
        let (_, reports) = mpsc::channel(1);
        let mut watched = Watched::new(live, reports, 2, None);
        for report in [
            report(0, 0, &[5, 3]),
            report(1, 0, &[1, 1, 1]),
            report(0, 1, &[4, 7]),
            report(1, 2, &[2]),
        ] {
            watched.take(report);
        }
        let live = watched.add_up(Duration::from_secs(3)).unwrap();
        let sent: Vec<_> = live.seconds.iter().map(|second| second.sent).collect();
        assert_eq!(sent, [6, 5, 9]);
        assert!(!live.ending);
    }
}
