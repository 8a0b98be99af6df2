//! Every percentile of the times, as a picture, and the usual ones as a table.

use std::f64::consts::LOG10_2;

use super::axis::Tick;
use super::chart::{Chart, Series, Shape, Unit};
use super::panel;
use super::stack::Stack;
use super::table::{Table, cell, number_cell};
use crate::record::recording::Times;
use crate::report::histogram::{as_float, as_millis};
use crate::report::model::{Distribution, LoopKind, Report};
use crate::report::words::{count, millis};

/// Points of the picture.
const POINTS: u32 = 240;

pub(super) fn section(report: &Report) -> String {
    let note = match report.loop_kind {
        LoopKind::Open => {
            "response from the intended start: what a user would have felt; service from the send"
        }
        LoopKind::Closed => {
            "closed loop: what nobody asked for while an answer was late is left out"
        }
    };
    let Some(response) = &report.total.response_time else {
        return panel(
            "percentiles",
            "Times",
            note,
            "<p class=\"muted\">No request was answered.</p>\n",
        );
    };
    let picture = response.times().map(|times| {
        let service = report.total.service_time.as_ref();
        picture(
            &times,
            service.and_then(|service| service.times().ok()).as_ref(),
        )
    });
    let picture = picture.unwrap_or_else(|error| {
        format!(
            "<p class=\"muted\">{}</p>\n",
            super::escape(&error.to_string())
        )
    });
    panel(
        "percentiles",
        "Percentiles of the times",
        note,
        &(picture + &table(report)),
    )
}

/// The x axis is the logarithm of 1/(1-p), as HdrHistogram's plots have it, up to one in all.
fn picture(response: &Times, service: Option<&Times>) -> String {
    let nines = as_float(response.len()).log10().clamp(1.0, 6.0);
    let quantile = |point| match f64::from(point) / f64::from(POINTS - 1) {
        1.0 => 1.0,
        part => 1.0 - 10_f64.powf(-nines * part),
    };
    let quantiles: Vec<_> = (0..POINTS).map(quantile).collect();
    let series = |class, label, times: &Times| Series {
        class,
        label,
        shape: Shape::Line,
        values: quantiles
            .iter()
            .map(|quantile| Some(as_millis(times.value_at_quantile(*quantile))))
            .collect(),
    };
    let mut all = vec![series("response", "response time", response)];
    all.extend(service.map(|times| series("service", "service time", times)));
    Stack {
        id: "percentiles",
        reading: "Percentile read",
        charts: vec![Chart {
            id: "percentile".to_owned(),
            title: "Time below which so many answers are, log scale".to_owned(),
            height: 190,
            unit: Unit::Millis,
            logarithmic: true,
            series: all,
        }],
        ticks: ticks(nines),
        marks: Vec::new(),
        marked: "",
        bands: Vec::new(),
        rest: "Slowest",
        labels: quantiles
            .iter()
            .map(|quantile| percentile(*quantile))
            .collect(),
    }
    .html()
}

fn ticks(nines: f64) -> Vec<Tick> {
    let known = [
        (0.0, "0%"),
        (LOG10_2, "50%"),
        (1.0, "90%"),
        (2.0, "99%"),
        (3.0, "99.9%"),
        (4.0, "99.99%"),
        (5.0, "99.999%"),
        (6.0, "99.9999%"),
    ];
    let ticks = known.into_iter().filter(|(place, _)| *place <= nines);
    ticks
        .map(|(place, label)| Tick {
            place: place / nines,
            label: label.to_owned(),
            minor: label == "50%",
        })
        .collect()
}

/// With as many digits as tell it from 100%.
fn percentile(quantile: f64) -> String {
    let rest = 1.0 - quantile;
    match rest {
        0.0 => "100%".to_owned(),
        rest if rest > 0.1 => format!("{:.0}%", quantile * 100.0),
        rest if rest > 0.001 => format!("{:.2}%", quantile * 100.0),
        _ => format!("{:.4}%", quantile * 100.0),
    }
}

fn table(report: &Report) -> String {
    let total = &report.total;
    let mut table = Table::new(
        "Times of all answers",
        &[
            "", "count", "mean", "p50", "p75", "p90", "p95", "p99", "p99.9", "p99.99", "max",
        ],
    );
    for (name, times) in [
        ("response", &total.response_time),
        ("service", &total.service_time),
        ("first byte", &total.first_byte_time),
        ("connect", &total.connect_time),
        ("cold start", &total.cold_start_time),
    ] {
        if let Some(times) = times {
            table.row(row(name, times));
        }
    }
    let lateness = &report.lateness.times;
    if lateness.count > 0 {
        table.row(row("generator's lateness", lateness));
    }
    table.html()
}

fn row(name: &str, times: &Distribution) -> Vec<String> {
    let values = [
        times.mean_ms,
        times.p50_ms,
        times.p75_ms,
        times.p90_ms,
        times.p95_ms,
        times.p99_ms,
        times.p999_ms,
        times.p9999_ms,
        times.max_ms,
    ];
    let head = [cell(name), number_cell(&count(times.count))];
    head.into_iter()
        .chain(values.map(|value| number_cell(&millis(value))))
        .collect()
}
