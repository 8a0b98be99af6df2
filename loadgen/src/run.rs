//! A run: what is sent, what became of it, and whether that is good.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::clock::{self, RunClock};
use crate::engine::{self, Stop};
use crate::report::make::{self, Head};
use crate::report::model::Report;
use crate::scenario::Prepared;

/// Sends all requests of a scenario and reports on them.
pub(crate) async fn run(prepared: Prepared) -> anyhow::Result<Report> {
    let Prepared {
        plan,
        load,
        thresholds,
        observe,
        ..
    } = prepared;
    ensure!(
        observe.is_none(),
        "following an autoscaler is not there yet"
    );
    let mut signals = Signals::new()?;
    let mut head = Head::of(&plan, load, clock::now());
    let engine = engine::prepare(plan).await?;
    head.started = clock::now();
    let clock = RunClock::start();
    let (stop, stopped) = watch::channel(Stop::No);
    let mut sent = std::pin::pin!(engine.run(clock, None, stopped));
    let recording = loop {
        select! {
            recording = &mut sent => break recording?,
            () = signals.next() => stop.send_modify(|stop| {
                *stop = if *stop == Stop::No { Stop::Finish } else { Stop::Abandon };
            }),
        }
    };
    let mut report = make::report(&head, &recording, None, &BTreeMap::new())?;
    report.thresholds = thresholds
        .iter()
        .map(|threshold| threshold.evaluate(&report))
        .collect();
    Ok(report)
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
