//! How a series of a chart is drawn.

use std::fmt::Write as _;

use super::{COLUMN, Series, Shape};

pub(super) fn swatch(series: &Series) -> String {
    let Series { class, shape, .. } = series;
    let filled = format!(
        "<rect class=\"area {class}\" x=\".5\" y=\".5\" width=\"15\" height=\"9\" rx=\"1.5\"/>"
    );
    match shape {
        Shape::Line | Shape::Steps => format!("<path class=\"line {class}\" d=\"M0 5H16\"/>"),
        Shape::Area => format!("{filled}<path class=\"line {class}\" d=\"M0 1H16\"/>"),
        Shape::Band | Shape::Bars => filled,
    }
}

/// Draws a series; `low` is the value that it stands on.
pub(super) fn draw(
    series: &Series,
    y: &dyn Fn(f64) -> f64,
    low: &dyn Fn(usize) -> f64,
    out: &mut String,
) {
    let class = series.class;
    if series.shape == Shape::Bars {
        for (column, value) in series.values.iter().enumerate() {
            if let Some(value) = value.filter(|value| *value > 0.0) {
                let (left, top) = (COLUMN * float(column), y(value).min(y(0.0) - 1.5));
                let height = y(0.0) - top;
                let _ = write!(
                    out,
                    "<rect class=\"area {class}\" x=\"{left}\" y=\"{top:.1}\" width=\"{COLUMN}\" height=\"{height:.1}\"/>"
                );
            }
        }
        return;
    }
    let level = matches!(series.shape, Shape::Steps | Shape::Band);
    let filled = matches!(series.shape, Shape::Area | Shape::Band);
    let (mut lines, mut areas) = (String::new(), String::new());
    for run in runs(&series.values) {
        let tops: Vec<_> = run
            .iter()
            .map(|(column, value)| (*column, low(*column) + value))
            .collect();
        let top = trace(tops.iter().copied(), level, false, y);
        if filled {
            let bottoms = tops.iter().rev().map(|(column, _)| (*column, low(*column)));
            let _ = write!(areas, "M{top}L{}Z", trace(bottoms, level, true, y));
        }
        let _ = write!(lines, "M{top}");
    }
    if filled && !areas.is_empty() {
        let _ = write!(out, "<path class=\"area {class}\" d=\"{areas}\"/>");
    }
    if series.shape != Shape::Band && !lines.is_empty() {
        let _ = write!(out, "<path class=\"line {class}\" d=\"{lines}\"/>");
    }
}

/// Columns with a value that follow each other without a gap.
fn runs(values: &[Option<f64>]) -> Vec<Vec<(usize, f64)>> {
    let mut runs = vec![Vec::new()];
    for (column, value) in values.iter().enumerate() {
        match (value, runs.last_mut()) {
            (Some(value), Some(run)) => run.push((column, *value)),
            (None, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
            _ => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// Points of a path, without its first letter. A point that changes nothing is left out.
fn trace(
    points: impl Iterator<Item = (usize, f64)>,
    level: bool,
    backwards: bool,
    y: &dyn Fn(f64) -> f64,
) -> String {
    let mut path = String::new();
    let mut push = |x: f64, y: f64| {
        let gap = if path.is_empty() { "" } else { "L" };
        let _ = write!(path, "{gap}{x} {y:.1}");
    };
    let mut points = points.peekable();
    let mut before = None;
    let mut alone = true;
    while let Some((column, value)) = points.next() {
        let (left, height) = (COLUMN * float(column), y(value));
        if level {
            let (first, last) = if backwards {
                (left + COLUMN, left)
            } else {
                (left, left + COLUMN)
            };
            let goes_on = points
                .peek()
                .is_some_and(|(_, next)| (y(*next) - height).abs() < 0.05);
            if before.is_none_or(|before: f64| (before - height).abs() >= 0.05) {
                push(first, height);
            }
            if !goes_on {
                push(last, height);
            }
            before = Some(height);
        } else {
            push(left + COLUMN / 2.0, height);
            // A single point would be a path without length.
            if alone && points.peek().is_none() {
                push(left + COLUMN / 2.0 + 1.0, height);
            }
            alone = false;
        }
    }
    path
}

#[expect(clippy::cast_precision_loss, reason = "a number of columns")]
pub(super) fn float(columns: usize) -> f64 {
    columns as f64
}
