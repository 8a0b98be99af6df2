//! Parts of reports added up.

use std::collections::BTreeMap;

use super::Shifted;
use crate::report::histogram::{HistogramError, LONGEST, add, as_float, decode, empty};
use crate::report::make::{rounded, share};
use crate::report::model::{
    Autoscaler, CountedHeader, Distribution, Named, QueueSummary, Report, RevisionShare, Second,
    Stage, Summary,
};

/// Histograms added up; none if all are empty.
pub(super) fn times<'a>(
    parts: impl Iterator<Item = Option<&'a Distribution>>,
) -> Result<Option<Distribution>, HistogramError> {
    let mut all = empty()?;
    for part in parts.flatten() {
        add(&mut all, &part.times()?);
    }
    Distribution::unless_empty(&all)
}

pub(super) fn summaries<'a>(
    parts: impl Iterator<Item = &'a Summary>,
    seconds: f64,
) -> Result<Summary, HistogramError> {
    let parts: Vec<_> = parts.collect();
    let sum = |of: fn(&Summary) -> u64| parts.iter().map(|part| of(part)).sum::<u64>();
    let merged =
        |of: fn(&Summary) -> Option<&Distribution>| times(parts.iter().map(|part| of(part)));
    let mut error_samples = BTreeMap::new();
    for (kind, sample) in parts.iter().flat_map(|part| &part.error_samples) {
        error_samples
            .entry(kind.clone())
            .or_insert_with(|| sample.clone());
    }
    let answered = sum(|part| part.answered);
    Ok(Summary {
        offered: sum(|part| part.offered),
        sent: sum(|part| part.sent),
        answered,
        succeeded: sum(|part| part.succeeded),
        failed: sum(|part| part.failed),
        lost: sum(|part| part.lost),
        abandoned: sum(|part| part.abandoned),
        answers_per_second: if seconds > 0.0 {
            rounded(as_float(answered) / seconds)
        } else {
            0.0
        },
        bytes_received: sum(|part| part.bytes_received),
        connections_opened: sum(|part| part.connections_opened),
        waited_for_connection: sum(|part| part.waited_for_connection),
        cold_starts: sum(|part| part.cold_starts),
        status_codes: counts(parts.iter().map(|part| &part.status_codes)),
        errors: counts(parts.iter().map(|part| &part.errors)),
        error_samples,
        response_time: merged(|part| part.response_time.as_ref())?,
        service_time: merged(|part| part.service_time.as_ref())?,
        first_byte_time: merged(|part| part.first_byte_time.as_ref())?,
        connect_time: merged(|part| part.connect_time.as_ref())?,
        cold_start_time: merged(|part| part.cold_start_time.as_ref())?,
    })
}

pub(super) fn counts<'a, K: Ord + Clone + 'a>(
    parts: impl Iterator<Item = &'a BTreeMap<K, u64>>,
) -> BTreeMap<K, u64> {
    let mut all = BTreeMap::new();
    for (key, count) in parts.flatten() {
        *all.entry(key.clone()).or_default() += count;
    }
    all
}

pub(super) fn targets(
    reports: &[Report],
    elapsed: f64,
) -> Result<Vec<Named<Summary>>, HistogramError> {
    let names = reports[0].targets.iter().map(|target| &target.name);
    let merged = |name: &String| {
        let all = reports.iter().flat_map(|report| &report.targets);
        let parts = all
            .filter(|target| target.name == *name)
            .map(|target| &target.value);
        Ok(Named {
            name: name.clone(),
            value: summaries(parts, elapsed)?,
        })
    };
    names.map(merged).collect()
}

pub(super) fn stages(reports: &[Report]) -> Result<Vec<Stage>, HistogramError> {
    let merged = |stage: &Stage| {
        let all = reports.iter().flat_map(|report| &report.stages);
        let parts = all
            .filter(|other| other.name == stage.name)
            .map(|other| &other.value);
        Ok(Stage {
            value: summaries(parts, stage.until_seconds - stage.from_seconds)?,
            ..stage.clone()
        })
    };
    reports[0].stages.iter().map(merged).collect()
}

pub(super) fn revisions(reports: &[Report]) -> Result<Vec<RevisionShare>, HistogramError> {
    let all = || reports.iter().flat_map(|report| &report.revisions);
    let answers = all().map(|share| share.answered).sum();
    let mut names: Vec<_> = all().map(|share| &share.revision).collect();
    names.sort_unstable();
    names.dedup();
    let merged = |name: &String| {
        let parts = || all().filter(|share| share.revision == *name);
        let answered = parts().map(|share| share.answered).sum();
        let succeeded = parts().map(|share| share.succeeded).sum();
        Ok(RevisionShare {
            replicas: counts(parts().map(|share| &share.replicas)),
            weight_percent: parts().find_map(|share| share.weight_percent),
            response_time: times(parts().map(|share| share.response_time.as_ref()))?,
            ..share(name, answered, succeeded, answers)
        })
    };
    names.into_iter().map(merged).collect()
}

pub(super) fn counted(reports: &[Report]) -> Option<CountedHeader> {
    let headers = || {
        reports
            .iter()
            .filter_map(|report| report.counted_header.as_ref())
    };
    let name = headers().next()?.name.clone();
    Some(CountedHeader {
        name,
        values: counts(headers().map(|header| &header.values)),
    })
}

pub(super) fn seconds(shifted: &[Shifted<'_>]) -> Result<Vec<Second>, HistogramError> {
    let mut all: Vec<Vec<&Second>> = Vec::new();
    for (report, shift) in shifted {
        let from = whole(*shift);
        all.resize(all.len().max(from + report.seconds.len()), Vec::new());
        for (parts, second) in all[from..].iter_mut().zip(&report.seconds) {
            parts.push(second);
        }
    }
    all.iter().map(|parts| second(parts)).collect()
}

fn second(parts: &[&Second]) -> Result<Second, HistogramError> {
    let sum = |of: fn(&Second) -> u64| parts.iter().map(|part| of(part)).sum();
    let mut times = hdrhistogram::Histogram::new_with_bounds(1, LONGEST, 2)?;
    for text in parts.iter().filter_map(|part| part.histogram.as_deref()) {
        add(&mut times, &decode(text)?);
    }
    Second {
        offered: sum(|part| part.offered),
        sent: sum(|part| part.sent),
        succeeded: sum(|part| part.succeeded),
        failed: sum(|part| part.failed),
        cold_starts: sum(|part| part.cold_starts),
        outstanding: sum(|part| part.outstanding),
        ..Second::default()
    }
    .with_times(Some(&times))
}

pub(super) fn queues(reports: &[Report]) -> Result<Vec<Named<QueueSummary>>, HistogramError> {
    let merged = |queue: &Named<QueueSummary>| {
        let all = reports.iter().flat_map(|report| &report.queues);
        let parts: Vec<_> = all
            .filter(|other| other.name == queue.name)
            .map(|other| &other.value)
            .collect();
        let sum = |of: fn(&QueueSummary) -> u64| parts.iter().map(|part| of(part)).sum();
        Ok(Named {
            name: queue.name.clone(),
            value: QueueSummary {
                enqueued: sum(|part| part.enqueued),
                completed: sum(|part| part.completed),
                failed: sum(|part| part.failed),
                repeated: sum(|part| part.repeated),
                enqueue_time: times(parts.iter().map(|part| part.enqueue_time.as_ref()))?,
                completion_time: times(parts.iter().map(|part| part.completion_time.as_ref()))?,
            },
        })
    };
    reports[0].queues.iter().map(merged).collect()
}

/// As seen from a start so many seconds before.
pub(super) fn later(scaler: &Autoscaler, shift: f64) -> Autoscaler {
    let mut scaler = scaler.clone();
    for event in &mut scaler.events {
        event.at_seconds = rounded(event.at_seconds + shift);
    }
    let revisions = scaler
        .revisions
        .iter_mut()
        .map(|revision| &mut revision.value.seconds);
    for seconds in revisions.chain([&mut scaler.seconds]) {
        if let Some(first) = seconds.first().cloned() {
            seconds.splice(0..0, std::iter::repeat_n(first, whole(shift)));
        }
    }
    scaler
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds between runs that overlap"
)]
fn whole(seconds: f64) -> usize {
    seconds.round().max(0.0) as usize
}
