//! What a run found, as JSON and as text.

mod text;

use std::collections::BTreeMap;

use hdrhistogram::Histogram;
use serde::Serialize;

use crate::record::outcome::FailureKind;
use crate::record::recorder::LATE_AFTER;
use crate::record::recording::{Recording, Tally};

pub(crate) use self::text::write as write_text;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Load {
    pub(crate) url: String,
    pub(crate) host: String,
    pub(crate) method: String,
    pub(crate) protocol: &'static str,
    /// The clients of a closed loop. Its times leave out what nobody asked for while an answer was late.
    pub(crate) clients: Option<std::num::NonZeroUsize>,
    /// Absent if only a burst was sent.
    pub(crate) arrival: Option<&'static str>,
    /// Requests per second.
    pub(crate) rate: Option<f64>,
    pub(crate) duration_seconds: Option<f64>,
    pub(crate) seed: u64,
    /// Requests sent at once at the start, before the schedule.
    pub(crate) burst: u64,
    pub(crate) connections: usize,
}

/// The figures of a run. Times are in milliseconds.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Report {
    pub(crate) load: Load,
    /// From the start to the end of the last answer.
    pub(crate) elapsed_seconds: f64,
    /// The schedule was ended early by a signal.
    pub(crate) interrupted: bool,
    /// False if the generator itself lagged.
    pub(crate) valid: bool,
    /// Why it is not valid.
    pub(crate) invalid_reason: Option<String>,
    pub(crate) sent: u64,
    /// Got a complete answer, whatever its status.
    pub(crate) answered: u64,
    /// Got one with a status below 400.
    pub(crate) succeeded: u64,
    /// Sent, and not among the succeeded or the abandoned.
    pub(crate) failed: u64,
    /// Given up at the second signal.
    pub(crate) abandoned: u64,
    pub(crate) answers_per_second: f64,
    pub(crate) bytes_received: u64,
    pub(crate) connections_opened: u64,
    /// Requests that waited because `--connections` were in flight.
    pub(crate) waited_for_connection: u64,
    pub(crate) status_codes: BTreeMap<u16, u64>,
    pub(crate) errors: Errors,
    /// The first error of each kind, in words.
    pub(crate) error_samples: BTreeMap<&'static str, String>,
    /// The header of `--count-header` and how often each of its values came.
    pub(crate) counted_header: Option<CountedHeader>,
    pub(crate) lateness: Lateness,
    /// From the intended start: what a user would have felt. Absent without any answer.
    pub(crate) response_time_ms: Option<Times>,
    /// From when the request was handed to a connection: what the server did.
    pub(crate) service_time_ms: Option<Times>,
}

/// How many requests failed, by kind.
#[derive(Debug, Serialize)]
pub(crate) struct Errors {
    /// No connection could be made.
    pub(crate) connect: u64,
    /// The connection ended before the answer was complete.
    pub(crate) reset: u64,
    /// No complete answer in time.
    pub(crate) timeout: u64,
    /// What came back is not HTTP.
    pub(crate) protocol: u64,
    /// Answered with a status that counts as failed.
    pub(crate) status: u64,
    /// Answered with what another check does not pass.
    pub(crate) check: u64,
}

/// How often each value of a header came.
#[derive(Debug, Serialize)]
pub(crate) struct CountedHeader {
    pub(crate) name: String,
    pub(crate) values: BTreeMap<String, u64>,
}

/// How long after their intended start the generator turned to the requests of the schedule.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Lateness {
    /// Later than this is late.
    pub(crate) threshold_ms: f64,
    pub(crate) late: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
}

/// A distribution of times.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Times {
    pub(crate) mean: f64,
    pub(crate) std_dev: f64,
    pub(crate) min: f64,
    pub(crate) p50: f64,
    pub(crate) p75: f64,
    pub(crate) p90: f64,
    pub(crate) p95: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) p9999: f64,
    pub(crate) max: f64,
}

impl Report {
    pub(crate) fn new(load: Load, recording: Recording, counted_header: Option<String>) -> Self {
        let tally = &recording.total;
        let elapsed_seconds = recording.elapsed.as_secs_f64();
        let invalid_reason = invalid_reason(&recording);
        let lost = failures(tally, None);
        let abandoned = failures(tally, Some(FailureKind::Abandoned));
        Self {
            load,
            elapsed_seconds,
            interrupted: recording.interrupted,
            valid: invalid_reason.is_none(),
            invalid_reason,
            sent: tally.sent,
            answered: tally.answered,
            succeeded: tally.succeeded,
            failed: lost - abandoned + tally.answered - tally.succeeded,
            abandoned,
            answers_per_second: if elapsed_seconds > 0.0 {
                as_float(tally.answered) / elapsed_seconds
            } else {
                0.0
            },
            bytes_received: tally.bytes,
            connections_opened: tally.connections_opened,
            waited_for_connection: tally.waited,
            errors: Errors {
                connect: failures(tally, Some(FailureKind::Connect)),
                reset: failures(tally, Some(FailureKind::Reset)),
                timeout: failures(tally, Some(FailureKind::Timeout)),
                protocol: failures(tally, Some(FailureKind::Protocol)),
                status: tally.wrong_status.count,
                check: tally.wrong_check.count,
            },
            error_samples: (tally.failures.iter())
                .filter_map(|(kind, failures)| Some((kind.name(), failures.first.clone()?)))
                .collect(),
            lateness: Lateness::new(&recording),
            response_time_ms: Times::of(&tally.response),
            service_time_ms: Times::of(&tally.service),
            status_codes: tally.statuses.clone(),
            counted_header: counted_header.map(|name| CountedHeader {
                name,
                values: recording.counted,
            }),
        }
    }
}

impl FailureKind {
    fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Reset => "reset",
            Self::Timeout => "timeout",
            Self::Protocol => "protocol",
            Self::Abandoned => "abandoned",
        }
    }
}

/// Failures without a complete answer, of one kind or of all.
fn failures(tally: &Tally, kind: Option<FailureKind>) -> u64 {
    let wanted = |found: FailureKind| kind.is_none_or(|kind| kind == found);
    let counts = tally.failures.iter().filter(|(found, _)| wanted(**found));
    counts.map(|(_, failures)| failures.count).sum()
}

fn invalid_reason(recording: &Recording) -> Option<String> {
    if recording.dropped > 0 {
        return Some(format!(
            "{} requests of the schedule were dropped, because 100000 were outstanding",
            recording.dropped
        ));
    }
    let p99 = as_millis(recording.lateness.value_at_quantile(0.99));
    let lagged = p99 > LATE_AFTER.as_secs_f64() * 1000.0;
    lagged.then(|| {
        format!(
            "the generator itself lagged: {} of {} requests were started more than {} ms after \
             their time, {:.1} ms at most; lower the rate or free the processor",
            recording.late,
            recording.lateness.len(),
            LATE_AFTER.as_millis(),
            as_millis(recording.lateness.max()),
        )
    })
}

impl Lateness {
    fn new(recording: &Recording) -> Self {
        let lateness = &recording.lateness;
        Self {
            threshold_ms: LATE_AFTER.as_secs_f64() * 1000.0,
            late: recording.late,
            p50_ms: as_millis(lateness.value_at_quantile(0.5)),
            p99_ms: as_millis(lateness.value_at_quantile(0.99)),
            max_ms: as_millis(lateness.max()),
        }
    }
}

impl Times {
    fn of(micros: &Histogram<u64>) -> Option<Self> {
        if micros.is_empty() {
            return None;
        }
        let at = |quantile| as_millis(micros.value_at_quantile(quantile));
        Some(Self {
            mean: round(micros.mean() / 1000.0),
            std_dev: round(micros.stdev() / 1000.0),
            min: as_millis(micros.min()),
            p50: at(0.5),
            p75: at(0.75),
            p90: at(0.9),
            p95: at(0.95),
            p99: at(0.99),
            p999: at(0.999),
            p9999: at(0.9999),
            max: as_millis(micros.max()),
        })
    }
}

fn as_millis(micros: u64) -> f64 {
    as_float(micros) / 1000.0
}

/// To whole microseconds.
fn round(millis: f64) -> f64 {
    (millis * 1000.0).round() / 1000.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and times far below 2^53"
)]
fn as_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
