//! Several machines' reports of one scenario, as if one machine had made all of the load.
//!
//! Counts add up, and so do histograms, exactly. Seconds are put upon each other by when the runs started, to the nearest
//! second, so clocks should agree. What an autoscaler did is taken from the first report that saw it.

mod parts;

use jiff::Timestamp;

use self::parts::{counted, later, queues, revisions, seconds, stages, summaries, targets, times};
use super::histogram::{HistogramError, empty};
use super::model::{Distribution, Lateness, Report};

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

#[cfg(test)]
mod tests;
