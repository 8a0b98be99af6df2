//! Tables of times: of all requests, of each stage, target and revision.

use std::io::{self, Write};

use super::counts::printable;
use crate::report::model::{Distribution, Report, Summary};
use crate::report::words::{count, known, millis, percent};

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let total = &report.total;
    if total.response_time.is_some() {
        writeln!(out)?;
        write!(out, "  {:<12}", "ms")?;
        for title in TITLES {
            write!(out, " {title:>9}")?;
        }
        writeln!(out)?;
        write_row("response", total.response_time.as_ref(), out)?;
        write_row("service", total.service_time.as_ref(), out)?;
        write_row("first byte", total.first_byte_time.as_ref(), out)?;
        write_row("connect", total.connect_time.as_ref(), out)?;
        write_row("cold start", total.cold_start_time.as_ref(), out)?;
        writeln!(
            out,
            "  response is measured from the intended start, service and first byte from the send"
        )?;
    }
    write_lateness(report, out)?;
    let stages: Vec<_> = report
        .stages
        .iter()
        .map(|each| (&each.name, &each.value))
        .collect();
    write_parts("stage", &stages, out)?;
    let targets: Vec<_> = report
        .targets
        .iter()
        .map(|each| (&each.name, &each.value))
        .collect();
    write_parts("target", &targets, out)?;
    write_revisions(report, out)
}

const TITLES: [&str; 10] = [
    "mean", "stddev", "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "max",
];

fn write_row(name: &str, times: Option<&Distribution>, out: &mut dyn Write) -> io::Result<()> {
    let Some(times) = times else {
        return Ok(());
    };
    write!(out, "  {name:<12}")?;
    for value in [
        times.mean_ms,
        times.std_dev_ms,
        times.p50_ms,
        times.p75_ms,
        times.p90_ms,
        times.p95_ms,
        times.p99_ms,
        times.p999_ms,
        times.p9999_ms,
        times.max_ms,
    ] {
        write!(out, " {value:>9.3}")?;
    }
    writeln!(out)
}

fn write_lateness(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let lateness = &report.lateness;
    let times = &lateness.times;
    writeln!(
        out,
        "\nLateness of the generator: p50 {}, p99 {} (at most {}), max {}; {} later than {}, {} dropped",
        millis(times.p50_ms),
        millis(times.p99_ms),
        millis(lateness.limit_ms),
        millis(times.max_ms),
        count(lateness.late),
        millis(lateness.threshold_ms),
        count(lateness.dropped),
    )
}

fn write_parts(kind: &str, parts: &[(&String, &Summary)], out: &mut dyn Write) -> io::Result<()> {
    if parts.is_empty() {
        return Ok(());
    }
    let width = widest(kind, parts.iter().map(|(name, _)| name.as_str()));
    writeln!(
        out,
        "\n  {kind:<width$} {:>10} {:>10} {:>8} {:>9} {:>9} {:>9} {:>11}",
        "sent", "answered", "failed", "p50", "p99", "max", "cold starts"
    )?;
    for (name, part) in parts {
        let time = |of: fn(&Distribution) -> f64| {
            known(part.response_time.as_ref(), |times| millis(of(times)))
        };
        writeln!(
            out,
            "  {:<width$} {:>10} {:>10} {:>8} {:>9} {:>9} {:>9} {:>11}",
            printable(name),
            count(part.sent),
            count(part.answered),
            count(part.failed),
            time(|times| times.p50_ms),
            time(|times| times.p99_ms),
            time(|times| times.max_ms),
            count(part.cold_starts),
        )?;
    }
    Ok(())
}

fn write_revisions(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    if report.revisions.is_empty() {
        return Ok(());
    }
    let names = report.revisions.iter().map(|share| share.revision.as_str());
    let width = widest("revision", names);
    writeln!(
        out,
        "\n  {:<width$} {:>10} {:>8} {:>7} {:>17} {:>7} {:>9} {:>9} {:>8}",
        "revision",
        "answered",
        "failed",
        "share",
        "95% interval",
        "weight",
        "p50",
        "p99",
        "replicas"
    )?;
    for share in &report.revisions {
        let times = share.response_time.as_ref();
        let interval = format!(
            "{}–{}",
            percent(share.percent_low),
            percent(share.percent_high)
        );
        writeln!(
            out,
            "  {:<width$} {:>10} {:>8} {:>7} {interval:>17} {:>7} {:>9} {:>9} {:>8}",
            printable(&share.revision),
            count(share.answered),
            count(share.answered.saturating_sub(share.succeeded)),
            percent(share.percent),
            known(share.weight_percent, percent),
            known(times, |times| millis(times.p50_ms)),
            known(times, |times| millis(times.p99_ms)),
            count(share.replicas.len() as u64),
        )?;
    }
    Ok(())
}

fn widest<'a>(title: &str, names: impl Iterator<Item = &'a str>) -> usize {
    names
        .map(|name| name.chars().count())
        .max()
        .unwrap_or(0)
        .max(title.len())
}
