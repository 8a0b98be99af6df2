//! What the autoscaler did, and what it was worth.

use std::io::{self, Write};

use super::Paint;
use super::counts::printable;
use crate::report::model::{Autoscaler, Named, QueueSummary, Report, ScaleFigures};
use crate::report::words::{clock, count, known, millis, number, percent, seconds};

/// Decisions that are shown; JSON and the page have all.
const DECISIONS: usize = 12;

pub(super) fn write(report: &Report, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    for queue in &report.queues {
        write_queue(queue, out)?;
    }
    let Some(scaler) = &report.autoscaler else {
        return Ok(());
    };
    writeln!(out, "\nAutoscaler {}", printable(&scaler.source))?;
    for (name, value) in figures(&scaler.figures) {
        writeln!(out, "  {name:<32} {value:>12}")?;
    }
    for gap in &scaler.gaps {
        writeln!(out, "  {} {}", paint.bad("not seen"), printable(gap))?;
    }
    write_decisions(scaler, out)
}

/// Each figure with its name.
pub(crate) fn figures(figures: &ScaleFigures) -> [(&'static str, String); 10] {
    [
        (
            "time to first replica",
            known(figures.time_to_first_replica_seconds, seconds),
        ),
        (
            "longest time to target",
            known(figures.time_to_target_seconds, seconds),
        ),
        ("time to zero", known(figures.time_to_zero_seconds, seconds)),
        (
            "answers that waited",
            known(figures.waited_percent, percent),
        ),
        ("lost on scale-in", count(figures.lost_on_scale_in)),
        (
            "under-provisioned replica-s",
            number(figures.under_provisioned_replica_seconds),
        ),
        (
            "over-provisioned replica-s",
            number(figures.over_provisioned_replica_seconds),
        ),
        ("replica-seconds", number(figures.replica_seconds)),
        ("most ready replicas", count(figures.most_ready.into())),
        ("flaps", count(figures.flaps)),
    ]
}

fn write_decisions(scaler: &Autoscaler, out: &mut dyn Write) -> io::Result<()> {
    let decisions = || {
        scaler
            .events
            .iter()
            .filter(|event| event.reason == "Decision")
    };
    for decision in decisions().take(DECISIONS) {
        let at = clock(decision.at_seconds);
        writeln!(out, "  {at:>6}  {}", printable(&decision.message))?;
    }
    match decisions().count().saturating_sub(DECISIONS) {
        0 => Ok(()),
        more => writeln!(out, "          and {more} more decisions"),
    }
}

fn write_queue(queue: &Named<QueueSummary>, out: &mut dyn Write) -> io::Result<()> {
    let Named { name, value } = queue;
    let completion = known(value.completion_time.as_ref(), |times| {
        format!("p50 {}, p99 {}", millis(times.p50_ms), millis(times.p99_ms))
    });
    let repeated = match value.repeated {
        0 => String::new(),
        times => format!(", {} completed again", count(times)),
    };
    writeln!(
        out,
        "\nQueue {}: {} enqueued, {} completed, {} failed{repeated}; intended to completed {completion}",
        printable(name),
        count(value.enqueued),
        count(value.completed),
        count(value.failed),
    )
}
