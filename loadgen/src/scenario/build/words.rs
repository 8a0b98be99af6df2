//! Loads in words, for reports.

use std::time::Duration;

use ebbtide_core::arrival::ScheduleSpec;
use ebbtide_core::duration::Span;

use super::super::document::{ClosedDocument, StageDocument};
use crate::plan::Stage;

/// How many parts of a load are said.
const SHOWN: usize = 6;

/// A schedule that takes `duration`: `poisson 50/s for 1m`.
pub(super) fn load(spec: &ScheduleSpec, duration: Duration) -> String {
    match spec {
        ScheduleSpec::Trace(of) => format!("trace {} for {}", of.file, Span(duration)),
        other => schedule(other),
    }
}

fn schedule(spec: &ScheduleSpec) -> String {
    match spec {
        ScheduleSpec::Constant(of) => format!("constant {}/s for {}", of.rate, of.duration),
        ScheduleSpec::Poisson(of) => format!("poisson {}/s for {}", of.rate, of.duration),
        ScheduleSpec::Gamma(of) => {
            format!(
                "gamma {}/s of burstiness {} for {}",
                of.rate, of.burstiness, of.duration
            )
        }
        ScheduleSpec::OnOff(of) => format!(
            "on-off {}/s for {} and {}/s for {} on average, for {}",
            of.active.rate, of.active.mean, of.idle.rate, of.idle.mean, of.duration
        ),
        ScheduleSpec::Sine(of) => format!(
            "sine {} ± {}/s with period {} for {}",
            of.mean, of.amplitude, of.period, of.duration
        ),
        ScheduleSpec::Ramp(of) => format!("ramp {} to {}/s in {}", of.from, of.to, of.duration),
        ScheduleSpec::Steps(of) => {
            let rates: Vec<_> = of.rates.iter().map(ToString::to_string).collect();
            format!("steps {}/s of {} each", listed(&rates, ", "), of.each)
        }
        ScheduleSpec::Spike(of) => format!(
            "spike {} to {}/s at {} for {}, of {}",
            of.base, of.peak, of.at, of.lasting, of.duration
        ),
        ScheduleSpec::Trace(of) => format!("trace {}", of.file),
        ScheduleSpec::Sum(parts) => all(parts, " + "),
        ScheduleSpec::Sequence(parts) => all(parts, ", then "),
    }
}

/// Stages by name.
pub(super) fn stages(stages: &[Stage], documents: &[StageDocument]) -> String {
    let stages = stages.iter().zip(documents).map(|(stage, document)| {
        let load = load(&document.schedule, stage.until.saturating_sub(stage.from));
        format!("{}: {load}", stage.name)
    });
    listed(&stages.collect::<Vec<_>>(), "; ")
}

/// A closed loop, which every output calls by its name.
pub(super) fn closed(of: ClosedDocument) -> String {
    let clients = if of.clients == 1 { "client" } else { "clients" };
    let pause = if of.pause.0.is_zero() {
        String::new()
    } else {
        format!(" that pause {}", of.pause)
    };
    format!(
        "closed loop of {} {clients}{pause} for {}",
        of.clients, of.duration
    )
}

fn all(parts: &[ScheduleSpec], between: &str) -> String {
    let parts: Vec<_> = parts.iter().map(schedule).collect();
    listed(&parts, between)
}

/// The first few, and how many more.
fn listed(parts: &[String], between: &str) -> String {
    let shown = parts.get(..SHOWN).unwrap_or(parts).join(between);
    match parts.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}{between}{more} more"),
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub(super) fn float(count: u64) -> f64 {
    count as f64
}
