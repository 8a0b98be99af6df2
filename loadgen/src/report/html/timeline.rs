//! What was asked for, what became of it and what the autoscaler did, over time.

mod charts;

use std::fmt::Write as _;

use self::charts::charts;
use super::axis::times;
use super::stack::{Band, Mark, Stack};
use super::{escape::escape, panel};
use crate::report::columns::{Column, Columns};
use crate::report::histogram::as_float;
use crate::report::model::{Report, ScaleEvent};
use crate::report::words::{clock, plural};

/// Columns that are told apart.
const MOST: usize = 400;
/// Decisions that are marked; all are in the table.
const MARKS: usize = 300;

pub(super) fn section(report: &Report) -> String {
    let line = Columns::of(report, MOST);
    if line.parts.is_empty() {
        return panel(
            "timeline",
            "Time line",
            "",
            "<p class=\"muted\">No second was recorded.</p>\n",
        );
    }
    let end = as_float((line.parts.len() * line.width) as u64);
    let stack = Stack {
        id: "timeline",
        reading: "Time read in all pictures",
        charts: charts(report, &line),
        ticks: times(end),
        marks: marks(report, end),
        marked: "replicas",
        bands: bands(report, end),
        rest: "Peaks",
        labels: labels(&line),
    };
    let note = match line.width {
        1 => "each point is a second; numbers are peaks until you point at a time".to_owned(),
        width => format!(
            "each point is {}; numbers are peaks until you point at a time",
            plural(width as u64, "second")
        ),
    };
    let content = stack.html() + &gaps(report);
    panel("timeline", "Time line", &note, &content)
}

/// When the autoscaler was not seen.
fn gaps(report: &Report) -> String {
    let mut list = String::new();
    for gap in report.autoscaler.iter().flat_map(|scaler| &scaler.gaps) {
        let _ = write!(
            list,
            "<li>The autoscaler was not seen: {}</li>",
            escape(gap)
        );
    }
    if list.is_empty() {
        return list;
    }
    format!("<ul class=\"gaps\">{list}</ul>\n")
}

fn labels(line: &Columns) -> Vec<String> {
    let label = |column: &Column| {
        let from = clock(as_float(column.from as u64));
        match line.width {
            1 => from,
            width => format!("{from}–{}", clock(as_float((column.from + width) as u64))),
        }
    };
    line.parts.iter().map(label).collect()
}

fn bands(report: &Report, end: f64) -> Vec<Band> {
    let stages = report.stages.iter().map(|stage| Band {
        from: (stage.from_seconds / end).min(1.0),
        until: (stage.until_seconds / end).min(1.0),
        name: stage.name.clone(),
    });
    stages.collect()
}

fn marks(report: &Report, end: f64) -> Vec<Mark> {
    let events = report.autoscaler.iter().flat_map(|scaler| &scaler.events);
    let decisions = events.filter(|event| event.reason == "Decision" && event.at_seconds <= end);
    let mark = |event: &ScaleEvent| Mark {
        place: (event.at_seconds / end).max(0.0),
        class: direction(&event.message),
        words: format!("{} {}", clock(event.at_seconds), event.message),
    };
    decisions.take(MARKS).map(mark).collect()
}

/// Which way a decision's sentence goes: `hello--blue 4 → 6: …` is up.
fn direction(sentence: &str) -> &'static str {
    let Some((before, after)) = sentence.split_once(" → ") else {
        return "other";
    };
    let from = before
        .rsplit(' ')
        .next()
        .and_then(|word| word.parse::<u32>().ok());
    let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
    match (from, digits.parse::<u32>().ok()) {
        (Some(from), Some(to)) if to > from => "up",
        (Some(from), Some(to)) if to < from => "down",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_says_which_way() {
        for (sentence, way) in [
            ("hello--blue 4 → 6: queue orders 58 / target 10 = 6", "up"),
            ("hello--blue 10 → 9: idle", "down"),
            ("hello--blue 1 → 1: held", "other"),
            ("nothing of that kind", "other"),
            ("a → b", "other"),
        ] {
            assert_eq!(direction(sentence), way, "{sentence}");
        }
    }
}
