//! A run: what is sent, what became of it, and whether that is good.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use tokio::select;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::clock::{self, RunClock};
use crate::engine::{self, Stop};
use crate::live::{Judge, Progress, Shown, Sources};
use crate::observe::{self, Follower};
use crate::plan::{Plan, Target, TargetKind};
use crate::record::recording::{Live, Recording};
use crate::report::make::{self, Head};
use crate::report::model::{Autoscaler, Report, ThresholdResult};
use crate::scenario::{Observe, Prepared};
use crate::threshold::Threshold;
use crate::timeline;

/// Sends all requests of a scenario and reports on them.
pub(crate) async fn run(prepared: Prepared, progress: Progress) -> anyhow::Result<Report> {
    let Prepared {
        plan,
        load,
        thresholds,
        observe,
        ..
    } = prepared;
    let mut signals = Signals::new()?;
    let mut head = Head::of(&plan, load, clock::now());
    let following = match observe {
        Some(observe) => Some(Following::start(observe, &plan).await?),
        None => None,
    };
    let engine = engine::prepare(plan).await?;
    head.started = clock::now();
    let clock = RunClock::start();
    let (live, watched) = watch::channel(Live::new()?);
    let sources = Sources {
        head: head.clone(),
        live: watched,
        observation: following
            .as_ref()
            .map(|following| following.follower.watch()),
        judge: judge(&head, &thresholds),
    };
    let shown = Shown::start(progress, sources).context("cannot show the run")?;
    let (stop, stopped) = watch::channel(Stop::No);
    let is_shown = shown.is_shown();
    let sent = engine.run(clock, is_shown.then_some(live), stopped);
    let recording = until_ended(sent, &stop, &mut signals).await?;
    shown.finish().context("cannot show the run")?;
    let (autoscaler, weights) = match following {
        Some(following) => {
            following.wait(is_shown, &mut signals).await;
            following.join(clock, &recording)?
        }
        None => (None, BTreeMap::new()),
    };
    let mut report = make::report(&head, &recording, autoscaler, &weights)?;
    report.thresholds = hold(&thresholds, &report);
    Ok(report)
}

/// The autoscaler that is followed.
struct Following {
    follower: Follower,
    /// How long it is followed after the last answer.
    after: Duration,
    first_request: Duration,
}

impl Following {
    async fn start(observe: Observe, plan: &Plan) -> anyhow::Result<Self> {
        let hosts: Vec<_> = plan.targets.iter().map(host).collect();
        Ok(Self {
            follower: observe::start(&observe.what, &hosts).await?,
            after: observe.after,
            first_request: plan.load.first_request().unwrap_or_default(),
        })
    }

    /// Waits until no replica is left, for as long as that was asked for; a signal ends it.
    async fn wait(&self, is_shown: bool, signals: &mut Signals) {
        if is_shown && !self.after.is_zero() {
            let _ = writeln!(
                io::stderr(),
                "Waiting until no replica is left, {} s at most; Ctrl-C ends that",
                self.after.as_secs_f64()
            );
        }
        select! {
            () = self.follower.until_zero(self.after) => {}
            () = signals.next() => {}
        }
    }

    fn join(
        self,
        clock: RunClock,
        recording: &Recording,
    ) -> anyhow::Result<(Option<Autoscaler>, BTreeMap<String, f64>)> {
        let observation = self.follower.finish(clock)?;
        for warning in &observation.warnings {
            let _ = writeln!(io::stderr(), "loadgen: {warning}");
        }
        let joined = timeline::join(&observation, recording, self.first_request);
        Ok((Some(joined), timeline::weights(&observation, recording)))
    }
}

/// The host that a target's requests name.
fn host(target: &Target) -> String {
    let TargetKind::Http(http) = &target.kind;
    http.authority.clone()
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
