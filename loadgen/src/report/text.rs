//! The report for people, on a terminal or in a file.

mod autoscaler;
mod counts;
mod timeline;
mod times;

use std::io::{self, Write};

pub(crate) use self::autoscaler::figures;
pub(crate) use self::counts::printable;
use super::model::{LoopKind, Report};
use super::verdict::{Tone, Verdict};

/// Marks what matters with colour, where there may be any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    colour: bool,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        if self.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn bad(self, text: &str) -> String {
        self.with("1;31", text)
    }

    fn good(self, text: &str) -> String {
        self.with("1;32", text)
    }

    fn title(self, text: &str) -> String {
        self.with("1", text)
    }
}

/// Writes the report; with `colour` what went wrong is red.
pub(crate) fn write(report: &Report, out: &mut dyn Write, colour: bool) -> io::Result<()> {
    let paint = Paint { colour };
    write_head(report, out, paint)?;
    write_verdict(report, out, paint)?;
    counts::write(report, out, paint)?;
    times::write(report, out)?;
    timeline::write(report, out, paint)?;
    autoscaler::write(report, out, paint)
}

fn write_head(report: &Report, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    writeln!(out, "{}", paint.title(&report.name))?;
    let kind = match report.loop_kind {
        LoopKind::Open => "Open loop",
        LoopKind::Closed => {
            "CLOSED LOOP (times leave out what nobody asked for while an answer was late)"
        }
    };
    // Each of several runs had its own.
    let seed = match report.runs {
        0 | 1 => format!(", seed {}", report.seed),
        _ => String::new(),
    };
    writeln!(out, "{kind}: {}{seed}", report.load)?;
    for destination in &report.destinations {
        if report.destinations.len() > 1 {
            let (name, share) = (&destination.target, destination.share_percent);
            write!(out, "{name}, {}: ", super::words::percent(share))?;
        }
        writeln!(out, "{} ({})", destination.what, destination.how)?;
    }
    let machines = match report.runs {
        0 | 1 => String::new(),
        runs => format!(", {runs} runs merged"),
    };
    writeln!(out, "Started {}{machines}", report.started)
}

fn write_verdict(report: &Report, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    let Verdict {
        tone,
        word,
        because,
    } = Verdict::of(report);
    let line = format!("{word}: {because}");
    let line = match tone {
        Tone::Good => paint.good(&line),
        Tone::Bad | Tone::Invalid => paint.bad(&line),
    };
    writeln!(out, "\n{line}")?;
    let width = report
        .thresholds
        .iter()
        .map(|each| each.expression.chars().count())
        .max();
    for threshold in &report.thresholds {
        let sign = if threshold.holds {
            paint.good("✓")
        } else {
            paint.bad("✗")
        };
        let width = width.unwrap_or(0);
        writeln!(
            out,
            "  {sign} {:<width$}  {}",
            threshold.expression, threshold.found
        )?;
    }
    if report.interrupted {
        writeln!(out, "Interrupted: the schedule was ended early.")?;
    }
    Ok(())
}
