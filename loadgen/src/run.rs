//! A run from the command line: sends, shows how far it is, and reports.

use anyhow::Context as _;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::clock::RunClock;
use crate::engine::{self, Stop};
use crate::plan;
use crate::progress::Progress;
use crate::record::recording::Live;
use crate::report::{Load, Report};

/// A checked command line.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) load: Load,
    pub(crate) engine: plan::Plan,
    pub(crate) quiet: bool,
}

/// Sends all requests of the plan and reports on them.
pub(crate) async fn run(plan: Plan) -> anyhow::Result<Report> {
    let mut signals = Signals::new()?;
    let plan::TargetKind::Http(target) = &plan.engine.targets[0].kind;
    let counted = target.count_header.as_ref().map(ToString::to_string);
    let engine = engine::prepare(plan.engine).await?;
    let clock = RunClock::start();
    let progress = Progress::new(plan.quiet, plan.load.duration_seconds);
    let (live, mut shown) = watch::channel(Live::new()?);
    let (stop, stopped) = watch::channel(Stop::No);
    let run = engine.run(clock, progress.is_shown().then_some(live), stopped);
    let mut run = std::pin::pin!(run);
    let recording = loop {
        select! {
            recording = &mut run => break recording?,
            () = signals.next() => stop.send_modify(|stop| {
                *stop = if *stop == Stop::No { Stop::Finish } else { Stop::Abandon };
            }),
            Ok(()) = shown.changed() => progress.show(&shown.borrow_and_update()),
        }
    };
    progress.clear();
    Ok(Report::new(plan.load, recording, counted))
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
