//! Which figure of the report is meant.

use std::fmt;

use super::bound::Unit;
use super::figures::{self, STATISTICS, Times};
use super::scan::is_plain;

/// A figure of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Metric {
    pub(crate) subject: Subject,
    pub(crate) figure: Figure,
}

/// What the figure is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The whole run, and the autoscaler.
    All,
    Stage(String),
    Target(String),
    Revision(String),
    Queue(String),
}

/// One of the figures that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Figure {
    /// A number by its name.
    Number(&'static str),
    /// A statistic of a distribution of times, by the names of both. The distribution has none if it is the
    /// subject's own: response time, or the time to a message's completion.
    Time(&'static str, &'static str),
    /// Failures of a kind.
    Errors(&'static str),
    /// Answers with a status code.
    Status(u16),
}

impl Metric {
    pub(super) fn unit(&self) -> Unit {
        match &self.figure {
            Figure::Number(name) => figures::unit(&self.subject, name).unwrap_or(Unit::Count),
            Figure::Time(..) => Unit::Time,
            Figure::Errors(_) | Figure::Status(_) => Unit::Count,
        }
    }

    /// Whether it is known only of an autoscaler that is followed.
    pub(super) fn needs_observation(&self) -> bool {
        match (&self.subject, &self.figure) {
            (Subject::All, Figure::Number(name)) => figures::is_of_scaling(name),
            (Subject::Revision(_), Figure::Number(name)) => *name == "weight",
            _ => false,
        }
    }
}

impl Subject {
    /// The words that lead to it.
    pub(super) const KINDS: [&'static str; 4] = ["stages", "targets", "revisions", "queues"];

    pub(super) fn new(kind: &str, name: &str) -> Option<Self> {
        let name = name.to_owned();
        Some(match kind {
            "stages" => Self::Stage(name),
            "targets" => Self::Target(name),
            "revisions" => Self::Revision(name),
            "queues" => Self::Queue(name),
            _ => return None,
        })
    }
}

/// The figure that one or two words mean, of those that `subject` has.
pub(super) fn figure(subject: &Subject, first: &str, second: Option<&str>) -> Option<Figure> {
    let Some(second) = second else {
        let time = figures::statistic(first).map(|statistic| Figure::Time("", statistic));
        return figures::number(subject, first).map(Figure::Number).or(time);
    };
    if figures::has_requests(subject) {
        match first {
            "errors" => return figures::error_kind(second).map(Figure::Errors),
            "statusCodes" => {
                let status = second
                    .parse()
                    .ok()
                    .filter(|code| (100..1000).contains(code));
                return status.map(Figure::Status);
            }
            _ => {}
        }
    }
    let times: Times = figures::times(subject, first)?;
    Some(Figure::Time(times, figures::statistic(second)?))
}

/// What may come after the words so far, for a suggestion.
pub(super) fn known(subject: &Subject, first: Option<&str>) -> Vec<&'static str> {
    let Some(first) = first else {
        let mut known = figures::number_names(subject);
        known.extend(figures::times_names(subject));
        known.extend(STATISTICS.iter().map(|(name, _)| *name));
        if figures::has_requests(subject) {
            known.extend(["errors", "statusCodes"]);
        }
        if *subject == Subject::All {
            known.extend(Subject::KINDS);
        }
        return known;
    };
    match first {
        "errors" if figures::has_requests(subject) => figures::ERROR_KINDS.to_vec(),
        "statusCodes" if figures::has_requests(subject) => vec!["200", "503"],
        _ if figures::times(subject, first).is_some() => {
            STATISTICS.iter().map(|(name, _)| *name).collect()
        }
        _ => Vec::new(),
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = match &self.subject {
            Subject::All => None,
            Subject::Stage(name) => Some(("stages", name)),
            Subject::Target(name) => Some(("targets", name)),
            Subject::Revision(name) => Some(("revisions", name)),
            Subject::Queue(name) => Some(("queues", name)),
        };
        if let Some((kind, name)) = named {
            write!(f, "{kind}.")?;
            write_name(name, f)?;
            f.write_str(".")?;
        }
        match &self.figure {
            Figure::Number(name) => f.write_str(name),
            Figure::Time("", statistic) => f.write_str(statistic),
            Figure::Time(times, statistic) => write!(f, "{times}.{statistic}"),
            Figure::Errors(kind) => write!(f, "errors.{kind}"),
            Figure::Status(code) => write!(f, "statusCodes.{code}"),
        }
    }
}

/// In quotes unless it could be nothing else without.
fn write_name(name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if !name.is_empty() && name.chars().all(is_plain) {
        return f.write_str(name);
    }
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    write!(f, "\"{escaped}\"")
}
