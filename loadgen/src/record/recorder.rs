//! Keeps what becomes of one worker's requests. Nothing is shared and nothing is allocated for a request, but for a
//! name that is new or a bucket that a histogram has not had.

use std::collections::BTreeMap;
use std::mem::take;
use std::time::Duration;

use hdrhistogram::{AdditionError, CreationError};

use super::outcome::{Answer, Outcome};
use super::recording::{QueueTally, Recording, RevisionTally, SecondTally, Tally, Times};
use super::seconds::{Seconds, add_seconds};
use super::tally::{record, times};
use crate::plan::Stage;

/// A request is late when it was begun this long after its intended start.
pub(crate) const LATE_AFTER: Duration = Duration::from_millis(1);

/// Names of revisions, and of replicas of each, that are told apart.
const NAMES: usize = 100;

/// Values of the counted header that are told apart.
const VALUES: usize = 1000;

/// What all names beyond the bound are counted as.
const OTHER: &str = "(other)";

/// What an answer without the counted header is counted as.
const NONE: &str = "(none)";

/// What is recorded so far.
#[derive(Debug)]
pub(crate) struct Recorder {
    dropped: u64,
    late: u64,
    lateness: Times,
    /// Whose sum are all requests: they are counted once.
    targets: Vec<Tally>,
    /// Where a stage begins and ends; none if there is only one, which has all requests.
    bounds: Vec<(Duration, Duration)>,
    stages: Vec<Tally>,
    revisions: BTreeMap<String, RevisionTally>,
    counted: BTreeMap<String, u64>,
    counts_header: bool,
    queues: BTreeMap<usize, QueueTally>,
    seconds: Seconds,
    last_end: Duration,
    empty: Times,
}

impl Recorder {
    /// For so many targets and these stages. `counts_header` says that a header's values are counted.
    pub(crate) fn new(
        targets: usize,
        stages: &[Stage],
        counts_header: bool,
    ) -> Result<Self, CreationError> {
        let tallies = |count| (0..count).map(|_| Tally::new()).collect::<Result<_, _>>();
        let bounds = stages.iter().map(|stage| (stage.from, stage.until));
        let bounds: Vec<_> = bounds.filter(|_| stages.len() > 1).collect();
        Ok(Self {
            dropped: 0,
            late: 0,
            lateness: times()?,
            targets: tallies(targets)?,
            stages: tallies(stages.len())?,
            bounds,
            revisions: BTreeMap::new(),
            counted: BTreeMap::new(),
            counts_header,
            queues: BTreeMap::new(),
            seconds: Seconds::new()?,
            last_end: Duration::ZERO,
            empty: times()?,
        })
    }

    /// A request of the schedule that is left out because too many are outstanding.
    pub(crate) fn dropped(&mut self, target: usize, intended: Duration) {
        self.dropped += 1;
        self.seconds.at(intended).offered += 1;
        self.each(target, intended, |tally| tally.offered += 1);
    }

    /// A request of the schedule that is begun.
    ///
    /// Of those that are intended at the same instant only the first can be on time, so it alone says how late the
    /// generator is, if it is not of a burst: the others are the ones that `follows`.
    pub(crate) fn begun(
        &mut self,
        target: usize,
        intended: Duration,
        begun: Duration,
        follows: bool,
    ) {
        self.seconds.at(intended).offered += 1;
        self.seconds.at(begun).sent += 1;
        self.each(target, intended, |tally| {
            tally.offered += 1;
            tally.sent += 1;
        });
        if !follows {
            let lateness = begun.saturating_sub(intended);
            self.late += u64::from(lateness > LATE_AFTER);
            record(&mut self.lateness, lateness);
        }
    }

    /// A connection that was opened before the first request.
    pub(crate) fn connected(&mut self, target: usize, took: Duration) {
        self.targets[target].connected(took);
    }

    /// A message that the broker has, and how long it took until it said so.
    pub(crate) fn enqueued(&mut self, target: usize, took: Duration) {
        let queue = self.queue(target);
        queue.enqueued += 1;
        record(&mut queue.enqueue, took);
    }

    /// A completion of a message that was completed before, or given up.
    pub(crate) fn completed_again(&mut self, target: usize) {
        self.queue(target).repeated += 1;
    }

    fn queue(&mut self, target: usize) -> &mut QueueTally {
        let Self { queues, empty, .. } = self;
        queues.entry(target).or_insert_with(|| QueueTally {
            enqueued: 0,
            repeated: 0,
            enqueue: empty.clone(),
        })
    }

    /// What became of a request.
    pub(crate) fn ended(&mut self, outcome: &Outcome<'_>) {
        self.each(outcome.target, outcome.intended, |tally| {
            tally.ended(outcome);
        });
        match &outcome.result {
            Ok(answer) => self.answered(outcome.intended, answer),
            Err(failure) => self.seconds.at(failure.at).failed += 1,
        }
    }

    fn answered(&mut self, intended: Duration, answer: &Answer<'_>) {
        let response = answer.ended.saturating_sub(intended);
        self.last_end = self.last_end.max(answer.ended);
        let second = self.seconds.at(answer.ended);
        second.succeeded += u64::from(answer.wrong.is_none());
        second.failed += u64::from(answer.wrong.is_some());
        second.cold_starts += u64::from(answer.cold_start.is_some());
        self.seconds.respond(answer.ended, response);
        if let Some(revision) = answer.revision {
            self.of_revision(revision, response, answer);
        }
        if self.counts_header {
            count(&mut self.counted, answer.counted.unwrap_or(NONE), 1, VALUES);
        }
    }

    fn of_revision(&mut self, name: &str, response: Duration, answer: &Answer<'_>) {
        let room = self.revisions.len() < NAMES || self.revisions.contains_key(name);
        let name = if room { name } else { OTHER };
        if !self.revisions.contains_key(name) {
            let tally = RevisionTally::new(self.empty.clone());
            self.revisions.insert(name.to_owned(), tally);
        }
        let Some(tally) = self.revisions.get_mut(name) else {
            return;
        };
        tally.answered += 1;
        tally.succeeded += u64::from(answer.wrong.is_none());
        record(&mut tally.response, response);
        if let Some(replica) = answer.replica {
            count_name(&mut tally.replicas, replica, 1);
        }
    }

    /// Does the same to all tallies that have a request.
    fn each(&mut self, target: usize, intended: Duration, mut change: impl FnMut(&mut Tally)) {
        change(&mut self.targets[target]);
        let at = self.bounds.partition_point(|(from, _)| *from <= intended);
        let stage = at.checked_sub(1).filter(|at| intended < self.bounds[*at].1);
        if let Some(stage) = stage {
            change(&mut self.stages[stage]);
        }
    }

    /// All requests so far, how late they were begun, and the seconds from a position on.
    pub(crate) fn so_far(&self, since: usize) -> Result<(Tally, Times, Vec<SecondTally>), Error> {
        let total = total(&self.targets)?;
        Ok((total, self.lateness.clone(), self.seconds.since(since)))
    }

    /// All that was recorded, at the end of the run.
    pub(crate) fn finish(&mut self, at: Duration, interrupted: bool) -> Result<Recording, Error> {
        let total = total(&self.targets)?;
        if self.bounds.is_empty() {
            self.stages.fill(total.clone());
        }
        let answered = total.answered > 0;
        Ok(Recording {
            elapsed: if answered { self.last_end } else { at },
            interrupted,
            dropped: self.dropped,
            late: self.late,
            lateness: self.lateness.clone(),
            total,
            targets: take(&mut self.targets),
            stages: take(&mut self.stages),
            revisions: take(&mut self.revisions),
            counted: take(&mut self.counted),
            queues: take(&mut self.queues),
            seconds: self.seconds.finish(),
        })
    }
}

/// What keeping or adding up can fail with: there is not enough memory for a histogram.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// One cannot be made.
    #[error("no histogram can be made: {0}")]
    Create(#[from] CreationError),
    /// One cannot take another's counts.
    #[error("histograms cannot be added up: {0}")]
    Add(#[from] AdditionError),
}

fn total(targets: &[Tally]) -> Result<Tally, Error> {
    let mut total = Tally::new()?;
    for target in targets {
        total.add(target)?;
    }
    Ok(total)
}

/// Counts a name, or all others once there are a hundred names.
pub(super) fn count_name(counts: &mut BTreeMap<String, u64>, name: &str, times: u64) {
    count(counts, name, times, NAMES);
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str, times: u64, most: usize) {
    let room = counts.len() < most || counts.contains_key(name);
    let name = if room { name } else { OTHER };
    match counts.get_mut(name) {
        Some(count) => *count += times,
        None => _ = counts.insert(name.to_owned(), times),
    }
}

impl Recording {
    /// Adds what another worker recorded of the same plan.
    pub(crate) fn add(&mut self, other: &Self) -> Result<(), AdditionError> {
        let answered = (self.total.answered > 0, other.total.answered > 0);
        self.elapsed = match answered {
            (true, false) => self.elapsed,
            (false, true) => other.elapsed,
            _ => self.elapsed.max(other.elapsed),
        };
        self.interrupted |= other.interrupted;
        self.dropped += other.dropped;
        self.late += other.late;
        self.lateness.add(&other.lateness)?;
        self.total.add(&other.total)?;
        for (target, other) in self.targets.iter_mut().zip(&other.targets) {
            target.add(other)?;
        }
        for (stage, other) in self.stages.iter_mut().zip(&other.stages) {
            stage.add(other)?;
        }
        for (name, other) in &other.revisions {
            let room = self.revisions.len() < NAMES || self.revisions.contains_key(name);
            let name = if room { name } else { OTHER };
            match self.revisions.get_mut(name) {
                Some(tally) => tally.add(other)?,
                None => _ = self.revisions.insert(name.to_owned(), other.clone()),
            }
        }
        for (value, times) in &other.counted {
            count(&mut self.counted, value, *times, VALUES);
        }
        for (target, other) in &other.queues {
            match self.queues.get_mut(target) {
                Some(queue) => queue.add(other)?,
                None => _ = self.queues.insert(*target, other.clone()),
            }
        }
        add_seconds(&mut self.seconds, &other.seconds);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
