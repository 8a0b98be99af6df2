//! From what was recorded to the report.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Unit;

use super::head::Head;
use super::histogram::{HistogramError, as_float, encode, of_second};
use super::interval::wilson;
use super::model::{
    CountedHeader, Distribution, Lateness, LoopKind, Named, QueueSummary, Report, RevisionShare,
    Second, Stage, Summary, VERSION,
};
use crate::record::outcome::FailureKind;
use crate::record::recording::{
    Live, Recording, RevisionTally, Sampled, SecondTally, Tally, Times,
};
use crate::report::histogram::as_millis;
use crate::report::model::Autoscaler;

/// Requests begun later than this after their intended start are late.
pub(crate) const LATE_AFTER: Duration = Duration::from_millis(1);

/// The report of a run. `weights` are those of revisions by name, in percent. Thresholds are left to who judges them.
pub(crate) fn report(
    head: &Head,
    recording: &Recording,
    autoscaler: Option<Autoscaler>,
    weights: &BTreeMap<String, f64>,
) -> Result<Report, HistogramError> {
    let elapsed = recording.elapsed.as_secs_f64();
    let invalid_reasons = invalid_reasons(head, recording);
    let started = head
        .started
        .round(Unit::Millisecond)
        .unwrap_or(head.started);
    Ok(Report {
        schema_version: VERSION,
        generator: concat!("loadgen ", env!("CARGO_PKG_VERSION")).to_owned(),
        name: head.name.clone(),
        started: started.to_string(),
        elapsed_seconds: elapsed,
        loop_kind: head.loop_kind,
        load: head.load.clone(),
        seed: head.seed,
        destinations: head.destinations.clone(),
        runs: 1,
        interrupted: recording.interrupted,
        valid: invalid_reasons.is_empty(),
        invalid_reasons,
        lateness: Lateness {
            threshold_ms: LATE_AFTER.as_secs_f64() * 1000.0,
            limit_ms: head.lateness_p99.as_secs_f64() * 1000.0,
            late: recording.late,
            dropped: recording.dropped,
            times: Distribution::of(&recording.lateness)?,
        },
        total: summary(&recording.total, elapsed)?,
        targets: targets(head, &recording.targets, elapsed)?,
        stages: stages(head, &recording.stages, elapsed)?,
        revisions: revisions(&recording.revisions, weights)?,
        counted_header: head.count_header.clone().map(|name| CountedHeader {
            name,
            values: recording.counted.clone(),
        }),
        seconds: seconds(&recording.seconds)?,
        queues: queues(head, recording)?,
        autoscaler,
        thresholds: Vec::new(),
    })
}

/// The report of a run that still goes on, for thresholds to be judged by: without targets, stages and revisions.
pub(crate) fn interim(head: &Head, live: &Live) -> Result<Report, HistogramError> {
    let recording = Recording {
        elapsed: live.at,
        interrupted: false,
        dropped: 0,
        late: 0,
        lateness: live.lateness.clone(),
        total: live.total.clone(),
        targets: Vec::new(),
        stages: Vec::new(),
        revisions: BTreeMap::new(),
        counted: BTreeMap::new(),
        queues: BTreeMap::new(),
        seconds: Vec::new(),
    };
    report(head, &recording, None, &BTreeMap::new())
}

/// Why the figures do not count, if they do not.
fn invalid_reasons(head: &Head, recording: &Recording) -> Vec<String> {
    let mut reasons = Vec::new();
    let lateness = Duration::from_micros(recording.lateness.value_at_quantile(0.99));
    if head.loop_kind == LoopKind::Open && lateness > head.lateness_p99 {
        reasons.push(format!(
            "the generator itself lagged: 1% of the requests were begun {:.3} ms or more after their \
             time, where {} ms is allowed; lower the rate, give it more workers or free the processor",
            lateness.as_secs_f64() * 1000.0,
            head.lateness_p99.as_secs_f64() * 1000.0,
        ));
    }
    if recording.dropped > 0 {
        reasons.push(format!(
            "{} requests of the schedule were never begun, since too many were outstanding",
            recording.dropped
        ));
    }
    reasons
}

fn targets(
    head: &Head,
    tallies: &[Tally],
    elapsed: f64,
) -> Result<Vec<Named<Summary>>, HistogramError> {
    if tallies.len() < 2 {
        return Ok(Vec::new());
    }
    (head.destinations.iter().zip(tallies))
        .map(|(destination, tally)| {
            Ok(Named {
                name: destination.target.clone(),
                value: summary(tally, elapsed)?,
            })
        })
        .collect()
}

fn queues(head: &Head, recording: &Recording) -> Result<Vec<Named<QueueSummary>>, HistogramError> {
    let mut queues = Vec::new();
    for position in &head.queues {
        let destination = head.destinations.get(*position);
        let Some((destination, tally)) = destination.zip(recording.targets.get(*position)) else {
            continue;
        };
        let queue = recording.queues.get(position);
        let enqueued = queue.map_or(0, |queue| queue.enqueued);
        let enqueue = queue.map(|queue| Distribution::unless_empty(&queue.enqueue));
        queues.push(Named {
            name: destination.target.clone(),
            value: QueueSummary {
                enqueued,
                completed: tally.succeeded,
                failed: tally.sent - tally.succeeded,
                repeated: queue.map_or(0, |queue| queue.repeated),
                enqueue_time: enqueue.transpose()?.flatten(),
                completion_time: Distribution::unless_empty(&tally.response)?,
            },
        });
    }
    Ok(queues)
}

fn stages(head: &Head, tallies: &[Tally], elapsed: f64) -> Result<Vec<Stage>, HistogramError> {
    if tallies.len() < 2 {
        return Ok(Vec::new());
    }
    (head.stages.iter().zip(tallies))
        .map(|(stage, tally)| {
            let (from, until) = (stage.from.as_secs_f64(), stage.until.as_secs_f64());
            Ok(Stage {
                name: stage.name.clone(),
                from_seconds: from,
                until_seconds: until,
                value: summary(tally, until.min(elapsed) - from)?,
            })
        })
        .collect()
}

fn summary(tally: &Tally, seconds: f64) -> Result<Summary, HistogramError> {
    let failures = |kind: FailureKind| tally.failures.get(&kind).map_or(0, |found| found.count);
    let without_answer: u64 = tally.failures.values().map(|failure| failure.count).sum();
    let abandoned = failures(FailureKind::Abandoned);
    let lost = without_answer - abandoned;
    let mut errors = BTreeMap::new();
    let mut error_samples = BTreeMap::new();
    let named =
        (tally.failures.iter()).filter_map(|(kind, found)| Some((error_name(*kind)?, found)));
    let wrong = [
        ("status", &tally.wrong_status),
        ("check", &tally.wrong_check),
    ];
    for (name, Sampled { count, first }) in named.chain(wrong) {
        if *count > 0 {
            errors.insert(name.to_owned(), *count);
            error_samples.extend(first.clone().map(|first| (name.to_owned(), first)));
        }
    }
    Ok(Summary {
        offered: tally.offered,
        sent: tally.sent,
        answered: tally.answered,
        succeeded: tally.succeeded,
        failed: lost + tally.answered.saturating_sub(tally.succeeded),
        lost,
        abandoned,
        answers_per_second: if seconds > 0.0 {
            rounded(as_float(tally.answered) / seconds)
        } else {
            0.0
        },
        bytes_received: tally.bytes,
        connections_opened: tally.connections_opened,
        waited_for_connection: tally.waited,
        cold_starts: tally.cold_starts,
        status_codes: tally.statuses.clone(),
        errors,
        error_samples,
        response_time: Distribution::unless_empty(&tally.response)?,
        service_time: Distribution::unless_empty(&tally.service)?,
        first_byte_time: Distribution::unless_empty(&tally.first_byte)?,
        connect_time: Distribution::unless_empty(&tally.connect)?,
        cold_start_time: Distribution::unless_empty(&tally.cold_start)?,
    })
}

/// As in `errors`; none for what is not the server's doing.
fn error_name(kind: FailureKind) -> Option<&'static str> {
    match kind {
        FailureKind::Connect => Some("connect"),
        FailureKind::Reset => Some("reset"),
        FailureKind::Timeout => Some("timeout"),
        FailureKind::Protocol => Some("protocol"),
        FailureKind::Abandoned => None,
    }
}

fn revisions(
    tallies: &BTreeMap<String, RevisionTally>,
    weights: &BTreeMap<String, f64>,
) -> Result<Vec<RevisionShare>, HistogramError> {
    let all: u64 = tallies.values().map(|tally| tally.answered).sum();
    (tallies.iter())
        .map(|(name, tally)| {
            Ok(RevisionShare {
                weight_percent: weights.get(name).copied(),
                replicas: tally.replicas.clone(),
                response_time: Distribution::unless_empty(&tally.response)?,
                ..share(name, tally.answered, tally.succeeded, all)
            })
        })
        .collect()
}

/// The share of a revision that gave `answered` of `all` answers.
pub(crate) fn share(name: &str, answered: u64, succeeded: u64, all: u64) -> RevisionShare {
    let percent = wilson(as_float(answered), as_float(all)).times(100.0);
    RevisionShare {
        revision: name.to_owned(),
        answered,
        succeeded,
        replicas: BTreeMap::new(),
        percent: rounded(percent.value),
        percent_low: rounded(percent.low),
        percent_high: rounded(percent.high),
        weight_percent: None,
        response_time: None,
    }
}

/// To the thousandth: what is beyond it is noise.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn seconds(tallies: &[SecondTally]) -> Result<Vec<Second>, HistogramError> {
    let mut outstanding = 0_u64;
    (tallies.iter())
        .map(|tally| {
            outstanding = (outstanding + tally.sent).saturating_sub(tally.succeeded + tally.failed);
            let times = tally.response.as_deref().map(of_second).transpose()?;
            Second {
                offered: tally.offered,
                sent: tally.sent,
                succeeded: tally.succeeded,
                failed: tally.failed,
                cold_starts: tally.cold_starts,
                outstanding,
                ..Second::default()
            }
            .with_times(times.as_ref())
        })
        .collect()
}

impl Second {
    /// With the percentiles and the text of a histogram.
    pub(crate) fn with_times(mut self, times: Option<&Times>) -> Result<Self, HistogramError> {
        if let Some(times) = times.filter(|times| !times.is_empty()) {
            self.p50_ms = Some(as_millis(times.value_at_quantile(0.5)));
            self.p99_ms = Some(as_millis(times.value_at_quantile(0.99)));
            self.max_ms = Some(as_millis(times.max()));
            self.histogram = Some(encode(times)?);
        }
        Ok(self)
    }
}
