//! What is counted of a revision's requests: by the ingress of this process, or by ingresses
//! elsewhere that report it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ebbtide_core::name::RevisionName;
use ebbtide_core::time::Timestamp;
use ebbtide_core::window::RequestSums;
use ebbtide_ingress::{MeterReading, RevisionMeter};

use crate::telemetry::Counts;

/// The counters of a revision. Cheap to clone.
#[derive(Clone)]
pub enum Counters {
    /// Written by the ingress of this process.
    Own(Arc<RevisionMeter>),
    /// Made from what ingresses report.
    Reported(Arc<ReportedMeter>),
}

impl Counters {
    /// How many requests started and ended, and when, which is read far more often than the rest.
    pub fn sums(&self) -> RequestSums {
        match self {
            Self::Own(meter) => meter.sums(),
            Self::Reported(meter) => meter.read().sums,
        }
    }

    /// What they say now.
    pub fn read(&self) -> MeterReading {
        match self {
            Self::Own(meter) => meter.read(),
            Self::Reported(meter) => meter.read(),
        }
    }
}

/// Who counts the requests of a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counting {
    /// The ingress of this process, which has this many workers.
    Here(NonZeroUsize),
    /// Ingresses elsewhere.
    Elsewhere,
}

impl Counting {
    /// Counters at zero.
    pub(super) fn counters(self) -> Counters {
        match self {
            Self::Here(workers) => Counters::Own(RevisionMeter::new(workers)),
            Self::Elsewhere => Counters::Reported(Arc::default()),
        }
    }
}

/// The requests of a revision, added up over all ingresses that report it.
///
/// Between two reports of an ingress its requests in flight count on as they were, so that a window
/// that ends in between is neither too low nor too high on average.
#[derive(Default)]
pub struct ReportedMeter(Mutex<Totals>);

/// A revision in the words of one run of an ingress.
type Origin = (u64, RevisionName);

#[derive(Default)]
struct Totals {
    started: u64,
    ended: u64,
    /// Request-nanoseconds that were reported, wrapping.
    request_nanos: u64,
    latest: BTreeMap<Origin, Latest>,
}

/// What an ingress reported last.
struct Latest {
    counts: Counts,
    at: Timestamp,
}

impl ReportedMeter {
    /// Takes in what a run of an ingress has counted so far of `revision`. Of what it counted before
    /// its first report only the requests in flight matter, unless it counted `from_zero` while this
    /// scaler was there.
    pub(super) fn take_in(
        &self,
        run: u64,
        revision: &RevisionName,
        counts: Counts,
        from_zero: bool,
        at: Timestamp,
    ) {
        let mut totals = self.lock();
        let origin = (run, revision.clone());
        let before = match totals.latest.get(&origin) {
            Some(latest) => latest.counts,
            None if from_zero => Counts::default(),
            None => Counts {
                started: counts.ended,
                ..counts
            },
        };
        let since = |now: u64, before: u64| now.wrapping_sub(before);
        totals.started += since(counts.started, before.started);
        totals.ended += since(counts.ended, before.ended);
        let grown = since(counts.request_nanos, before.request_nanos);
        totals.request_nanos = totals.request_nanos.wrapping_add(grown);
        totals.latest.insert(origin, Latest { counts, at });
    }

    /// A run of an ingress routes to `revision` no more. What it had in flight has ended.
    pub(super) fn forget(&self, run: u64, revision: &RevisionName) {
        let mut totals = self.lock();
        if let Some(latest) = totals.latest.remove(&(run, revision.clone())) {
            totals.ended += latest.counts.in_flight();
        }
    }

    /// Replicas that may get requests, as the ingress has it that knows of most.
    pub(super) fn ready(&self) -> u32 {
        let totals = self.lock();
        let ready = totals.latest.values().map(|latest| latest.counts.ready);
        ready.max().unwrap_or(0)
    }

    /// Requests that wait.
    pub(super) fn waiting(&self) -> u32 {
        let totals = self.lock();
        totals.latest.values().map(|one| one.counts.waiting).sum()
    }

    /// Whether any ingress reports it.
    pub(super) fn is_reported(&self) -> bool {
        !self.lock().latest.is_empty()
    }

    /// Whether a run of an ingress reports `revision`.
    pub(super) fn is_reported_by(&self, run: u64, revision: &RevisionName) -> bool {
        let origin = (run, revision.clone());
        self.lock().latest.contains_key(&origin)
    }

    fn read(&self) -> MeterReading {
        let totals = self.lock();
        // The request-nanoseconds up to t are ended - started + n·t, and are to be those reported
        // and, for each ingress, n·(t - the time of its report).
        let latest = || totals.latest.values();
        let at_reports = latest().fold(0u64, |sum, one| {
            sum.wrapping_add(one.counts.in_flight().wrapping_mul(one.at.as_nanos()))
        });
        MeterReading {
            sums: RequestSums {
                started: totals.started,
                ended: totals.ended,
                started_nanos: at_reports,
                ended_nanos: totals.request_nanos,
            },
            waiting: latest().map(|one| one.counts.waiting).sum(),
            ..MeterReading::default()
        }
    }

    fn lock(&self) -> MutexGuard<'_, Totals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use ebbtide_core::window::RequestWindow;

    use super::*;

    fn revision() -> RevisionName {
        RevisionName::parse("hello--v1").unwrap()
    }

    fn counts(started: u64, ended: u64, request_seconds: u64) -> Counts {
        Counts {
            started,
            ended,
            request_nanos: Timestamp::from_secs(request_seconds).as_nanos(),
            waiting: 0,
            ready: 1,
        }
    }

    fn take_in(meter: &ReportedMeter, run: u64, counts: Counts, second: u64) {
        let at = Timestamp::from_secs(second);
        meter.take_in(run, &revision(), counts, false, at);
    }

    fn sums(meter: &ReportedMeter) -> (u64, u64, u64) {
        let sums = meter.read().sums;
        (sums.started, sums.ended, sums.in_flight())
    }

    #[test]
    fn what_was_counted_before_the_first_report_is_past_unless_it_is_in_flight() {
        let meter = ReportedMeter::default();
        take_in(&meter, 1, counts(1000, 997, 5000), 1);
        assert_eq!(sums(&meter), (3, 0, 3));
        take_in(&meter, 1, counts(1010, 1000, 5004), 2);
        assert_eq!(sums(&meter), (13, 3, 10));
    }

    #[test]
    fn what_a_run_counts_from_zero_counts_in_full() {
        let meter = ReportedMeter::default();
        let at = Timestamp::from_secs(1);
        meter.take_in(1, &revision(), counts(5, 5, 1), true, at);
        assert_eq!(sums(&meter), (5, 5, 0));
    }

    #[test]
    fn runs_add_up_and_one_that_is_forgotten_leaves_nothing_in_flight() {
        let meter = ReportedMeter::default();
        take_in(&meter, 1, counts(2, 0, 0), 1);
        take_in(&meter, 2, counts(3, 0, 0), 1);
        assert_eq!(sums(&meter), (5, 0, 5));
        meter.forget(1, &revision());
        assert_eq!(sums(&meter), (5, 2, 3));
        take_in(&meter, 2, counts(3, 3, 6), 3);
        assert_eq!(sums(&meter), (5, 5, 0));
    }

    #[test]
    fn concurrency_is_exact_over_reports_and_goes_on_between_them() {
        let meter = ReportedMeter::default();
        let mut window = RequestWindow::new(Duration::from_secs(10));
        let mut concurrency = |meter: &ReportedMeter, second: u64| {
            let now = Timestamp::from_secs(second);
            window.observe(now, meter.read().sums);
            window.concurrency(now, Duration::from_secs(10))
        };
        take_in(&meter, 1, counts(4, 0, 100), 10);
        concurrency(&meter, 10);
        // Four in flight all the time, as far as is known between reports …
        assert_eq!(concurrency(&meter, 15), Some(4.0));
        // … but two of them had ended at once.
        take_in(&meter, 1, counts(4, 2, 120), 20);
        assert_eq!(concurrency(&meter, 20), Some(2.0));
    }
}
