//! Which pictures the time line has, and what is in them.

use crate::report::columns::{Column, Columns, Rates};
use crate::report::histogram::as_float;
use crate::report::html::chart::{Chart, Series, Shape, Unit};
use crate::report::model::{Named, Report, RevisionSeconds, ScaleSecond};

/// A series: its class, its label, how it is drawn, and its value of a column.
type Row = (
    &'static str,
    &'static str,
    Shape,
    fn(&Column) -> Option<f64>,
);

/// A picture: its name, title, height, unit and series.
type Picture = (&'static str, &'static str, u32, Unit, &'static [Row]);

/// Revisions that have a picture of their own.
const REVISIONS: usize = 6;

const PICTURES: [Picture; 7] = [
    ("rates", "Requests per second", 128, Unit::Number, &RATES),
    (
        "times",
        "Response time, log scale",
        96,
        Unit::Millis,
        &TIMES,
    ),
    (
        "outstanding",
        "Requests not answered yet",
        76,
        Unit::Count,
        &OUTSTANDING,
    ),
    ("replicas", "Replicas", 112, Unit::Count, &REPLICAS),
    ("queue", "Queue depth", 68, Unit::Number, &QUEUE),
    ("cold", "Cold starts", 52, Unit::Count, &COLD),
    ("failed", "Failed per second", 52, Unit::Number, &FAILED),
];

const RATES: [Row; 3] = [
    ("succeeded", "succeeded", Shape::Area, |column| {
        rate(column, |rates| rates.succeeded)
    }),
    ("offered", "offered", Shape::Line, |column| {
        rate(column, |rates| rates.offered)
    }),
    ("sent", "sent", Shape::Line, |column| {
        rate(column, |rates| rates.sent)
    }),
];

const TIMES: [Row; 2] = [
    ("p50", "p50", Shape::Line, |column| column.p50_ms),
    ("p99", "p99", Shape::Line, |column| column.p99_ms),
];

const OUTSTANDING: [Row; 2] = [
    ("outstanding", "outstanding", Shape::Area, |column| {
        rate(column, |rates| rates.outstanding)
    }),
    ("waiting", "waiting for a replica", Shape::Area, |column| {
        scale(column)?.waiting.map(as_float)
    }),
];

const REPLICAS: [Row; 4] = [
    ("ready", "ready", Shape::Band, |column| {
        Some(scale(column)?.replicas.ready.into())
    }),
    ("starting", "starting", Shape::Band, |column| {
        Some(scale(column)?.replicas.starting.into())
    }),
    ("draining", "draining", Shape::Band, |column| {
        Some(scale(column)?.replicas.draining.into())
    }),
    ("desired", "desired", Shape::Steps, |column| {
        Some(scale(column)?.replicas.desired.into())
    }),
];

const QUEUE: [Row; 1] = [("queued", "queued", Shape::Area, |column| {
    scale(column)?.queued
})];

const COLD: [Row; 1] = [(
    "cold",
    "answers that waited for a replica",
    Shape::Bars,
    |column| Some(as_float(column.cold_starts)),
)];

const FAILED: [Row; 1] = [("failed", "failed", Shape::Bars, |column| {
    rate(column, |rates| rates.failed)
})];

/// The pictures that show something, and those of requests in any case.
pub(super) fn charts(report: &Report, line: &Columns) -> Vec<Chart> {
    let mut charts: Vec<_> = PICTURES
        .iter()
        .map(|picture| chart(picture, line))
        .collect();
    let replicas = charts.iter().position(|chart| chart.id == "replicas");
    let at = replicas.map_or(charts.len(), |replicas| replicas + 1);
    charts.splice(at..at, revisions(report, line));
    charts.retain_mut(|chart| {
        let some = |series: &Series| series.values.iter().flatten().any(|value| *value > 0.0);
        if chart.id == "outstanding" {
            chart
                .series
                .retain(|series| series.class == "outstanding" || some(series));
        }
        matches!(chart.id.as_str(), "rates" | "times" | "outstanding")
            || chart.series.iter().any(some)
    });
    charts
}

fn chart(&(id, title, height, unit, rows): &Picture, line: &Columns) -> Chart {
    let series = rows.iter().map(|(class, label, shape, value)| Series {
        class,
        label,
        shape: *shape,
        values: line.parts.iter().map(value).collect(),
    });
    Chart {
        id: id.to_owned(),
        title: title.to_owned(),
        height,
        unit,
        logarithmic: unit == Unit::Millis,
        series: series.collect(),
    }
}

/// The replicas of each revision, where there are several.
fn revisions(report: &Report, line: &Columns) -> Vec<Chart> {
    let revisions = report
        .autoscaler
        .iter()
        .flat_map(|scaler| &scaler.revisions);
    let chart = |(position, revision): (usize, &Named<RevisionSeconds>)| {
        let seconds = line.scale(&revision.value.seconds).into_iter();
        let seen = seconds.map(|scale| Column {
            scale,
            ..Column::default()
        });
        let seen = Columns {
            width: line.width,
            seconds: line.seconds,
            parts: seen.collect(),
        };
        Chart {
            id: format!("replicas-{position}"),
            title: format!("Replicas of {}", revision.name),
            ..chart(&("", "", 60, Unit::Count, &REPLICAS), &seen)
        }
    };
    revisions.take(REVISIONS).enumerate().map(chart).collect()
}

fn rate(column: &Column, of: fn(&Rates) -> f64) -> Option<f64> {
    column.rates.as_ref().map(of)
}

fn scale(column: &Column) -> Option<&ScaleSecond> {
    column.scale.as_ref()
}
