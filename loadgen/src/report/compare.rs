//! Two runs, figure by figure, and which differences are more than chance.
//!
//! Each figure has a 95 % interval, and the difference has one made of the two (see [`Estimate::to`]). Requests of a run are
//! not independent: they queue behind each other and start cold together. So each second is taken as a cluster, and how
//! much more shares vary from second to second than independent requests would is estimated from the runs themselves,
//! with what neighbouring seconds have in common (Newey and West, Econometrica 55 (1987), 703–708). The interval of a
//! percentile is that of the share of requests below it, read off the histogram (Woodruff, Confidence intervals for
//! medians and other position measures, JASA 47 (1952), 635–646). What differs from run to run for other reasons (a noisy
//! neighbour, the time of day) is in neither of two runs; only more runs show it.

mod clusters;
mod figures;
mod text;

use serde::Serialize;

use super::histogram::HistogramError;
use super::interval::Estimate;
use super::model::{LoopKind, Report};
use super::words::number;

pub(crate) use self::text::write as write_text;

/// Two runs beside each other.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Comparison {
    pub(crate) a: Side,
    pub(crate) b: Side,
    /// Why the figures may not be comparable, a sentence each.
    pub(crate) warnings: Vec<String>,
    pub(crate) figures: Vec<Figure>,
}

/// One of the two.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Side {
    /// Where it was read from.
    pub(crate) file: String,
    pub(crate) name: String,
    pub(crate) started: String,
    pub(crate) load: String,
    pub(crate) valid: bool,
}

/// A figure of both.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    pub(crate) unit: Unit,
    /// None where the run has no such figure.
    pub(crate) a: Option<Bounded>,
    pub(crate) b: Option<Bounded>,
    /// B less A.
    pub(crate) difference: Option<Bounded>,
    /// The difference in percent of A; none if that is 0.
    pub(crate) change_percent: Option<f64>,
    pub(crate) verdict: Judgement,
}

/// A value with the bounds of its 95 % interval, where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Bounded {
    pub(crate) value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) low: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) high: Option<f64>,
}

/// What a figure is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) enum Unit {
    #[serde(rename = "ms")]
    Millis,
    #[serde(rename = "s")]
    Seconds,
    #[serde(rename = "%")]
    Percent,
    #[serde(rename = "/s")]
    PerSecond,
    #[serde(rename = "")]
    Count,
}

/// What the difference says of B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Judgement {
    Better,
    Worse,
    /// No more than chance would make.
    WithinChance,
    /// A single observation, of which chance cannot be told.
    NotJudged,
}

impl From<Estimate> for Bounded {
    fn from(estimate: Estimate) -> Self {
        Self {
            value: estimate.value,
            low: Some(estimate.low),
            high: Some(estimate.high),
        }
    }
}

impl Figure {
    /// Worse beyond chance, and by more than so many percent. From nothing to something is more than any percentage.
    pub(crate) fn is_worse_by(&self, percent: f64) -> bool {
        self.verdict == Judgement::Worse
            && self
                .change_percent
                .is_none_or(|change| change.abs() > percent)
    }
}

/// Compares two runs; the first two texts say where they were read from.
pub(crate) fn compare(
    files: [String; 2],
    a: &Report,
    b: &Report,
) -> Result<Comparison, HistogramError> {
    let [one, other] = files;
    Ok(Comparison {
        warnings: warnings(a, b),
        figures: figures::all(a, b)?,
        a: side(one, a),
        b: side(other, b),
    })
}

fn side(file: String, report: &Report) -> Side {
    Side {
        file,
        name: report.name.clone(),
        started: report.started.clone(),
        load: report.load.clone(),
        valid: report.valid,
    }
}

fn warnings(a: &Report, b: &Report) -> Vec<String> {
    let mut warnings = Vec::new();
    for (name, report) in [("A", a), ("B", b)] {
        if !report.valid {
            warnings.push(format!(
                "{name} is invalid: {}",
                report.invalid_reasons.join("; ")
            ));
        }
        if report.interrupted {
            warnings.push(format!("{name} was interrupted"));
        }
    }
    match (a.loop_kind, b.loop_kind) {
        (LoopKind::Open, LoopKind::Open) => {}
        (LoopKind::Closed, LoopKind::Closed) => warnings.push(
            "both are closed loops: their times leave out what nobody asked for while an answer was late".to_owned(),
        ),
        _ => warnings.push("one is an open loop and the other a closed one: their times do not mean the same".to_owned()),
    }
    if a.load != b.load {
        warnings.push(format!("the loads differ: {} and {}", a.load, b.load));
    }
    if a.destinations != b.destinations {
        warnings.push("what was sent, or where or how, differs".to_owned());
    }
    let rate = |report: &Report| {
        super::histogram::as_float(report.total.sent) / report.elapsed_seconds.max(1e-9)
    };
    let (one, other) = (rate(a), rate(b));
    if (one - other).abs() > 0.05 * one.max(other) {
        warnings.push(format!(
            "A sent {} requests a second and B {}",
            number(one),
            number(other)
        ));
    }
    warnings
}

#[cfg(test)]
mod tests;
