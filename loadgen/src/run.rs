//! A run: what is sent, what became of it, and whether that is good.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::clock::{self, RunClock};
use crate::engine::{self, Stop};
use crate::live::{Judge, Progress, Shown, Sources};
use crate::record::recording::Live;
use crate::report::make::{self, Head};
use crate::report::model::{Report, ThresholdResult};
use crate::scenario::Prepared;
use crate::threshold::Threshold;

/// Sends all requests of a scenario and reports on them.
pub(crate) async fn run(prepared: Prepared, progress: Progress) -> anyhow::Result<Report> {
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
    let (live, watched) = watch::channel(Live::new()?);
    let sources = Sources {
        head: head.clone(),
        live: watched,
        observation: None,
        judge: judge(&head, &thresholds),
    };
    let shown = Shown::start(progress, sources).context("cannot show the run")?;
    let (stop, stopped) = watch::channel(Stop::No);
    // Last of all: what a terminal takes is no lateness of the generator.
    head.started = clock::now();
    let clock = RunClock::start();
    let sent = engine.run(clock, shown.is_shown().then_some(live), stopped);
    let recording = until_ended(sent, &stop, &mut signals).await?;
    shown.finish().context("cannot show the run")?;
    let mut report = make::report(&head, &recording, None, &BTreeMap::new())?;
    report.thresholds = hold(&thresholds, &report);
    Ok(report)
}

/// Waits for the end of what is sent, which signals bring nearer.
async fn until_ended<T>(
    sent: impl Future<Output = T>,
    stop: &watch::Sender<Stop>,
    signals: &mut Signals,
) -> T {
    let mut sent = std::pin::pin!(sent);
    loop {
        select! {
            ended = &mut sent => return ended,
            () = signals.next() => stop.send_modify(|stop| {
                *stop = if *stop == Stop::No { Stop::Finish } else { Stop::Abandon };
            }),
        }
    }
}

/// Holds thresholds against a run that goes on, as far as that can be.
fn judge(head: &Head, thresholds: &[Threshold]) -> Option<Judge> {
    let head = head.clone();
    let thresholds: Vec<_> = thresholds
        .iter()
        .filter(|threshold| threshold.is_of_requests())
        .cloned()
        .collect();
    if thresholds.is_empty() {
        return None;
    }
    Some(Box::new(move |live| {
        make::interim(&head, live).map_or_else(|_| Vec::new(), |report| hold(&thresholds, &report))
    }))
}

fn hold(thresholds: &[Threshold], report: &Report) -> Vec<ThresholdResult> {
    let thresholds = thresholds.iter();
    thresholds
        .map(|threshold| threshold.evaluate(report))
        .collect()
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
