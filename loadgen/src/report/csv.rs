//! The time line as CSV: a row for each second, what the autoscaler had beside what became of the requests.
//!
//! The columns are those of `seconds` and of `autoscaler.seconds` in the JSON report. What is not known is empty.

use std::fmt::Display;
use std::io::{self, Write};

use super::model::{Report, ScaleSecond, Second};

const COLUMNS: &str = "second,offered,sent,succeeded,failed,cold_starts,outstanding,p50_ms,p99_ms,max_ms,\
                       desired,ready,starting,draining,waiting,queued,loop";

/// Writes the rows, with one of names first.
pub(crate) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{COLUMNS}")?;
    let scale: &[ScaleSecond] = report
        .autoscaler
        .as_ref()
        .map_or(&[], |scaler| &scaler.seconds);
    for second in 0..report.seconds.len().max(scale.len()) {
        write!(out, "{second},")?;
        write_requests(report.seconds.get(second), out)?;
        write!(out, ",")?;
        write_scale(scale.get(second), out)?;
        writeln!(out, ",{}", report.loop_kind.word())?;
    }
    Ok(())
}

fn write_requests(second: Option<&Second>, out: &mut dyn Write) -> io::Result<()> {
    let Some(second) = second else {
        return write!(out, ",,,,,,,,");
    };
    write!(
        out,
        "{},{},{},{},{},{},{},{},{}",
        second.offered,
        second.sent,
        second.succeeded,
        second.failed,
        second.cold_starts,
        second.outstanding,
        cell(second.p50_ms),
        cell(second.p99_ms),
        cell(second.max_ms),
    )
}

fn write_scale(second: Option<&ScaleSecond>, out: &mut dyn Write) -> io::Result<()> {
    let Some(ScaleSecond {
        replicas,
        waiting,
        queued,
    }) = second
    else {
        return write!(out, ",,,,,");
    };
    write!(
        out,
        "{},{},{},{},{},{}",
        replicas.desired,
        replicas.ready,
        replicas.starting,
        replicas.draining,
        cell(*waiting),
        cell(*queued),
    )
}

fn cell(value: Option<impl Display>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
