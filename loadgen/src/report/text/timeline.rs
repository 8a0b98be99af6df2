//! The time line as rows of blocks, one under the other.

use std::io::{self, Write};

use super::Paint;
use crate::report::columns::{Column, Columns, Rates};
use crate::report::histogram::as_float;
use crate::report::model::Report;
use crate::report::words::{clock, number, plural};

/// Columns that fit a terminal beside the names and the largest values.
const MOST: usize = 60;
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// A row, and what it shows of a column.
type Row = (&'static str, fn(&Column) -> Option<f64>);

const ROWS: [Row; 11] = [
    ("offered/s", |column| rate(column, |rates| rates.offered)),
    ("succeeded/s", |column| {
        rate(column, |rates| rates.succeeded)
    }),
    ("failed/s", |column| rate(column, |rates| rates.failed)),
    ("outstanding", |column| {
        rate(column, |rates| rates.outstanding)
    }),
    ("p99 ms", |column| column.p99_ms),
    ("cold starts", |column| Some(as_float(column.cold_starts))),
    ("waiting", |column| {
        column.scale.as_ref()?.waiting.map(as_float)
    }),
    ("queued", |column| column.scale.as_ref()?.queued),
    ("desired", |column| {
        Some(column.scale.as_ref()?.replicas.desired.into())
    }),
    ("ready", |column| {
        Some(column.scale.as_ref()?.replicas.ready.into())
    }),
    ("starting", |column| {
        Some(column.scale.as_ref()?.replicas.starting.into())
    }),
];

fn rate(column: &Column, of: fn(&Rates) -> f64) -> Option<f64> {
    column.rates.as_ref().map(of)
}

pub(super) fn write(report: &Report, out: &mut dyn Write, paint: Paint) -> io::Result<()> {
    let line = Columns::of(report, MOST);
    if line.parts.len() < 2 {
        return Ok(());
    }
    let each = plural(line.width as u64, "second");
    writeln!(
        out,
        "\n  {:<12} 0:00 to {}, {each} each",
        "time line",
        clock(as_float(line.seconds as u64))
    )?;
    for (name, value) in ROWS {
        let values: Vec<_> = line.parts.iter().map(value).collect();
        let most = values
            .iter()
            .flatten()
            .copied()
            .reduce(f64::max)
            .unwrap_or(0.0);
        if most > 0.0 {
            let row = blocks(&values, most);
            let row = if name == "failed/s" {
                paint.bad(&row)
            } else {
                row
            };
            writeln!(out, "  {name:<12} {row} most {}", number(most))?;
        }
    }
    Ok(())
}

/// A block for each value, as high as its part of the most; none for what is not known or 0.
pub(crate) fn blocks(values: &[Option<f64>], most: f64) -> String {
    values
        .iter()
        .map(|value| block(value.unwrap_or(0.0), most))
        .collect()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between 0 and 7"
)]
fn block(value: f64, most: f64) -> char {
    if value <= 0.0 || most <= 0.0 {
        return ' ';
    }
    BLOCKS[(value / most * 8.0).ceil().clamp(1.0, 8.0) as usize - 1]
}
