//! When a certificate is ordered for which host.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};

use jiff::{SignedDuration, Timestamp};

use super::reports::OrderReport;

/// Time to the next order after one that failed; it doubles with each that does. Let's Encrypt takes five
/// failures an hour for a host.
const FIRST_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// The longest such time.
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_hours(12);

/// Time for a certificate that was issued to be in force.
const AFTER_SUCCESS: SignedDuration = SignedDuration::from_secs(10);

/// Orders that may follow each other at once.
const BURST: i32 = 20;

/// Time from one order to the next where there are more: Let's Encrypt takes 300 in three hours.
const SPACING: SignedDuration = SignedDuration::from_secs(40);

/// From when to when a certificate is valid.
pub(super) type Validity = (Timestamp, Timestamp);

/// The orders of the past, as far as those to come depend on them.
pub(super) struct Schedule {
    hosts: BTreeMap<String, Past>,
    /// Before then the directory takes no order.
    resumes: Timestamp,
    /// When the last orders would be over had they kept to the spacing.
    spaced: Timestamp,
    /// Says how much earlier than need be each host is renewed, so that those that were issued together
    /// are not renewed together.
    jitter: RandomState,
}

#[derive(Default)]
struct Past {
    report: OrderReport,
    /// Failures since the last success.
    in_a_row: u32,
    next: Timestamp,
}

impl Schedule {
    pub(super) fn new() -> Self {
        Self {
            hosts: BTreeMap::new(),
            resumes: Timestamp::MIN,
            spaced: Timestamp::MIN,
            jitter: RandomState::new(),
        }
    }

    /// Forgets hosts that no certificate is wanted for any more. Returns whether there were some.
    pub(super) fn keep(&mut self, wanted: impl Fn(&str) -> bool) -> bool {
        let before = self.hosts.len();
        self.hosts.retain(|host, _| wanted(host));
        before != self.hosts.len()
    }

    /// Whether the directory takes an order now.
    pub(super) fn may_order(&self, now: Timestamp) -> bool {
        self.resumes <= now && self.spaced <= now + SPACING * BURST
    }

    /// Whether `host` is due, which has a certificate of this validity.
    pub(super) fn is_due(&self, host: &str, held: Option<Validity>, now: Timestamp) -> bool {
        let past = self.hosts.get(host);
        if past.is_some_and(|past| past.next > now) {
            return false;
        }
        held.is_none_or(|held| self.renewed_at(host, held) <= now)
    }

    /// When a third of its time is left, or somewhat before.
    fn renewed_at(&self, host: &str, (not_before, not_after): Validity) -> Timestamp {
        let life = not_after
            .duration_since(not_before)
            .max(SignedDuration::ZERO);
        let third = life / 3;
        let share = i32::try_from(self.jitter.hash_one(host) % 1000).unwrap_or(0);
        not_after - third - third / 10_000 * share
    }

    /// An order begins.
    pub(super) fn begins(&mut self, now: Timestamp) {
        self.spaced = self.spaced.max(now) + SPACING;
    }

    /// The certificate was issued.
    pub(super) fn succeeded(&mut self, host: &str, now: Timestamp) {
        let past = self.hosts.entry(host.to_owned()).or_default();
        past.report.problem = None;
        past.in_a_row = 0;
        past.next = now + AFTER_SUCCESS;
    }

    /// It was not, because of `problem`. Where the directory asked to be left alone for a time, no host is
    /// due before. Returns when this one is.
    pub(super) fn failed(
        &mut self,
        host: &str,
        problem: &str,
        wait: Option<SignedDuration>,
        now: Timestamp,
    ) -> Timestamp {
        if let Some(wait) = wait {
            self.resumes = self.resumes.max(now + wait);
        }
        let past = self.hosts.entry(host.to_owned()).or_default();
        let doubled = FIRST_PAUSE * (1 << past.in_a_row.min(8));
        past.in_a_row = past.in_a_row.saturating_add(1);
        past.next = self.resumes.max(now + doubled.min(LONGEST_PAUSE));
        past.report.failures += 1;
        past.report.problem = Some(format!("{problem}; the next order is at {:.0}", past.next));
        past.next
    }

    /// What is told of each.
    pub(super) fn reports(&self) -> BTreeMap<String, OrderReport> {
        let reports = self.hosts.iter();
        reports
            .map(|(host, past)| (host.clone(), past.report.clone()))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "www.example.com";

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap()
    }

    #[test]
    fn a_certificate_is_renewed_when_a_third_of_its_time_is_left_or_somewhat_before() {
        let schedule = Schedule::new();
        let days = |days: i64| at(days * 24 * 60);
        let held = Some((days(0), days(90)));
        assert!(schedule.is_due(HOST, None, days(0)), "there is none");
        assert!(!schedule.is_due(HOST, held, days(0)));
        assert!(!schedule.is_due(HOST, held, days(56)));
        assert!(schedule.is_due(HOST, held, days(60)));
        let hosts = (0..20).map(|number| format!("{number}.example.com"));
        let times: std::collections::BTreeSet<_> = hosts
            .map(|host| schedule.renewed_at(&host, (days(0), days(90))))
            .collect();
        assert!(times.len() > 10, "not all at once: {times:?}");
        // One that is valid for minutes.
        let held = Some((at(0), at(6)));
        assert!(!schedule.is_due(HOST, held, at(3)));
        assert!(schedule.is_due(HOST, held, at(4)));
    }

    #[test]
    fn after_a_failure_it_is_left_alone_for_longer_and_longer() {
        let mut schedule = Schedule::new();
        let mut now = at(0);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let next = schedule.failed(HOST, "no", None, now);
            pauses.push(next.duration_since(now).as_mins());
            assert!(!schedule.is_due(HOST, None, next - SignedDuration::from_secs(1)));
            assert!(schedule.is_due(HOST, None, next));
            assert!(schedule.is_due("other", None, now), "others are not");
            now = next;
        }
        assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 320, 640, 720, 720]);
        let report = schedule.reports()[HOST].clone();
        assert_eq!(report.failures, 10);
        assert!(report.problem.is_some_and(|text| text.starts_with("no; ")));
        schedule.succeeded(HOST, now);
        assert_eq!(schedule.reports()[HOST].problem, None);
        assert!(!schedule.is_due(HOST, None, now), "it comes into force");
        let next = schedule.failed(HOST, "no", None, now);
        assert_eq!(next.duration_since(now).as_mins(), 5);
        assert!(schedule.keep(|host| host != HOST));
        assert!(schedule.reports().is_empty());
    }

    #[test]
    fn a_directory_that_asks_for_time_gets_it_for_all_hosts() {
        let mut schedule = Schedule::new();
        let wait = Some(SignedDuration::from_mins(90));
        assert_eq!(schedule.failed(HOST, "many", wait, at(0)), at(90));
        assert!(!schedule.may_order(at(89)));
        assert!(schedule.may_order(at(90)));
    }

    #[test]
    fn many_orders_keep_a_distance() {
        let mut schedule = Schedule::new();
        let mut begun = 0;
        while schedule.may_order(at(0)) {
            schedule.begins(at(0));
            begun += 1;
        }
        assert_eq!(begun, BURST + 1);
        assert!(schedule.may_order(at(1)));
        schedule.begins(at(1));
        assert!(!schedule.may_order(at(1)));
    }
}
