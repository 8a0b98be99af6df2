//! What was asked for, what became of it and what the autoscaler did, over time.

use super::axis::times;
use super::chart::{Chart, Series, Shape, Unit};
use super::stack::{Band, Mark, Stack};
use super::{escape::escape, panel};
use crate::report::columns::{Column, Columns, Rates};
use crate::report::histogram::as_float;
use crate::report::model::{Report, ScaleEvent, ScaleSecond};
use crate::report::words::{clock, plural};

/// Columns that are told apart.
const MOST: usize = 400;
/// Decisions that are marked; all are in the table.
const MARKS: usize = 300;

/// A series: its class, label, shape, and the value of a column.
type Row<'a> = (
    &'static str,
    &'static str,
    Shape,
    &'a dyn Fn(&Column) -> Option<f64>,
);

pub(super) fn section(report: &Report) -> String {
    let line = Columns::of(report, MOST);
    if line.columns.is_empty() {
        return panel(
            "timeline",
            "Time line",
            "",
            "<p class=\"muted\">No second was recorded.</p>\n",
        );
    }
    let end = as_float((line.columns.len() * line.width) as u64);
    let stack = Stack {
        id: "timeline",
        reading: "Time read in all pictures",
        charts: charts(&line),
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
    let gaps = report.autoscaler.iter().flat_map(|scaler| &scaler.gaps);
    let gaps: String = gaps
        .map(|gap| format!("<li>The autoscaler was not seen: {}</li>", escape(gap)))
        .collect();
    let gaps = if gaps.is_empty() {
        gaps
    } else {
        format!("<ul class=\"gaps\">{gaps}</ul>\n")
    };
    panel("timeline", "Time line", &note, &(stack.html() + &gaps))
}

fn labels(line: &Columns) -> Vec<String> {
    let label = |column: &Column| {
        let from = clock(as_float(column.from as u64));
        match line.width {
            1 => from,
            width => format!("{from}–{}", clock(as_float((column.from + width) as u64))),
        }
    };
    line.columns.iter().map(label).collect()
}

fn charts(line: &Columns) -> Vec<Chart> {
    let chart = |id, title, height, unit, rows: &[Row<'_>]| Chart {
        id,
        title,
        height,
        unit,
        logarithmic: unit == Unit::Millis,
        series: (rows.iter())
            .map(|(class, label, shape, value)| Series {
                class,
                label,
                shape: *shape,
                values: line.columns.iter().map(value).collect(),
            })
            .collect(),
    };
    let mut charts = vec![
        chart(
            "rates",
            "Requests per second",
            128,
            Unit::Number,
            &[
                ("succeeded", "succeeded", Shape::Area, &|column| {
                    rate(column, |rates| rates.succeeded)
                }),
                ("offered", "offered", Shape::Line, &|column| {
                    rate(column, |rates| rates.offered)
                }),
                ("sent", "sent", Shape::Line, &|column| {
                    rate(column, |rates| rates.sent)
                }),
            ],
        ),
        chart(
            "times",
            "Response time, log scale",
            96,
            Unit::Millis,
            &[
                ("p50", "p50", Shape::Line, &|column| column.p50_ms),
                ("p99", "p99", Shape::Line, &|column| column.p99_ms),
            ],
        ),
        chart(
            "outstanding",
            "Requests not answered yet",
            76,
            Unit::Count,
            &[
                ("outstanding", "outstanding", Shape::Area, &|column| {
                    rate(column, |rates| rates.outstanding)
                }),
                ("waiting", "waiting for a replica", Shape::Area, &|column| {
                    scale(column)?.waiting.map(as_float)
                }),
            ],
        ),
        chart(
            "replicas",
            "Replicas",
            112,
            Unit::Count,
            &[
                ("ready", "ready", Shape::Band, &|column| {
                    Some(scale(column)?.replicas.ready.into())
                }),
                ("starting", "starting", Shape::Band, &|column| {
                    Some(scale(column)?.replicas.starting.into())
                }),
                ("draining", "draining", Shape::Band, &|column| {
                    Some(scale(column)?.replicas.draining.into())
                }),
                ("desired", "desired", Shape::Steps, &|column| {
                    Some(scale(column)?.replicas.desired.into())
                }),
            ],
        ),
        chart(
            "queue",
            "Queue depth",
            68,
            Unit::Number,
            &[("queued", "queued", Shape::Area, &|column| {
                scale(column)?.queued
            })],
        ),
        chart(
            "cold",
            "Cold starts",
            52,
            Unit::Count,
            &[(
                "cold",
                "answers that waited for a replica",
                Shape::Bars,
                &|column| Some(as_float(column.cold_starts)),
            )],
        ),
        chart(
            "failed",
            "Failed per second",
            52,
            Unit::Number,
            &[("failed", "failed", Shape::Bars, &|column| {
                rate(column, |rates| rates.failed)
            })],
        ),
    ];
    charts.retain_mut(|chart| {
        let some = |series: &Series| series.values.iter().flatten().any(|value| *value > 0.0);
        if chart.id == "outstanding" {
            chart
                .series
                .retain(|series| series.class == "outstanding" || some(series));
        }
        matches!(chart.id, "rates" | "times" | "outstanding") || chart.series.iter().any(some)
    });
    charts
}

fn rate(column: &Column, of: fn(&Rates) -> f64) -> Option<f64> {
    column.rates.as_ref().map(of)
}

fn scale(column: &Column) -> Option<&ScaleSecond> {
    column.scale.as_ref()
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
