//! Several machines' reports of one scenario, as if one machine had made all of the load.
//!
//! Counts add up, and so do histograms, exactly. Seconds are put upon each other by when the runs started, to the nearest
//! second, so clocks should agree. What an autoscaler did is taken from the first report that saw it.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::histogram::{HistogramError, add, as_float, empty};
use super::make::{rounded, share};
use super::model::{
    Autoscaler, CountedHeader, Distribution, Lateness, Named, QueueSummary, Report, RevisionShare,
    Second, Stage, Summary,
};

/// Why reports cannot be merged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MergeError {
    /// There is none.
    #[error("there is no report to merge")]
    None,
    /// They are not of one scenario.
    #[error(
        "report 1 and report {position} are not of the same scenario: {what} is {one} and {other}"
    )]
    Differ {
        position: usize,
        what: &'static str,
        one: String,
        other: String,
    },
    /// They were not at the same time.
    #[error(
        "report {position} starts {seconds:.0} s after the others have ended: runs are merged that were made at the same time; \
         `loadgen compare` is for others"
    )]
    Apart { position: usize, seconds: f64 },
    /// Its start cannot be read.
    #[error(
        "report {position}: started is `{found}`, which should be a time like 2026-11-27T16:20:05Z"
    )]
    Started { position: usize, found: String },
    /// A histogram of one cannot be read.
    #[error(transparent)]
    Histogram(#[from] HistogramError),
}

/// Reports as one, with what to be careful about. Thresholds are left to who judges them.
#[derive(Debug)]
pub(crate) struct Merged {
    pub(crate) report: Report,
    pub(crate) warnings: Vec<String>,
}

/// A report and how many seconds after the first it started.
type Shifted<'a> = (&'a Report, f64);

/// Merges reports; one alone stays as it is.
pub(crate) fn merge(reports: &[Report]) -> Result<Merged, MergeError> {
    let (first, others) = reports.split_first().ok_or(MergeError::None)?;
    if others.is_empty() {
        return Ok(Merged {
            report: first.clone(),
            warnings: Vec::new(),
        });
    }
    for (position, other) in (2..).zip(others) {
        same_scenario(first, other, position)?;
    }
    let shifted = shifts(reports)?;
    let elapsed = shifted
        .iter()
        .map(|(report, shift)| shift + report.elapsed_seconds);
    let elapsed = elapsed.fold(0.0, f64::max);
    let earliest = shifted
        .iter()
        .min_by(|one, other| one.1.total_cmp(&other.1));
    let (mut loads, mut seeds): (Vec<_>, Vec<_>) = reports
        .iter()
        .map(|report| (report.load.as_str(), report.seed))
        .unzip();
    loads.dedup();
    seeds.sort_unstable();
    seeds.dedup();
    let report = Report {
        started: earliest
            .map_or(&first.started, |(report, _)| &report.started)
            .clone(),
        elapsed_seconds: elapsed,
        load: match loads.as_slice() {
            [load] => format!("{} times {load}", reports.len()),
            loads => loads.join(" and "),
        },
        runs: reports.iter().map(|report| report.runs).sum(),
        interrupted: reports.iter().any(|report| report.interrupted),
        valid: reports.iter().all(|report| report.valid),
        invalid_reasons: reasons(reports),
        lateness: lateness(reports)?,
        total: summaries(reports.iter().map(|report| &report.total), elapsed)?,
        targets: targets(reports, elapsed)?,
        stages: stages(reports)?,
        revisions: revisions(reports)?,
        counted_header: counted(reports),
        seconds: seconds(&shifted)?,
        queues: queues(reports)?,
        autoscaler: shifted
            .iter()
            .find_map(|(report, shift)| Some(later(report.autoscaler.as_ref()?, *shift))),
        thresholds: Vec::new(),
        ..first.clone()
    };
    Ok(Merged {
        report,
        warnings: if seeds.len() < reports.len() {
            vec!["some of the runs have the same seed, so their random arrivals came at the same moments; give each machine its own `--seed`".to_owned()]
        } else {
            Vec::new()
        },
    })
}

fn same_scenario(first: &Report, other: &Report, position: usize) -> Result<(), MergeError> {
    let names = |report: &Report| {
        let stages = report.stages.iter().map(|stage| stage.name.as_str());
        let destinations = report.destinations.iter();
        let destinations = destinations.map(|each| format!("{} {}", each.target, each.what));
        let counted = report
            .counted_header
            .as_ref()
            .map_or("none", |header| &header.name);
        [
            ("name", format!("`{}`", report.name)),
            ("loopKind", format!("{:?}", report.loop_kind).to_lowercase()),
            (
                "destinations",
                format!("[{}]", destinations.collect::<Vec<_>>().join(", ")),
            ),
            (
                "stages",
                format!("[{}]", stages.collect::<Vec<_>>().join(", ")),
            ),
            ("countedHeader", counted.to_owned()),
            ("generator", format!("`{}`", report.generator)),
        ]
    };
    for ((what, one), (_, other)) in names(first).into_iter().zip(names(other)) {
        if one != other {
            return Err(MergeError::Differ {
                position,
                what,
                one,
                other,
            });
        }
    }
    Ok(())
}

/// Each with the seconds from the earliest start to its own.
fn shifts(reports: &[Report]) -> Result<Vec<Shifted<'_>>, MergeError> {
    let started = |(position, report): (usize, &Report)| {
        report
            .started
            .parse::<Timestamp>()
            .map_err(|_| MergeError::Started {
                position,
                found: report.started.clone(),
            })
    };
    let started: Vec<_> = (1..).zip(reports).map(started).collect::<Result<_, _>>()?;
    let earliest = started.iter().min().copied().unwrap_or_default();
    let shift = |(report, started): (_, &Timestamp)| {
        (report, started.duration_since(earliest).as_secs_f64())
    };
    let shifted: Vec<Shifted<'_>> = reports.iter().zip(&started).map(shift).collect();
    for (position, (_, start)) in shifted.iter().enumerate() {
        let others = shifted
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != position);
        let ends = others.map(|(_, (report, shift))| shift + report.elapsed_seconds);
        let last = ends.fold(0.0, f64::max);
        if *start > last {
            return Err(MergeError::Apart {
                position: position + 1,
                seconds: start - last,
            });
        }
    }
    Ok(shifted)
}

fn reasons(reports: &[Report]) -> Vec<String> {
    let reasons = (1..).zip(reports).flat_map(|(position, report)| {
        let reasons = report.invalid_reasons.iter();
        reasons.map(move |reason| format!("run {position}: {reason}"))
    });
    reasons.collect()
}

fn lateness(reports: &[Report]) -> Result<Lateness, MergeError> {
    let all = || reports.iter().map(|report| &report.lateness);
    let times = times(all().map(|lateness| Some(&lateness.times)))?;
    Ok(Lateness {
        threshold_ms: all()
            .map(|lateness| lateness.threshold_ms)
            .fold(0.0, f64::max),
        limit_ms: all().map(|lateness| lateness.limit_ms).fold(0.0, f64::max),
        late: all().map(|lateness| lateness.late).sum(),
        dropped: all().map(|lateness| lateness.dropped).sum(),
        times: times.map_or_else(|| Distribution::of(&empty()?), Ok)?,
    })
}

/// Histograms added up; none if all are empty.
fn times<'a>(
    parts: impl Iterator<Item = Option<&'a Distribution>>,
) -> Result<Option<Distribution>, HistogramError> {
    let mut all = empty()?;
    for part in parts.flatten() {
        add(&mut all, &part.times()?);
    }
    Distribution::unless_empty(&all)
}

fn summaries<'a>(
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

fn counts<'a, K: Ord + Clone + 'a>(
    parts: impl Iterator<Item = &'a BTreeMap<K, u64>>,
) -> BTreeMap<K, u64> {
    let mut all = BTreeMap::new();
    for (key, count) in parts.flatten() {
        *all.entry(key.clone()).or_default() += count;
    }
    all
}

fn targets(reports: &[Report], elapsed: f64) -> Result<Vec<Named<Summary>>, HistogramError> {
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

fn stages(reports: &[Report]) -> Result<Vec<Stage>, HistogramError> {
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

fn revisions(reports: &[Report]) -> Result<Vec<RevisionShare>, HistogramError> {
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

fn counted(reports: &[Report]) -> Option<CountedHeader> {
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

fn seconds(shifted: &[Shifted<'_>]) -> Result<Vec<Second>, HistogramError> {
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
    let mut times = hdrhistogram::Histogram::new_with_bounds(1, super::histogram::LONGEST, 2)?;
    for text in parts.iter().filter_map(|part| part.histogram.as_deref()) {
        add(&mut times, &super::histogram::decode(text)?);
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

fn queues(reports: &[Report]) -> Result<Vec<Named<QueueSummary>>, HistogramError> {
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
fn later(scaler: &Autoscaler, shift: f64) -> Autoscaler {
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

#[cfg(test)]
mod tests;
