//! The figures of two runs, with their intervals.

use super::clusters::{Cluster, above, design_effect, seconds, variance};
use super::{Bounded, Figure, Judgement, Unit};
use crate::record::recording::Times;
use crate::report::histogram::{HistogramError, as_float, as_millis};
use crate::report::interval::{Estimate, Z, poisson, wilson};
use crate::report::model::{Distribution, Report, ScaleFigures, Second, Summary};

/// What is good of a figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Good {
    Low,
    High,
}

/// A figure of one run: an estimate, or a single observation.
#[derive(Clone, Copy, Debug)]
enum Found {
    Estimate(Estimate),
    Single(f64),
}

const QUANTILES: [(f64, &str, &str); 4] = [
    (0.5, "response p50", "service p50"),
    (0.9, "response p90", "service p90"),
    (0.99, "response p99", "service p99"),
    (0.999, "response p99.9", "service p99.9"),
];

/// All figures that one of the two has.
pub(super) fn all(a: &Report, b: &Report) -> Result<Vec<Figure>, HistogramError> {
    let (one, other) = (of_run(a)?, of_run(b)?);
    let figures = one
        .into_iter()
        .zip(other)
        .map(|(a, b)| figure(a.name, a.unit, a.good, [a.found, b.found]));
    Ok(figures
        .filter(|figure| figure.a.is_some() || figure.b.is_some())
        .collect())
}

/// A figure of one run.
#[derive(Clone, Copy, Debug)]
struct Row {
    name: &'static str,
    unit: Unit,
    good: Good,
    found: Option<Found>,
}

/// A share: its name, how many of how many, and how many of a second.
type Share = (&'static str, u64, u64, fn(&Second) -> u64);

fn of_run(report: &Report) -> Result<Vec<Row>, HistogramError> {
    let seconds = seconds(report)?;
    let total = &report.total;
    let response = total
        .response_time
        .as_ref()
        .map(Distribution::times)
        .transpose()?;
    let service = total
        .service_time
        .as_ref()
        .map(Distribution::times)
        .transpose()?;
    let mut rows = vec![Row {
        name: "answers per second",
        unit: Unit::PerSecond,
        good: Good::High,
        found: rate(total, report.elapsed_seconds).map(Found::Estimate),
    }];
    let shares: [Share; 3] = [
        ("failed", total.failed, total.sent, |second| second.failed),
        ("lost", total.lost, total.sent, |second| second.failed),
        ("cold starts", total.cold_starts, total.answered, |second| {
            second.cold_starts
        }),
    ];
    rows.extend(shares.map(|(name, hits, trials, of)| Row {
        name,
        unit: Unit::Percent,
        good: Good::Low,
        found: (trials > 0).then(|| Found::Estimate(share(hits, trials, &report.seconds, of))),
    }));
    let low = |name, found| Row {
        name,
        unit: Unit::Millis,
        good: Good::Low,
        found,
    };
    rows.push(low(
        "response mean",
        response
            .as_ref()
            .map(|times| Found::Estimate(mean(times, &seconds))),
    ));
    for (quantile, name, _) in QUANTILES {
        let found = response
            .as_ref()
            .map(|times| Found::Estimate(percentile(times, quantile, &seconds)));
        rows.push(low(name, found));
    }
    rows.push(low(
        "response max",
        response
            .as_ref()
            .map(|times| Found::Single(as_millis(times.max()))),
    ));
    for (quantile, _, name) in QUANTILES {
        let found = service
            .as_ref()
            .map(|times| Found::Estimate(percentile(times, quantile, &seconds)));
        rows.push(low(name, found));
    }
    rows.push(low(
        "generator's lateness p99",
        Some(Found::Single(report.lateness.times.p99_ms)),
    ));
    rows.extend(scaling(
        report.autoscaler.as_ref().map(|scaler| &scaler.figures),
    ));
    Ok(rows)
}

/// What the autoscaler did, once in a run.
fn scaling(figures: Option<&ScaleFigures>) -> Vec<Row> {
    let single = |name, unit, value: &dyn Fn(&ScaleFigures) -> Option<f64>| Row {
        name,
        unit,
        good: Good::Low,
        found: figures.and_then(value).map(Found::Single),
    };
    vec![
        single("time to first replica", Unit::Seconds, &|each| {
            each.time_to_first_replica_seconds
        }),
        single("longest time to target", Unit::Seconds, &|each| {
            each.time_to_target_seconds
        }),
        single("time to zero", Unit::Seconds, &|each| {
            each.time_to_zero_seconds
        }),
        single("replica-seconds", Unit::Count, &|each| {
            Some(each.replica_seconds)
        }),
        single("under-provisioned replica-s", Unit::Count, &|each| {
            Some(each.under_provisioned_replica_seconds)
        }),
        single("over-provisioned replica-s", Unit::Count, &|each| {
            Some(each.over_provisioned_replica_seconds)
        }),
        single("lost on scale-in", Unit::Count, &|each| {
            Some(as_float(each.lost_on_scale_in))
        }),
        single("flaps", Unit::Count, &|each| Some(as_float(each.flaps))),
    ]
}

/// Answers in a second, as of independent arrivals.
fn rate(total: &Summary, elapsed: f64) -> Option<Estimate> {
    (elapsed > 0.0).then(|| poisson(as_float(total.answered)).times(1.0 / elapsed))
}

/// A share in percent, with the trials counted for as much as they are worth.
fn share(hits: u64, trials: u64, seconds: &[Second], of: fn(&Second) -> u64) -> Estimate {
    let cluster = |second: &Second| Cluster {
        hits: as_float(of(second)),
        trials: as_float(second.succeeded + second.failed),
    };
    let effect = design_effect(&seconds.iter().map(cluster).collect::<Vec<_>>());
    let (hits, trials) = (as_float(hits), as_float(trials));
    wilson(hits / effect, trials / effect).times(100.0)
}

/// A percentile in milliseconds: the bounds of the share below it, read off the histogram.
fn percentile(times: &Times, quantile: f64, seconds: &[Times]) -> Estimate {
    let value = times.value_at_quantile(quantile);
    let trials = as_float(times.len()) / design_effect(&above(seconds, value));
    let below = wilson(quantile * trials, trials);
    Estimate {
        value: as_millis(value),
        low: as_millis(times.value_at_quantile(below.low)).min(as_millis(value)),
        high: as_millis(times.value_at_quantile(below.high)).max(as_millis(value)),
    }
}

/// The mean in milliseconds, from the larger of the variance within and that from second to second.
fn mean(times: &Times, seconds: &[Times]) -> Estimate {
    let cluster = |second: &Times| Cluster {
        hits: second.mean() * as_float(second.len()),
        trials: as_float(second.len()),
    };
    let clusters: Vec<_> = seconds.iter().map(cluster).collect();
    let trials: f64 = clusters.iter().map(|each| each.trials).sum();
    let between = if trials > 0.0 {
        variance(&clusters) / (trials * trials)
    } else {
        0.0
    };
    let within = times.stdev().powi(2) / as_float(times.len().max(1));
    let half = Z * between.max(within).sqrt();
    Estimate {
        value: times.mean() / 1000.0,
        low: ((times.mean() - half) / 1000.0).max(0.0),
        high: (times.mean() + half) / 1000.0,
    }
}

fn figure(name: &'static str, unit: Unit, good: Good, [a, b]: [Option<Found>; 2]) -> Figure {
    let bounded = |found: Found| match found {
        Found::Estimate(estimate) => estimate.into(),
        Found::Single(value) => single(value),
    };
    let (difference, verdict) = match (a, b) {
        (Some(Found::Estimate(a)), Some(Found::Estimate(b))) => {
            let difference = a.to(b);
            (Some(difference.into()), judge(difference, good))
        }
        (Some(a), Some(b)) => (
            Some(single(bounded(b).value - bounded(a).value)),
            Judgement::NotJudged,
        ),
        _ => (None, Judgement::NotJudged),
    };
    let (a, b) = (a.map(bounded), b.map(bounded));
    let change = |a: Bounded, difference: Bounded| {
        (a.value != 0.0).then(|| 100.0 * difference.value / a.value)
    };
    Figure {
        name,
        unit,
        a,
        b,
        difference,
        change_percent: a
            .zip(difference)
            .and_then(|(a, difference)| change(a, difference)),
        verdict,
    }
}

fn single(value: f64) -> Bounded {
    Bounded {
        value,
        low: None,
        high: None,
    }
}

fn judge(difference: Estimate, good: Good) -> Judgement {
    match (difference.beyond_chance(), difference.value > 0.0, good) {
        (false, ..) => Judgement::WithinChance,
        (true, true, Good::High) | (true, false, Good::Low) => Judgement::Better,
        _ => Judgement::Worse,
    }
}
