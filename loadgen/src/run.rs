//! A run: what is sent, what became of it, and whether that is good.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use ebbtide_core::duration::Span;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::clock::{self, RunClock};
use crate::engine::{self, Stop};
use crate::live::{Judge, Judged, Progress, Shown, Sources};
use crate::observe::model::Observation;
use crate::observe::{self, Follower};
use crate::plan::Plan;
use crate::record::recording::Live;
use crate::report::head::Head;
use crate::report::make;
use crate::report::model::{Report, ThresholdResult};
use crate::scenario::{Observe, Prepared};
use crate::threshold::Threshold;
use crate::timeline;

/// Sends all requests of a scenario, follows the autoscaler meanwhile, and reports.
pub(crate) async fn run(prepared: Prepared, progress: Progress) -> anyhow::Result<Report> {
    let Prepared {
        plan,
        load,
        thresholds,
        observe,
        ..
    } = prepared;
    let mut signals = Signals::new()?;
    let first = plan.load.first_request().unwrap_or_default();
    let following = Following::start(observe, &plan).await?;
    let mut head = Head::of(&plan, load, clock::now());
    let engine = engine::prepare(plan).await?;
    let (live, watched) = watch::channel(Live::new()?);
    let sources = Sources {
        head: head.clone(),
        live: watched,
        observation: following.as_ref().map(|of| of.follower.watch()),
        judge: judge(&head, &thresholds),
    };
    let shown = Shown::start(progress, sources).context("cannot show the run")?;
    let (stop, stopped) = watch::channel(Stop::No);
    let is_shown = shown.is_shown();
    // Last of all: what a terminal takes is no lateness of the generator.
    head.started = clock::now();
    let clock = RunClock::start();
    let sent = engine.run(clock, is_shown.then_some(live), stopped);
    let recording = until_ended(sent, &stop, &mut signals).await?;
    shown.finish().context("cannot show the run")?;
    let mut report = match following {
        None => make::report(&head, &recording, None, &BTreeMap::new())?,
        Some(following) => {
            if !recording.interrupted {
                following.look_on(is_shown, &mut signals).await;
            }
            let observation = following.follower.finish(clock)?;
            warn(&observation);
            let autoscaler = timeline::join(&observation, &recording, first);
            let weights = timeline::weights(&observation, &recording);
            make::report(&head, &recording, Some(autoscaler), &weights)?
        }
    };
    report.thresholds = hold(&thresholds, &report);
    Ok(report)
}

/// An autoscaler that is followed.
struct Following {
    follower: Follower,
    /// How long after the last answer.
    after: Duration,
}

impl Following {
    /// Begins once its state is known.
    async fn start(observe: Option<Observe>, plan: &Plan) -> anyhow::Result<Option<Self>> {
        let Some(Observe { what, after }) = observe else {
            return Ok(None);
        };
        // Queues lead to no app: of a run with nothing else all apps are followed.
        let http = plan.targets.iter().filter_map(|target| target.kind.http());
        let hosts = http.map(|http| http.authority.clone());
        let hosts: Vec<_> = hosts.collect();
        let follower = observe::start(&what, &hosts).await?;
        Ok(Some(Self { follower, after }))
    }

    /// Looks on until no replica is left, the time for it is over, or someone has seen enough.
    async fn look_on(&self, is_shown: bool, signals: &mut Signals) {
        if is_shown && !self.after.is_zero() {
            let after = Span(self.after);
            // Who watches may have gone.
            let _ = writeln!(
                io::stderr(),
                "All is answered. Looks on until no replica is left, for {after} at most; Ctrl-C ends that."
            );
        }
        select! {
            () = self.follower.until_zero(self.after) => {}
            () = signals.next() => {}
        }
    }
}

/// Says what could not be seen as it should be.
fn warn(observation: &Observation) {
    for warning in &observation.warnings {
        // Who watches may have gone.
        let _ = writeln!(io::stderr(), "loadgen: warning: {warning}");
    }
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

/// Holds thresholds against a run that goes on, as far as that can be: what of targets, stages, revisions and queues
/// is known meanwhile stays with the workers, since to publish it would take the time of those that send.
fn judge(head: &Head, thresholds: &[Threshold]) -> Option<Judge> {
    if thresholds.is_empty() {
        return None;
    }
    let (head, thresholds) = (head.clone(), thresholds.to_vec());
    Some(Box::new(move |live| {
        let report = make::interim(&head, live);
        let judged = |threshold: &Threshold| match &report {
            Ok(report) if threshold.is_of_requests() => Judged::SoFar(threshold.evaluate(report)),
            _ => Judged::AtTheEnd(threshold.expression.clone()),
        };
        thresholds.iter().map(judged).collect()
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
