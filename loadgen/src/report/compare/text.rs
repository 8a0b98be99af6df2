//! A comparison for people.

use std::io::{self, Write};

use super::{Bounded, Comparison, Figure, Judgement, Side, Unit};
use crate::report::text::printable;
use crate::report::words::{known, millis, number, percent, seconds};

/// Writes the table; with `colour` what is worse is red.
pub(crate) fn write(comparison: &Comparison, out: &mut dyn Write, colour: bool) -> io::Result<()> {
    for (letter, side) in [("A", &comparison.a), ("B", &comparison.b)] {
        write_side(letter, side, out)?;
    }
    for warning in &comparison.warnings {
        writeln!(
            out,
            "{}",
            paint(colour, "1;31", &format!("WARNING: {}", printable(warning)))
        )?;
    }
    writeln!(
        out,
        "\n  {:<28} {:>10} {:>10} {:>11} {:>7}  {:<26}",
        "", "A", "B", "B less A", "", "95% interval of that"
    )?;
    for figure in &comparison.figures {
        write_figure(figure, out, colour)?;
    }
    writeln!(
        out,
        "\n  Intervals take each second as a cluster of requests. What differs from run to run for other reasons,\n  \
         only more runs show."
    )
}

fn write_side(letter: &str, side: &Side, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{letter}  {}: {}, {}, started {}",
        printable(&side.file),
        printable(&side.name),
        printable(&side.load),
        printable(&side.started),
    )
}

fn write_figure(figure: &Figure, out: &mut dyn Write, colour: bool) -> io::Result<()> {
    let words = |value: f64| in_words(figure.unit, value);
    let signed = |value: f64| {
        if value > 0.0 {
            format!("+{}", words(value))
        } else {
            words(value)
        }
    };
    let interval = figure
        .difference
        .and_then(|Bounded { low, high, .. }| low.zip(high));
    let interval = interval.map_or_else(String::new, |(low, high)| {
        format!("{} to {}", signed(low), signed(high))
    });
    let verdict = match figure.verdict {
        Judgement::Better => paint(colour, "1;32", "better"),
        Judgement::Worse => paint(colour, "1;31", "worse"),
        Judgement::WithinChance => "within chance".to_owned(),
        Judgement::NotJudged => String::new(),
    };
    let change = figure.change_percent.map(|change| format!("{change:+.0}%"));
    let line = format!(
        "  {:<28} {:>10} {:>10} {:>11} {:>7}  {interval:<26} {verdict}",
        figure.name,
        known(figure.a, |a| words(a.value)),
        known(figure.b, |b| words(b.value)),
        known(figure.difference, |difference| signed(difference.value)),
        change.unwrap_or_default(),
    );
    writeln!(out, "{}", line.trim_end())
}

fn in_words(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Millis => millis(value),
        Unit::Seconds => seconds(value),
        Unit::Percent => percent(value),
        Unit::PerSecond => format!("{}/s", number(value)),
        Unit::Count => number(value),
    }
}

fn paint(colour: bool, code: &str, text: &str) -> String {
    if colour {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}
