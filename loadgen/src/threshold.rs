//! Thresholds: what a run must have shown to be good, as expressions such as `p99 < 250ms`.
//!
//! An expression is a metric, an operator and a bound with the unit of the metric. Metrics are those of all requests
//! (`p99`, `lost`), of a part of them (`stages.spike.p99`, `targets.home.failed`, `revisions.hello--blue.percent`),
//! of a queue, and of the autoscaler (`timeToZero`).

mod bound;
mod evaluate;
mod figures;
mod metric;
mod parse;
mod scan;

use std::fmt;

use crate::nearest::suggestion;

pub(crate) use self::bound::Bound;
pub(crate) use self::metric::{Figure, Metric, Subject};

/// A condition on a figure of the report.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Threshold {
    /// As it was written.
    pub(crate) expression: String,
    pub(crate) metric: Metric,
    pub(crate) operator: Operator,
    pub(crate) bound: Bound,
}

/// How a figure and its bound are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    NotEqual,
}

impl Operator {
    /// All, those that begin as another does before it.
    const ALL: [(&'static str, Self); 6] = [
        ("<=", Self::AtMost),
        (">=", Self::AtLeast),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
        ("<", Self::Less),
        (">", Self::More),
    ];

    #[expect(
        clippy::float_cmp,
        reason = "counts are exact, and who compares times for equality asks for it"
    )]
    fn holds(self, found: f64, bound: f64) -> bool {
        match self {
            Self::Less => found < bound,
            Self::AtMost => found <= bound,
            Self::More => found > bound,
            Self::AtLeast => found >= bound,
            Self::Equal => found == bound,
            Self::NotEqual => found != bound,
        }
    }
}

/// What the plan of a run has, for what a threshold may ask.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Available<'a> {
    pub(crate) stages: &'a [String],
    pub(crate) targets: &'a [String],
    pub(crate) queues: &'a [String],
    /// The autoscaler is followed.
    pub(crate) observed: bool,
}

impl Threshold {
    /// Why this threshold could never hold in a run that has only what is `available`.
    pub(crate) fn check(&self, available: Available<'_>) -> Result<(), String> {
        let (what, name, known) = match &self.metric.subject {
            Subject::Stage(name) => ("stage", name, available.stages),
            Subject::Target(name) => ("target", name, available.targets),
            Subject::Queue(name) => ("queue", name, available.queues),
            Subject::All | Subject::Revision(_) => return self.check_observed(available.observed),
        };
        if known.contains(name) {
            return Ok(());
        }
        let expression = &self.expression;
        if known.is_empty() {
            return Err(format!("`{expression}`: the scenario has no {what}s"));
        }
        let meant = suggestion(name, known.iter().map(String::as_str));
        let known = known.join("`, `");
        Err(format!(
            "`{expression}`: there is no {what} `{name}`{meant} (there is `{known}`)"
        ))
    }

    /// Whether it is about the time until no replica is left, which comes after the last answer.
    pub(crate) fn asks_for_time_to_zero(&self) -> bool {
        self.metric.figure == Figure::Number("timeToZero")
    }

    /// Whether it can be held against a run that still goes on: it is of all requests, and not of how late they were.
    pub(crate) fn is_of_requests(&self) -> bool {
        let Metric { subject, figure } = &self.metric;
        *subject == Subject::All
            && match figure {
                Figure::Number(name) => figures::find(&figures::OF_REQUESTS, name).is_some(),
                Figure::Time(..) | Figure::Errors(_) | Figure::Status(_) => true,
            }
    }

    fn check_observed(&self, observed: bool) -> Result<(), String> {
        if observed || !self.metric.needs_observation() {
            return Ok(());
        }
        Err(format!(
            "`{}`: `{}` is known only if the autoscaler is followed: add `observe: http://127.0.0.1:8081` to the \
             scenario, or --observe URL",
            self.expression, self.metric
        ))
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = Self::ALL.iter().find(|(_, operator)| operator == self);
        f.write_str(sign.map_or("", |(sign, _)| sign))
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.metric, self.operator, self.bound)
    }
}

#[cfg(test)]
mod tests;
