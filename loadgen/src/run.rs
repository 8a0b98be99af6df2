//! Follows the schedule: sends each request when it is due and collects what became of it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use ebbtide_core::arrival::Schedule;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::{JoinError, JoinSet};

use crate::client::{Client, ClientOptions};
use crate::clock::RunClock;
use crate::old_report::{Ending, Load, Report};
use crate::outcome::Outcome;
use crate::pacer::Pacer;
use crate::progress::Progress;
use crate::tally::Tally;

/// Requests that are not answered yet, in flight or waiting for a connection. Beyond it the
/// schedule waits, and what is sent then counts as late.
const OUTSTANDING: usize = 100_000;

/// A checked command line.
pub(crate) struct Plan {
    pub(crate) load: Load,
    /// None if only a burst is sent.
    pub(crate) schedule: Option<Schedule>,
    pub(crate) client: ClientOptions,
    pub(crate) quiet: bool,
}

/// Sends all requests of the plan and reports on them.
pub(crate) async fn run(plan: Plan) -> anyhow::Result<Report> {
    let burst = plan.load.burst;
    let count_header = plan.client.count_header.clone();
    let mut signals = Signals::new()?;
    let clock = RunClock::start();
    let client = Arc::new(Client::new(plan.client, clock));
    let at_once = (0..burst).map(|_| Duration::ZERO);
    let offsets = at_once.chain(plan.schedule.into_iter().flatten());
    let mut run = Run {
        pacer: Pacer::start(offsets, clock).context("cannot start a thread")?,
        tasks: JoinSet::new(),
        tally: Tally::new(burst)?,
        client: Arc::clone(&client),
        count_header: count_header.is_some(),
        open: true,
        interrupted: false,
    };
    let mut progress = Progress::new(plan.quiet, plan.load.duration_seconds, clock);
    run.collect(&mut signals, &mut progress).await?;
    progress.clear();
    let ending = Ending {
        interrupted: run.interrupted,
        connections_opened: client.connections_opened(),
        at: clock.elapsed(),
    };
    run.pacer.join()?;
    let name = count_header.map(|name| name.to_string());
    Ok(Report::new(plan.load, run.tally, ending, name))
}

struct Run {
    pacer: Pacer,
    tasks: JoinSet<(u64, Outcome)>,
    tally: Tally,
    client: Arc<Client>,
    count_header: bool,
    /// More may become due.
    open: bool,
    interrupted: bool,
}

impl Run {
    async fn collect(
        &mut self,
        signals: &mut Signals,
        progress: &mut Progress,
    ) -> Result<(), JoinError> {
        while self.open || !self.tasks.is_empty() {
            let room = self.tasks.len() < OUTSTANDING;
            select! {
                due = self.pacer.due.recv(), if self.open && room => match due {
                    Some(intended) => self.begin(intended),
                    None => self.open = false,
                },
                Some(ended) = self.tasks.join_next() => {
                    let (position, outcome) = ended?;
                    self.tally.record(position, outcome, self.count_header);
                }
                () = signals.next() => {
                    if self.interrupted {
                        self.tasks.shutdown().await;
                    }
                    self.interrupted = true;
                    self.pacer.stop();
                }
                () = progress.tick() => progress.show(&self.tally),
            }
        }
        Ok(())
    }

    fn begin(&mut self, intended: Duration) {
        let position = self.tally.sent;
        self.tally.sent += 1;
        let client = Arc::clone(&self.client);
        self.tasks
            .spawn(async move { (position, client.exchange(intended).await) });
    }
}

/// SIGINT and SIGTERM: the first ends the schedule, the second the run.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?,
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
        })
    }

    async fn next(&mut self) {
        select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
