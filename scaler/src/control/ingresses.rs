//! The ingresses that report what they count: which there are, when each was heard last, and what
//! it said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::name::RevisionName;
use ebbtide_core::time::Timestamp;

use crate::telemetry::{Counts, Report};

/// An ingress that has not been heard for this long is gone, and its requests with it. Well before,
/// what it said is too old to decide by, so in between its revisions are left as they are.
const GONE_AFTER: Duration = Duration::from_secs(60);

/// A scaler that has just started has heard of its ingresses by then, if there are any: their way to
/// it is a name that is resolved once a second, and cached for some more.
const PATIENCE: Duration = Duration::from_secs(15);

/// The most ingresses there may be; a report of one more is not taken in.
pub(super) const MOST: usize = 1024;

/// The most revisions that one of them may report; what it says of others is not taken in.
const MOST_REVISIONS: usize = 20_000;

/// Every ingress that reports.
pub(super) struct Ingresses {
    runs: BTreeMap<u64, Run>,
    started: Timestamp,
}

/// One run of an ingress.
struct Run {
    name: Arc<str>,
    sequence: u64,
    heard: Timestamp,
    /// It said that it ends. It is kept for a while, so that what comes late of it is known as old.
    ended: bool,
    counts: BTreeMap<RevisionName, Counts>,
}

/// What a report changes.
#[derive(Debug, Default, PartialEq)]
pub(super) struct News {
    /// What revisions count now.
    pub(super) counts: Vec<(RevisionName, Counts)>,
    /// Revisions that runs route to no more.
    pub(super) gone: Vec<(u64, RevisionName)>,
    /// Whether the run began to count while this scaler was there.
    pub(super) from_zero: bool,
}

impl Ingresses {
    /// None yet, for a scaler that starts now.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            runs: BTreeMap::new(),
            started: now,
        }
    }

    /// Takes in a report; one that is older than what its run said last changes nothing.
    pub(super) fn take_in(&mut self, report: Report, now: Timestamp) -> News {
        let mut news = News {
            from_zero: report.running <= now.since(self.started),
            ..News::default()
        };
        let known = self.runs.get(&report.run);
        if known.is_some_and(|run| run.ended || report.sequence <= run.sequence) {
            return news;
        }
        if known.is_none() {
            if self.runs.len() >= MOST {
                tracing::warn!(
                    ingress = &*report.ingress,
                    "{MOST} ingresses report already; this one is not taken in"
                );
                return news;
            }
            self.replace(&report, &mut news);
        }
        let run = self.runs.entry(report.run).or_insert_with(|| Run {
            name: Arc::clone(&report.ingress),
            sequence: 0,
            heard: now,
            ended: false,
            counts: BTreeMap::new(),
        });
        run.take_in(report, now, &mut news);
        news
    }

    /// A run of the same name has ended, since this one is there.
    fn replace(&mut self, report: &Report, news: &mut News) {
        tracing::info!(ingress = &*report.ingress, "an ingress reports");
        let earlier = self
            .runs
            .iter()
            .filter(|(_, run)| run.name == report.ingress);
        let earlier: Vec<u64> = earlier.map(|(number, _)| *number).collect();
        for number in earlier {
            self.end(number, news);
        }
    }

    /// Forgets ingresses that have not been heard for long.
    pub(super) fn forget_silent(&mut self, now: Timestamp) -> News {
        let mut news = News::default();
        let silent = self.runs.iter();
        let silent = silent.filter(|(_, run)| now.since(run.heard) >= GONE_AFTER);
        let silent: Vec<u64> = silent.map(|(number, _)| *number).collect();
        for number in silent {
            if let Some(run) = self.runs.get(&number).filter(|run| !run.ended) {
                tracing::warn!(
                    ingress = &*run.name,
                    "an ingress has not been heard for {} s; it counts as gone",
                    GONE_AFTER.as_secs()
                );
            }
            self.end(number, &mut news);
        }
        news
    }

    fn end(&mut self, number: u64, news: &mut News) {
        if let Some(run) = self.runs.remove(&number) {
            let revisions = run.counts.into_keys();
            news.gone
                .extend(revisions.map(|revision| (number, revision)));
        }
    }

    /// How many report.
    pub(super) fn count(&self) -> usize {
        self.runs.values().filter(|run| !run.ended).count()
    }

    /// Whether any has reported, or has been waited for long enough.
    pub(super) fn are_settled(&self, now: Timestamp) -> bool {
        !self.runs.is_empty() || now.since(self.started) >= PATIENCE
    }

    /// When the ingress was heard that has been silent longest; none without ingresses.
    pub(super) fn heard(&self) -> Option<Timestamp> {
        let reporting = self.runs.values().filter(|run| !run.ended);
        reporting.map(|run| run.heard).min()
    }

    /// What each run said last of the revisions that `counted` has.
    pub(super) fn counts_of(
        &self,
        counted: impl Fn(&RevisionName) -> bool,
    ) -> Vec<(u64, RevisionName, Counts)> {
        let of_run = |(number, run): (&u64, &Run)| {
            let counts = run.counts.iter().filter(|(revision, _)| counted(revision));
            let counts = counts.map(|(revision, counts)| (*number, revision.clone(), *counts));
            counts.collect::<Vec<_>>()
        };
        self.runs.iter().flat_map(of_run).collect()
    }
}

impl Run {
    fn take_in(&mut self, report: Report, now: Timestamp, news: &mut News) {
        self.sequence = report.sequence;
        self.heard = now;
        self.ended = report.last;
        let mut gone: BTreeSet<RevisionName> = report.removed.into_iter().collect();
        if report.whole || report.last {
            gone.extend(self.counts.keys().cloned());
        }
        for (revision, counts) in report.revisions {
            if self.counts.len() >= MOST_REVISIONS && !self.counts.contains_key(&revision) {
                continue;
            }
            if !report.last {
                gone.remove(&revision);
            }
            self.counts.insert(revision.clone(), counts);
            news.counts.push((revision, counts));
        }
        for revision in gone {
            if self.counts.remove(&revision).is_some() {
                news.gone.push((report.run, revision));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> RevisionName {
        RevisionName::parse(text).unwrap()
    }

    fn report(run: u64, sequence: u64, revisions: &[(&str, u64)]) -> Report {
        let counts = |(revision, started): &(&str, u64)| {
            let counts = Counts {
                started: *started,
                ..Counts::default()
            };
            (name(revision), counts)
        };
        Report {
            ingress: Arc::from("pod"),
            run,
            sequence,
            running: Duration::from_secs(100),
            whole: sequence == 1,
            revisions: revisions.iter().map(counts).collect(),
            removed: Vec::new(),
            last: false,
        }
    }

    fn gone(news: &News) -> Vec<(u64, &str)> {
        let gone = news.gone.iter();
        gone.map(|(run, revision)| (*run, revision.as_str()))
            .collect()
    }

    #[test]
    fn what_is_old_or_said_twice_changes_nothing() {
        let now = Timestamp::from_secs(1);
        let mut ingresses = Ingresses::new(Timestamp::ORIGIN);
        for (sequence, expected) in [(1, 1), (3, 1), (2, 0), (3, 0), (4, 1)] {
            let news = ingresses.take_in(report(7, sequence, &[("a--v1", sequence)]), now);
            assert_eq!(news.counts.len(), expected, "{sequence}");
        }
        let latest = ingresses.counts_of(|_| true);
        assert_eq!((latest.len(), latest[0].2.started), (1, 4));
    }

    #[test]
    fn what_a_whole_report_leaves_out_is_gone() {
        let now = Timestamp::from_secs(1);
        let mut ingresses = Ingresses::new(Timestamp::ORIGIN);
        ingresses.take_in(report(7, 1, &[("a--v1", 1), ("b--v1", 1)]), now);
        let again = Report {
            whole: true,
            ..report(7, 2, &[("b--v1", 2)])
        };
        assert_eq!(gone(&ingresses.take_in(again, now)), [(7, "a--v1")]);
        let removed = Report {
            removed: vec![name("b--v1")],
            ..report(7, 3, &[])
        };
        assert_eq!(gone(&ingresses.take_in(removed, now)), [(7, "b--v1")]);
    }

    #[test]
    fn another_run_of_one_name_takes_the_place_of_the_one_before() {
        let now = Timestamp::from_secs(1);
        let mut ingresses = Ingresses::new(Timestamp::ORIGIN);
        ingresses.take_in(report(7, 9, &[("a--v1", 5)]), now);
        let news = ingresses.take_in(report(8, 1, &[("a--v1", 1)]), now);
        assert_eq!((gone(&news), news.counts.len()), (vec![(7, "a--v1")], 1));
    }

    #[test]
    fn one_that_says_farewell_or_is_silent_is_gone() {
        let second = Timestamp::from_secs;
        let mut ingresses = Ingresses::new(Timestamp::ORIGIN);
        ingresses.take_in(report(7, 1, &[("a--v1", 5)]), second(1));
        let farewell = Report {
            last: true,
            ..report(7, 2, &[("a--v1", 6)])
        };
        let news = ingresses.take_in(farewell, second(2));
        assert_eq!((gone(&news), news.counts.len()), (vec![(7, "a--v1")], 1));
        let other = Report {
            ingress: Arc::from("other"),
            ..report(8, 1, &[("a--v1", 5)])
        };
        ingresses.take_in(other, second(30));
        assert_eq!(ingresses.forget_silent(second(61)), News::default());
        assert_eq!(ingresses.heard(), Some(second(30)));
        assert_eq!(gone(&ingresses.forget_silent(second(90))), [(8, "a--v1")]);
        assert_eq!(ingresses.heard(), None);
    }

    #[test]
    fn a_run_that_began_after_the_scaler_counts_from_zero() {
        let mut ingresses = Ingresses::new(Timestamp::from_secs(1));
        for (second, expected) in [(50, false), (101, true)] {
            let report = report(second, 1, &[("a--v1", 1)]);
            let news = ingresses.take_in(report, Timestamp::from_secs(second));
            assert_eq!(news.from_zero, expected, "{second}");
        }
    }
}
