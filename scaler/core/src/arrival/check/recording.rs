//! From a recording to a process: cropped, then scaled.

use std::time::Duration;

use super::field::{At, SpecError};
use super::{ReadFile, list, varying};
use crate::arrival::MAX_RATE;
use crate::arrival::piece::Piece;
use crate::arrival::process::Node;
use crate::arrival::replay::Replay;
use crate::arrival::spec::TraceSpec;
use crate::arrival::trace::{self, Recording};
use crate::duration::Span;

pub(super) fn node(spec: &TraceSpec, at: &At, read: &mut ReadFile<'_>) -> Result<Node, SpecError> {
    let file = at.field("file");
    let text = read(&spec.file).map_err(|problem| file.error(&problem))?;
    let recording =
        trace::read(spec, &text).map_err(|error| file.error(&format!("{}: {error}", spec.file)))?;
    match recording {
        Recording::Counts { unit, counts } => counted(spec, at, unit, &counts),
        Recording::Arrivals { times, end } => {
            no_counts(spec, at)?;
            recorded(spec, at, times, end)
        }
    }
}

/// The part of a recording that is wanted, in its own time: from where, and for how long.
fn crop(spec: &TraceSpec, at: &At, end: Duration) -> Result<(Duration, Duration), SpecError> {
    let from = spec.from.unwrap_or_default().0;
    let left = end.checked_sub(from).filter(|left| !left.is_zero());
    let left = left.ok_or_else(|| {
        at.field("from")
            .error(&format!("the recording ends at {}", Span(end)))
    })?;
    let Some(lasting) = spec.lasting else {
        return Ok((from, left));
    };
    let lasting = at.duration("lasting", lasting)?;
    if lasting > left {
        return Err(at.field("lasting").error(&format!(
            "the recording ends at {}, {} after where it begins",
            Span(end),
            Span(left)
        )));
    }
    Ok((from, lasting))
}

fn counted(spec: &TraceSpec, at: &At, unit: Duration, counts: &[f64]) -> Result<Node, SpecError> {
    let whole = counts.iter().map(|count| Piece::counted(*count, unit));
    // Bounded by the number of rows.
    let end = whole.clone().map(|piece| piece.length).sum();
    let (from, lasting) = crop(spec, at, end)?;
    let time = time_factor(spec, at)?;
    let mut pieces = Vec::with_capacity(counts.len());
    for piece in cropped(whole, from, lasting) {
        let length = scaled(piece.length, time);
        let length = length.ok_or_else(|| at.field("scaleTime").error("all is too long"))?;
        pieces.push(Piece::counted(piece.mass, length));
    }
    let factor = rate_factor(spec, at, &pieces)?;
    let pieces: Vec<_> = pieces.iter().map(|piece| piece.scaled(factor)).collect();
    if !pieces.iter().all(|piece| piece.peak() <= MAX_RATE) {
        return Err(at.error("the rate is above 1e9 requests per second at times: scale it down"));
    }
    varying(
        list(pieces, at)?,
        spec.noise,
        spec.arrivals.unwrap_or_default(),
        at,
    )
}

fn cropped(
    pieces: impl Iterator<Item = Piece>,
    from: Duration,
    lasting: Duration,
) -> impl Iterator<Item = Piece> {
    let (mut skip, mut left) = (from, lasting);
    pieces.filter_map(move |mut piece| {
        let before = skip.min(piece.length);
        skip -= before;
        if !before.is_zero() {
            piece = piece.split(before).1;
        }
        let length = piece.length.min(left);
        left -= length;
        if length < piece.length {
            piece = piece.split(length).0;
        }
        (!length.is_zero()).then_some(piece)
    })
}

/// By how much the number of requests is multiplied.
fn rate_factor(spec: &TraceSpec, at: &At, pieces: &[Piece]) -> Result<f64, SpecError> {
    let Some(wanted) = spec.max_rate else {
        return at.factor("scaleRate", spec.scale_rate.unwrap_or(1.0));
    };
    if spec.scale_rate.is_some() {
        return Err(at
            .field("scaleRate")
            .error("it cannot be there with maxRate, which scales the rate already"));
    }
    let wanted = at.rate("maxRate", wanted)?;
    let peak = pieces.iter().map(Piece::peak).fold(0.0, f64::max);
    if peak == 0.0 {
        let problem = "there is no request in that part of the recording, so no rate to scale";
        return Err(at.field("maxRate").error(problem));
    }
    Ok(wanted / peak)
}

fn time_factor(spec: &TraceSpec, at: &At) -> Result<Option<f64>, SpecError> {
    let given = spec.scale_time;
    given
        .map(|factor| at.factor("scaleTime", factor))
        .transpose()
}

/// Exact without a factor. None if it is too long.
fn scaled(time: Duration, factor: Option<f64>) -> Option<Duration> {
    let Some(factor) = factor else {
        return Some(time);
    };
    Duration::try_from_secs_f64(time.as_secs_f64() * factor).ok()
}

/// Refuses what only recorded numbers of requests have.
fn no_counts(spec: &TraceSpec, at: &At) -> Result<(), SpecError> {
    let problem = "it cannot be there with unit: arrivals, which says when each request is";
    for (name, given) in [
        ("maxRate", spec.max_rate.is_some()),
        ("noise", spec.noise != 0.0),
        ("arrivals", spec.arrivals.is_some()),
        ("timeColumn", spec.time_column.is_some()),
    ] {
        if given {
            return Err(at.field(name).error(problem));
        }
    }
    Ok(())
}

fn recorded(
    spec: &TraceSpec,
    at: &At,
    times: Vec<Duration>,
    end: Duration,
) -> Result<Node, SpecError> {
    if end.is_zero() {
        return Err(at.field("file").error(&format!(
            "{}: there is no row with the time of a request",
            spec.file
        )));
    }
    let (from, lasting) = crop(spec, at, end)?;
    let time = time_factor(spec, at)?;
    let too_long = || at.field("scaleTime").error("all is too long");
    let duration = scaled(lasting, time).ok_or_else(too_long)?;
    let last = duration.saturating_sub(Duration::from_nanos(1));
    let inside = times
        .into_iter()
        .filter_map(|time| time.checked_sub(from))
        .filter(|offset| *offset < lasting);
    let times: Option<Vec<_>> = inside
        .map(|offset| Some(scaled(offset, time)?.min(last)))
        .collect();
    Ok(Node::Replay(Replay {
        times: times.ok_or_else(too_long)?.into(),
        duration,
        repeat: at.factor("scaleRate", spec.scale_rate.unwrap_or(1.0))?,
    }))
}
