//! The report for people.

use std::io::{self, Write};

use super::{Lateness, Load, Report, Times};

const RED: &str = "\x1b[1;31m";
const PLAIN: &str = "\x1b[0m";

/// Writes the report; with `colour` what went wrong is red.
pub(crate) fn write(report: &Report, out: &mut dyn Write, colour: bool) -> io::Result<()> {
    let (red, plain) = if colour { (RED, PLAIN) } else { ("", "") };
    write_load(&report.load, out)?;
    if let Some(reason) = &report.invalid_reason {
        writeln!(out, "\n{red}INVALID RUN: {reason}{plain}")?;
    }
    if report.interrupted {
        writeln!(out, "\nInterrupted: the schedule was ended early.")?;
    }
    writeln!(out)?;
    write_counts(report, out, red, plain)?;
    if let (Some(response), Some(service)) = (&report.response_time_ms, &report.service_time_ms) {
        writeln!(out)?;
        write_times(response, service, out)?;
    }
    if report.load.arrival.is_some() {
        write_lateness(&report.lateness, out)?;
    }
    Ok(())
}

fn write_lateness(lateness: &Lateness, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "\nLateness of the generator: p50 {:.3} ms, p99 {:.3} ms, max {:.3} ms; {} later than {} ms",
        lateness.p50_ms, lateness.p99_ms, lateness.max_ms, lateness.late, lateness.threshold_ms,
    )
}

fn write_load(load: &Load, out: &mut dyn Write) -> io::Result<()> {
    let Load {
        method,
        url,
        host,
        protocol,
        ..
    } = load;
    writeln!(out, "{method} {url} (Host: {host}, {protocol})")?;
    if load.burst > 0 {
        writeln!(out, "{} requests at once", load.burst)?;
    }
    if let Some(clients) = load.clients {
        writeln!(
            out,
            "CLOSED LOOP, {clients} clients: the times leave out what nobody asked for while an answer was late"
        )?;
    }
    if let (Some(arrival), Some(rate), Some(seconds)) =
        (load.arrival, load.rate, load.duration_seconds)
    {
        let seed = load.seed;
        writeln!(
            out,
            "{arrival} arrivals, {rate} per second for {seconds} s, seed {seed}"
        )?;
    }
    Ok(())
}

fn write_counts(report: &Report, out: &mut dyn Write, red: &str, plain: &str) -> io::Result<()> {
    let mut row = |name: &str, value: u64, note: String| {
        writeln!(
            out,
            "{}",
            format!("  {name:<12} {value:>10}  {note}").trim_end()
        )
    };
    row(
        "sent",
        report.sent,
        format!("in {:.3} s", report.elapsed_seconds),
    )?;
    let rate = format!("{:.1} per second", report.answers_per_second);
    row("answered", report.answered, rate)?;
    for (status, count) in &report.status_codes {
        row(&format!("  {status}"), *count, String::new())?;
    }
    let failed = if report.failed > 0 {
        format!("{red}{}{plain}", failures(report))
    } else {
        String::new()
    };
    row("failed", report.failed, failed)?;
    if report.abandoned > 0 {
        row("abandoned", report.abandoned, String::new())?;
    }
    let opened = format!("{} waited for one", report.waited_for_connection);
    row("connections", report.connections_opened, opened)?;
    row("bytes", report.bytes_received, String::new())?;
    if let Some(counted) = &report.counted_header {
        writeln!(out, "\n  {}", counted.name)?;
        for (value, count) in &counted.values {
            let share = super::as_float(*count) * 100.0 / super::as_float(report.answered.max(1));
            writeln!(out, "    {value:<32} {count:>10}  {share:6.2}%")?;
        }
    }
    Ok(())
}

fn failures(report: &Report) -> String {
    let errors = &report.errors;
    let kinds = [
        ("connect", errors.connect),
        ("reset", errors.reset),
        ("timeout", errors.timeout),
        ("protocol", errors.protocol),
        ("status", errors.status),
        ("check", errors.check),
    ];
    let seen = kinds.iter().filter(|(_, count)| *count > 0);
    let parts: Vec<_> = seen
        .map(|(kind, count)| match report.error_samples.get(kind) {
            Some(sample) => format!("{kind} {count} (first: {sample})"),
            None => format!("{kind} {count}"),
        })
        .collect();
    parts.join(", ")
}

fn write_times(response: &Times, service: &Times, out: &mut dyn Write) -> io::Result<()> {
    let titles = [
        "mean", "stddev", "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "max",
    ];
    write!(out, "  {:<12}", "ms")?;
    for title in titles {
        write!(out, " {title:>9}")?;
    }
    writeln!(out)?;
    write_row("response", response, out)?;
    write_row("service", service, out)?;
    writeln!(
        out,
        "  response is measured from the intended start, service from the send"
    )
}

fn write_row(name: &str, times: &Times, out: &mut dyn Write) -> io::Result<()> {
    let Times {
        mean,
        std_dev,
        min: _,
        p50,
        p75,
        p90,
        p95,
        p99,
        p999,
        p9999,
        max,
    } = times;
    write!(out, "  {name:<12}")?;
    for value in [mean, std_dev, p50, p75, p90, p95, p99, p999, p9999, max] {
        write!(out, " {value:>9.3}")?;
    }
    writeln!(out)
}
