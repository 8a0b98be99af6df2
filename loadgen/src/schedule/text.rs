//! The summary for people.

use std::io::{self, Write};

use super::span;
use super::summary::{Row, Summary};

/// Characters of the longest bar.
const BAR: f64 = 48.0;

pub(super) fn write(summary: &Summary, out: &mut dyn Write) -> io::Result<()> {
    let spec = serde_json::to_string(&summary.spec)?;
    writeln!(out, "{spec}, seed {}\n", summary.seed)?;
    let mut row = |name: &str, value: String| writeln!(out, "  {name:<22} {value}");
    let expected = summary.expected_requests;
    row(
        "requests",
        format!("{} ({expected:.1} expected)", summary.requests),
    )?;
    row("duration", span(summary.duration_seconds))?;
    row("mean rate", format!("{:.2} per second", summary.mean_rate))?;
    if let Some(bins) = &summary.bins {
        let (peak, bin) = (bins.peak_rate, span(bins.bin_seconds));
        let at = span(bins.peak_at_seconds);
        row(
            "peak rate",
            format!("{peak:.2} per second, in the {bin} at {at}"),
        )?;
        if let Some(dispersion) = bins.index_of_dispersion {
            let note = format!("{dispersion:.3} (variance over mean of the number in {bin})");
            row("index of dispersion", note)?;
        }
    }
    writeln!(out, "\n  from         per second")?;
    let highest = summary.rate_over_time.iter().map(|row| row.rate);
    let highest = highest.fold(0.0, f64::max);
    for row in &summary.rate_over_time {
        write_row(row, highest, out)?;
    }
    Ok(())
}

fn write_row(row: &Row, highest: f64, out: &mut dyn Write) -> io::Result<()> {
    let share = if highest > 0.0 {
        row.rate / highest
    } else {
        0.0
    };
    let bar = bar(share * BAR);
    let from = span((row.from_seconds * 1000.0).round() / 1000.0);
    let line = format!("  {from:<12} {:>10.2}  {bar}", row.rate);
    writeln!(out, "{}", line.trim_end())
}

fn bar(length: f64) -> String {
    let marks = (1..).map(f64::from).take_while(|mark| mark - 0.5 <= length);
    marks.map(|_| '#').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_rounded() {
        for (length, marks) in [(0.0, 0), (0.4, 0), (0.5, 1), (1.4, 1), (48.0, 48)] {
            assert_eq!(bar(length).len(), marks, "{length}");
        }
    }
}
