//! How many requests, and what became of them.

use std::io::{self, Write};

use super::Paint;
use crate::report::histogram::as_float;
use crate::report::model::{Report, Summary};
use crate::report::words::{bytes, count, number, percent, plural};

/// Values of the counted header that are shown.
const VALUES: usize = 20;

pub(super) fn write(report: &Report, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    let total = &report.total;
    writeln!(out)?;
    row(out, "offered", total.offered, "by the schedule")?;
    row(
        out,
        "sent",
        total.sent,
        &format!("in {:.3} s", report.elapsed_seconds),
    )?;
    let rate = format!("{} per second", number(total.answers_per_second));
    row(out, "answered", total.answered, &rate)?;
    for (status, answers) in &total.status_codes {
        row(out, &format!("  {status}"), *answers, "")?;
    }
    row(
        out,
        "failed",
        total.failed,
        &paint_unless_empty(paint, &failures(total)),
    )?;
    let lost = if total.lost > 0 {
        paint.bad("without any answer")
    } else {
        String::new()
    };
    row(out, "lost", total.lost, &lost)?;
    if total.abandoned > 0 {
        row(out, "abandoned", total.abandoned, "when the run was ended")?;
    }
    let share = percent(100.0 * as_float(total.cold_starts) / as_float(total.answered.max(1)));
    let waited = format!("{share} of the answers waited for a replica");
    row(out, "cold starts", total.cold_starts, &waited)?;
    let waited = format!(
        "opened; {} waited for one",
        plural(total.waited_for_connection, "request")
    );
    row(out, "connections", total.connections_opened, &waited)?;
    writeln!(
        out,
        "  {:<12} {:>10}",
        "received",
        bytes(total.bytes_received)
    )?;
    write_counted(report, out)
}

fn row(out: &mut dyn Write, name: &str, value: u64, note: &str) -> io::Result<()> {
    let line = format!("  {name:<12} {:>10}  {note}", count(value));
    writeln!(out, "{}", line.trim_end())
}

fn paint_unless_empty(paint: Paint, text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        paint.bad(text)
    }
}

fn failures(total: &Summary) -> String {
    let parts = total.errors.iter().map(|(kind, many)| {
        let sample = total.error_samples.get(kind);
        let sample = sample.map(|sample| format!(" (first: {})", printable(sample)));
        format!("{kind} {}{}", count(*many), sample.unwrap_or_default())
    });
    parts.collect::<Vec<_>>().join(", ")
}

/// What a server sent may not command the terminal.
pub(crate) fn printable(text: &str) -> String {
    let visible = |character: char| {
        if character.is_control() {
            '\u{fffd}'
        } else {
            character
        }
    };
    text.chars().map(visible).collect()
}

fn write_counted(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let Some(counted) = &report.counted_header else {
        return Ok(());
    };
    writeln!(out, "\n  {}", counted.name)?;
    let answered = as_float(report.total.answered.max(1));
    for (value, answers) in counted.values.iter().take(VALUES) {
        let share = as_float(*answers) * 100.0 / answered;
        writeln!(
            out,
            "    {:<32} {:>10}  {share:6.2}%",
            printable(value),
            count(*answers)
        )?;
    }
    match counted.values.len() {
        more if more > VALUES => writeln!(out, "    and {} more", more - VALUES),
        _ => Ok(()),
    }
}
