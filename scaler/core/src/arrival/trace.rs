//! Recordings: CSV text to numbers of requests, or to times of arrival.

mod table;
mod time;

use std::time::Duration;

use self::table::{Row, Table};
use self::time::Time;
use super::spec::{Column, TraceSpec, TraceUnit};
use crate::duration::Span;

/// The most seconds, minutes or hours that a recording may have.
const MAX_BINS: u64 = 10_000_000;

/// A line of a recording that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub(super) struct TraceError {
    pub(super) line: usize,
    pub(super) problem: String,
}

/// What a recording has.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Recording {
    /// The number of requests in each unit of time.
    Counts { unit: Duration, counts: Vec<f64> },
    /// Times of arrival in order, from the start of the recording on, and its end.
    Arrivals { times: Vec<Duration>, end: Duration },
}

/// Reads the columns that `spec` asks for.
pub(super) fn read(spec: &TraceSpec, text: &str) -> Result<Recording, TraceError> {
    let unit = match spec.unit {
        TraceUnit::Second => Duration::from_secs(1),
        TraceUnit::Minute => Duration::from_mins(1),
        TraceUnit::Hour => Duration::from_hours(1),
        TraceUnit::Arrivals => return read_arrivals(spec.column.as_ref(), text),
    };
    let counts = read_counts(spec, unit, text)?;
    Ok(Recording::Counts { unit, counts })
}

fn read_counts(spec: &TraceSpec, unit: Duration, text: &str) -> Result<Vec<f64>, TraceError> {
    let table = Table::new(text)?;
    let column = match &spec.column {
        Some(column) => table.find(column)?,
        None if table.width() <= 2 => table.width() - 1,
        None => return Err(table.ambiguous()),
    };
    let time_column = match &spec.time_column {
        Some(time_column) => Some(table.find(time_column)?),
        None if column == 0 => None,
        None => table.first_has(0, |cell| Time::parse(cell).is_some()),
    };
    let mut bins = Bins {
        unit,
        first: None,
        counts: Vec::new(),
        ended: None,
        rows: 0,
        step: 0,
    };
    for row in table.rows() {
        let row = row?;
        bins.add(&row, column, time_column)?;
    }
    bins.finish(&table)
}

/// The counts so far.
struct Bins {
    unit: Duration,
    first: Option<Time>,
    counts: Vec<f64>,
    /// The line of the first empty cell of a series that has ended.
    ended: Option<usize>,
    rows: u64,
    /// What the times of all rows are a multiple of, in units after the first.
    step: u64,
}

impl Bins {
    fn add(
        &mut self,
        row: &Row<'_>,
        column: usize,
        time_column: Option<usize>,
    ) -> Result<(), TraceError> {
        let cell = row.cell(column)?;
        if cell.is_empty() {
            self.ended.get_or_insert(row.line);
            return Ok(());
        }
        if let Some(ended) = self.ended {
            return Err(row.wrong(format!(
                "there is a number after line {ended} has none: write 0 where there were no requests"
            )));
        }
        let count = cell.parse().ok().filter(|count: &f64| *count >= 0.0);
        let count = count.filter(|count| count.is_finite()).ok_or_else(|| {
            row.wrong(format!(
                "`{cell}` should be a number of requests, 0 or more"
            ))
        })?;
        if let Some(time_column) = time_column {
            self.fill(row, row.cell(time_column)?)?;
        }
        self.counts.push(count);
        self.rows += 1;
        Ok(())
    }

    /// Adds what is missing before the second or minute of this row.
    fn fill(&mut self, row: &Row<'_>, cell: &str) -> Result<(), TraceError> {
        let time = Time::parse(cell).ok_or_else(|| {
            row.wrong(format!(
                "`{cell}` should be a number or a time; timeColumn says which column has it"
            ))
        })?;
        let first = *self.first.get_or_insert(time);
        let position = time.bins_since(&first, self.unit).ok_or_else(|| {
            row.wrong(format!(
                "`{cell}` is not of the same kind as the time of the first row"
            ))
        })?;
        let next = self.counts.len() as u64;
        let position = u64::try_from(position).unwrap_or(0);
        if position < next && next > 0 {
            return Err(row.wrong(format!(
                "the time `{cell}` is not after that of the row before; rows are in order and \
                 timeColumn says which column has their time"
            )));
        }
        if position >= MAX_BINS {
            let unit = Span(self.unit);
            return Err(row.wrong(format!(
                "the time `{cell}` is more than {MAX_BINS} times {unit} after the first; numbers \
                 in that column count in the unit of the trace"
            )));
        }
        self.step = gcd(self.step, position);
        // Bounded above.
        self.counts
            .resize(usize::try_from(position).unwrap_or(0), 0.0);
        Ok(())
    }

    /// Refuses rows that all are several units apart: they count something else.
    fn finish(self, table: &Table<'_>) -> Result<Vec<f64>, TraceError> {
        let unit = Span(self.unit);
        if self.step > 1 && self.rows > 2 {
            return Err(table.wrong(format!(
                "the times of all rows are multiples of {} apart, so a row is not {unit}; numbers \
                 in the column of times count in the unit of the trace, and every {unit} \
                 without requests may have a row with 0",
                Span(
                    self.unit
                        .saturating_mul(u32::try_from(self.step).unwrap_or(u32::MAX))
                ),
            )));
        }
        if self.rows == 0 {
            return Err(table.wrong("there is no row with a number of requests".to_owned()));
        }
        Ok(self.counts)
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn read_arrivals(column: Option<&Column>, text: &str) -> Result<Recording, TraceError> {
    let table = Table::new(text)?;
    let column = column.map_or(Ok(0), |column| table.find(column))?;
    let mut times = Vec::new();
    for row in table.rows() {
        let row = row?;
        let cell = row.cell(column)?;
        let wrong = || {
            row.wrong(format!(
                "`{cell}` should be seconds, 0 or more, or a time such as 2026-01-31T12:00:00Z"
            ))
        };
        let time = Time::parse(cell).ok_or_else(wrong)?;
        let kind = times.first().is_none_or(|first| time.is_like(first));
        if !kind {
            return Err(row.wrong(format!(
                "`{cell}` is not of the same kind as the first time"
            )));
        }
        times.push(time);
    }
    let mut times = time::offsets(&times);
    times.sort_unstable();
    let last = times.last().map_or(Duration::ZERO, |last| {
        last.saturating_add(Duration::from_nanos(1))
    });
    let end = match table.duration()? {
        Some((line, end)) if end < last => {
            let problem = format!(
                "there is a request after the duration that line {line} says; remove that line"
            );
            return Err(TraceError { line, problem });
        }
        Some((_, end)) => end,
        None => last,
    };
    Ok(Recording::Arrivals { times, end })
}

#[cfg(test)]
mod tests;
