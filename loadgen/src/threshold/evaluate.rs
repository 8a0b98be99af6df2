//! Whether a threshold holds, by the report of a run.

use super::Threshold;
use super::figures::{self, Distributed, Number, STATISTICS};
use super::metric::{Figure, Metric, Subject};
use crate::report::model::{Distribution, Report, Summary, ThresholdResult};

impl Threshold {
    /// Whether it holds. A figure that is not known holds nothing.
    pub(crate) fn evaluate(&self, report: &Report) -> ThresholdResult {
        let (holds, found) = match self.metric.find(report) {
            Ok(value) => {
                let found = format!("{} is {}", self.metric, self.metric.unit().words(value));
                (self.operator.holds(value, self.bound.value()), found)
            }
            Err(why) => (false, format!("{} is not known: {why}", self.metric)),
        };
        ThresholdResult {
            expression: self.expression.clone(),
            holds,
            found,
        }
    }
}

impl Metric {
    /// Its value in its unit, or why there is none.
    fn find(&self, report: &Report) -> Result<f64, String> {
        match &self.subject {
            Subject::All => self.find_of_run(report),
            Subject::Stage(name) => {
                let stages = report
                    .stages
                    .iter()
                    .map(|stage| (&stage.name, &stage.value));
                let stage = part(stages, &report.total, name);
                self.find_of_requests(stage.ok_or_else(|| format!("there was no stage `{name}`"))?)
            }
            Subject::Target(name) => {
                let targets = report
                    .targets
                    .iter()
                    .map(|target| (&target.name, &target.value));
                let target = part(targets, &report.total, name);
                let target = target.ok_or_else(|| format!("there was no target `{name}`"))?;
                self.find_of_requests(target)
            }
            Subject::Revision(name) => {
                let revision = report
                    .revisions
                    .iter()
                    .find(|share| share.revision == *name);
                let revision =
                    revision.ok_or_else(|| format!("no answer named the revision `{name}`"))?;
                self.find_of(revision, &figures::OF_REVISION, &figures::TIMES_OF_REVISION)
            }
            Subject::Queue(name) => {
                let queue = figures::named(&report.queues, name);
                let queue = queue.ok_or_else(|| format!("there was no queue `{name}`"))?;
                self.find_of(queue, &figures::OF_QUEUE, &figures::TIMES_OF_QUEUE)
            }
        }
    }

    fn find_of_run(&self, report: &Report) -> Result<f64, String> {
        match &self.figure {
            Figure::Number(name) if figures::is_of_scaling(name) => {
                let autoscaler = report.autoscaler.as_ref();
                let autoscaler = autoscaler.ok_or("the autoscaler was not followed")?;
                self.find_of(&autoscaler.figures, &figures::OF_SCALING, &[])
            }
            Figure::Number(name) if figures::find(&figures::OF_RUN, name).is_some() => {
                self.find_of(report, &figures::OF_RUN, &[])
            }
            Figure::Time(times, _)
                if figures::TIMES_OF_RUN.iter().any(|(name, _)| name == times) =>
            {
                self.find_of(report, &[], &figures::TIMES_OF_RUN)
            }
            _ => self.find_of_requests(&report.total),
        }
    }

    fn find_of_requests(&self, summary: &Summary) -> Result<f64, String> {
        match &self.figure {
            Figure::Errors(kind) => Ok(figures::float(
                summary.errors.get(*kind).copied().unwrap_or(0),
            )),
            Figure::Status(code) => {
                let count = summary.status_codes.get(code).copied();
                Ok(figures::float(count.unwrap_or(0)))
            }
            _ => self.find_of(summary, &figures::OF_REQUESTS, &figures::TIMES_OF_REQUESTS),
        }
    }

    fn find_of<T>(
        &self,
        subject: &T,
        numbers: &'static [Number<T>],
        times: &[Distributed<T>],
    ) -> Result<f64, String> {
        match &self.figure {
            Figure::Number(name) => {
                let number = figures::find(numbers, name).ok_or("there is no such figure")?;
                (number.read)(subject).ok_or_else(|| number.absent.to_owned())
            }
            Figure::Time(name, statistic) => {
                let read = times.iter().find(|(known, _)| known == name);
                let (_, read) = read.ok_or("there is no such distribution")?;
                let distribution = read(subject).filter(|times| times.count > 0);
                let distribution = distribution.ok_or_else(|| nothing_timed(name).to_owned())?;
                Ok(value(distribution, statistic))
            }
            Figure::Errors(_) | Figure::Status(_) => Err("there is no such figure".to_owned()),
        }
    }
}

/// The part with the name. Where the report has no parts, the only one there was is the whole.
fn part<'a>(
    parts: impl Iterator<Item = (&'a String, &'a Summary)>,
    whole: &'a Summary,
    name: &str,
) -> Option<&'a Summary> {
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return Some(whole);
    }
    let named = parts.find(|(found, _)| *found == name);
    named.map(|(_, part)| part)
}

fn value(distribution: &Distribution, statistic: &str) -> f64 {
    let read = STATISTICS.iter().find(|(name, _)| *name == statistic);
    read.map_or(f64::NAN, |(_, read)| read(distribution))
}

fn nothing_timed(times: &str) -> &'static str {
    match times {
        "connectTime" => "no connection was opened for a request",
        "coldStartTime" => "no request waited for a replica",
        "lateness" => "no request was sent",
        "enqueueTime" => "no message was enqueued",
        _ => "nothing was answered",
    }
}
