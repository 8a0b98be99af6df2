//! Probes: whether a container has started, may get requests, and must be restarted.

mod attempt;
mod crowd;
mod pace;
mod pause;
mod plan;

use std::convert::Infallible;
use std::time::Duration;

use ebbtide_core::document::Probe;
use tokio::time::sleep;

use self::attempt::{ProbeError, attempt};
pub(crate) use self::crowd::Crowd;
use self::pace::{Pace, failures_due};
use self::pause::Pauses;
pub(crate) use self::plan::Plan;
use crate::readiness::{Report, Reporter};
use crate::shared::Shared;

/// Watches a container that has just been started and reports when it is ready and when not.
/// Returns, with the reason, when it must be restarted.
pub(crate) async fn watch(plan: &Plan, shared: &Shared, reporter: &Reporter) -> String {
    if let Some(probe) = &plan.startup
        && let Err(because) = started(probe, shared).await
    {
        return because;
    }
    tokio::select! {
        never = follow_readiness(plan, shared, reporter) => match never {},
        because = failed_liveness(plan.liveness.as_ref()) => because,
    }
}

/// Waits for the first success. Fails after as many failures as the probe allows.
async fn started(probe: &Probe, shared: &Shared) -> Result<(), String> {
    let clock = &shared.clock;
    let began = clock.now();
    let mut pace = Pace::beside(shared.crowd.join());
    let mut pauses = Pauses::default();
    loop {
        let Err(error) = attempt(probe).await else {
            return Ok(());
        };
        let age = clock.now().since(began);
        let failures = failures_due(probe, age);
        if failures >= u128::from(probe.failure_threshold) {
            return Err(failure("startup", failures, &error));
        }
        pauses.pause(pace.after(&error, age, probe.period)).await;
    }
}

/// Reports readiness as it comes and goes.
async fn follow_readiness(plan: &Plan, shared: &Shared, reporter: &Reporter) -> Infallible {
    let container = &plan.container;
    let Some(probe) = &plan.readiness else {
        reporter.send(Report::Ready).await;
        return std::future::pending().await;
    };
    let known = plan
        .startup
        .as_ref()
        .filter(|startup| startup.action == probe.action);
    ready(probe, u32::from(known.is_some()), shared).await;
    loop {
        reporter.send(Report::Ready).await;
        let because = failed("readiness", probe, probe.period).await;
        let because = format!("container `{container}`: {because}");
        reporter.send(Report::NotReady { because }).await;
        recovered(probe).await;
    }
}

/// Waits for the first readiness. The startup probe's success is one of the `successes` that there were if it
/// asks the same.
async fn ready(probe: &Probe, mut successes: u32, shared: &Shared) {
    let clock = &shared.clock;
    let began = clock.now();
    let mut pace = Pace::beside(shared.crowd.join());
    let mut pauses = Pauses::default();
    if successes >= probe.success_threshold.max(1) {
        return;
    }
    loop {
        let pause = match attempt(probe).await {
            Ok(()) => {
                successes += 1;
                if successes >= probe.success_threshold {
                    return;
                }
                probe.period
            }
            Err(error) => {
                successes = 0;
                pace.after(&error, clock.now().since(began), probe.period)
            }
        };
        pauses.pause(pause).await;
    }
}

/// Waits, from one period to the next, for as many successes in a row as the probe asks for.
async fn recovered(probe: &Probe) {
    let mut successes = 0;
    while successes < probe.success_threshold.max(1) {
        sleep(probe.period).await;
        successes = if attempt(probe).await.is_ok() {
            successes + 1
        } else {
            0
        };
    }
}

async fn failed_liveness(probe: Option<&Probe>) -> String {
    match probe {
        Some(probe) => failed("liveness", probe, probe.initial_delay).await,
        None => std::future::pending().await,
    }
}

/// Waits for as many failures in a row as the probe allows, the first try after `delay`.
async fn failed(kind: &str, probe: &Probe, delay: Duration) -> String {
    sleep(delay).await;
    let mut failures = 0;
    loop {
        match attempt(probe).await {
            Ok(()) => failures = 0,
            Err(error) => {
                failures += 1;
                if failures >= probe.failure_threshold {
                    return failure(kind, u128::from(failures), &error);
                }
            }
        }
        sleep(probe.period).await;
    }
}

fn failure(kind: &str, failures: u128, error: &ProbeError) -> String {
    let times = match failures {
        1 => "once".to_owned(),
        _ => format!("{failures} times in a row"),
    };
    format!("its {kind} probe failed {times}: {error}")
}
