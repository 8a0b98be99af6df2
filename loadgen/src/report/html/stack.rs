//! Pictures above one another on one axis, read together by pointer or keyboard.

use std::fmt::Write as _;

use serde_json::json;

use super::axis::Tick;
use super::chart::Chart;
use super::escape::{embed, escape};

/// Something that happened, at a place along the axis from 0 to 1.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    pub(super) place: f64,
    /// `up`, `down` or `other`.
    pub(super) class: &'static str,
    pub(super) words: String,
}

/// A part of the axis with a name.
#[derive(Clone, Debug)]
pub(super) struct Band {
    pub(super) from: f64,
    pub(super) until: f64,
    pub(super) name: String,
}

/// Pictures on one axis.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    pub(super) id: &'static str,
    /// What the reading is called.
    pub(super) reading: &'static str,
    pub(super) charts: Vec<Chart>,
    pub(super) ticks: Vec<Tick>,
    pub(super) marks: Vec<Mark>,
    /// The picture over which the marks are.
    pub(super) marked: &'static str,
    pub(super) bands: Vec<Band>,
    /// What the values are called while nothing is read.
    pub(super) rest: &'static str,
    /// What each column is called.
    pub(super) labels: Vec<String>,
}

impl Stack {
    pub(super) fn html(&self) -> String {
        let lines: Vec<_> = (self.ticks.iter().map(|tick| (tick.place, "grid upright")))
            .chain(
                self.bands
                    .iter()
                    .skip(1)
                    .map(|band| (band.from, "stage-line")),
            )
            .chain(self.marks.iter().map(|mark| (mark.place, "mark-line")))
            .collect();
        let mut html = format!(
            "<div class=\"stack\" data-stack=\"{}\">\n<div class=\"reading\" role=\"slider\" tabindex=\"0\" aria-label=\"{}\" \
             title=\"Left and right arrow keys move the reading; Escape ends it\" hidden><b class=\"reading-place\"></b><span class=\"reading-what\"></span></div>\n<div class=\"plots\">\n",
            self.id,
            escape(self.reading),
        );
        html.push_str(&self.bands());
        for chart in &self.charts {
            let marks = if chart.id == self.marked {
                self.marks()
            } else {
                String::new()
            };
            html.push_str(&chart.figure(&marks, &lines));
        }
        html.push_str(&self.axis());
        let _ = writeln!(
            html,
            "</div>\n<script type=\"application/json\" class=\"values\">{}</script>\n</div>",
            embed(&self.values())
        );
        html
    }

    fn bands(&self) -> String {
        if self.bands.is_empty() {
            return String::new();
        }
        let bands = self.bands.iter().map(|Band { from, until, name }| {
            let (left, width) = (from * 100.0, (until - from) * 100.0);
            let name = escape(name);
            format!("<span class=\"band\" style=\"left:{left:.2}%;width:{width:.2}%\" title=\"{name}\">{name}</span>")
        });
        format!(
            "<div class=\"bands\" aria-hidden=\"true\">{}</div>\n",
            bands.collect::<String>()
        )
    }

    fn marks(&self) -> String {
        let marks = self.marks.iter().map(|mark| {
            let words = escape(&mark.words);
            format!(
                "<span class=\"mark {}\" style=\"left:{:.2}%\" title=\"{words}\"></span>",
                mark.class,
                mark.place * 100.0
            )
        });
        marks.collect()
    }

    fn axis(&self) -> String {
        let ticks = self.ticks.iter().map(|tick| {
            let minor = if tick.minor { " minor" } else { "" };
            let end = match tick.place {
                place if place > 0.97 => " last",
                place if place < 0.01 => " first",
                _ => "",
            };
            format!(
                "<span class=\"tick{minor}{end}\" style=\"left:{:.2}%\">{}</span>",
                tick.place * 100.0,
                escape(&tick.label)
            )
        });
        format!(
            "<div class=\"axis\" aria-hidden=\"true\">{}</div>\n",
            ticks.collect::<String>()
        )
    }

    /// For the script: what each column is called, and each value, to the thousandth.
    fn values(&self) -> serde_json::Value {
        let short = |value: &Option<f64>| value.map(|value| (value * 1000.0).round() / 1000.0);
        let charts = self.charts.iter().map(|chart| {
            let series = chart.series.iter().map(|series| {
                let values: Vec<_> = series.values.iter().map(short).collect();
                (series.class.to_owned(), json!(values))
            });
            let series: serde_json::Map<_, _> = series.collect();
            (
                chart.id.clone(),
                json!({ "unit": chart.unit.name(), "series": series }),
            )
        });
        let marks = self
            .marks
            .iter()
            .map(|mark| json!([mark.place, mark.words]));
        json!({
            "rest": self.rest,
            "labels": self.labels,
            "charts": charts.collect::<serde_json::Map<_, _>>(),
            "marks": marks.collect::<Vec<_>>(),
        })
    }
}
