//! What was decided and measured, kept for a while: the journal of an app and the past of a
//! revision.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::histogram::DurationCounts;
use ebbtide_core::scale::{Decision, LimitKind};
use ebbtide_core::time::Timestamp;

use crate::api::model::{DecisionRecord, HistoryPoint, LimitRecord, RecommendationRecord};

/// Decisions kept for each app.
const DECISIONS: usize = 1000;

/// Seconds of history kept for each revision.
const HISTORY_POINTS: usize = 600;

/// Seconds over which quantiles are shown.
const LATENCY_SECONDS: usize = 10;

/// The decisions of an app, the oldest forgotten first.
#[derive(Default)]
pub(super) struct Journal {
    records: VecDeque<DecisionRecord>,
    sequence: u64,
}

impl Journal {
    /// Keeps a decision made for `app` at the wall clock's `time`.
    pub(super) fn keep(&mut self, app: &str, time: String, decision: &Decision) -> DecisionRecord {
        self.sequence += 1;
        if self.records.len() == DECISIONS {
            self.records.pop_front();
        }
        let record = record_of(self.sequence, app, time, decision);
        self.records.push_back(record.clone());
        record
    }

    /// The newest records, newest first.
    pub(super) fn newest(&self, limit: usize) -> Vec<DecisionRecord> {
        self.records.iter().rev().take(limit).cloned().collect()
    }
}

/// Whether a decision is worth keeping beside the one before: it changes the number, or what holds
/// the number is not what held it before.
pub(super) fn is_news(decision: &Decision, before: Option<&Decision>) -> bool {
    let limits = |decision: &Decision| {
        decision
            .limits
            .iter()
            .map(|limit| limit.kind)
            .collect::<Vec<_>>()
    };
    decision.changed() || before.is_none_or(|before| limits(before) != limits(decision))
}

/// A limit's name in the status API.
pub(super) fn limit_name(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::Min => "min",
        LimitKind::Max => "max",
        LimitKind::Step => "step",
        LimitKind::Stabilization => "stabilization",
        LimitKind::Cooldown => "cooldown",
        LimitKind::Activity => "activity",
        LimitKind::Unknown => "unknown",
        LimitKind::Takeover => "takeover",
    }
}

/// A decision as a record.
pub(super) fn record_of(
    sequence: u64,
    app: &str,
    time: String,
    decision: &Decision,
) -> DecisionRecord {
    let recommendations = decision
        .recommendations
        .iter()
        .map(|one| RecommendationRecord {
            rule: one.rule.clone(),
            scaler: one.scaler.clone(),
            value: one.value,
            target: one.target,
            replicas: one.replicas,
            because: one.because.clone(),
        });
    let limits = decision.limits.iter().map(|limit| LimitRecord {
        kind: limit_name(limit.kind).to_owned(),
        from: limit.from,
        to: limit.to,
        because: limit.because.clone(),
    });
    DecisionRecord {
        sequence,
        time,
        app: app.to_owned(),
        revision: decision.revision.to_string(),
        from: decision.from,
        to: decision.to,
        sentence: decision.sentence(),
        recommendations: recommendations.collect(),
        limits: limits.collect(),
    }
}

/// The past of a revision: a point a second, and the latencies of the last seconds.
#[derive(Default)]
pub(super) struct History {
    points: VecDeque<HistoryPoint>,
    readings: VecDeque<SecondReading>,
}

/// The counters of a revision at the turn of a second.
struct SecondReading {
    at: Timestamp,
    ended: u64,
    /// The same in all seconds without a request: revisions that nobody asks are many, and these are large.
    durations: Arc<DurationCounts>,
}

/// What the last seconds were like.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Recent {
    /// Requests finished per second, over the last second.
    pub(super) requests_per_second: f64,
    /// Median time to answer over the last ten seconds.
    pub p50: Option<Duration>,
    /// 99th percentile of it.
    pub p99: Option<Duration>,
}

impl History {
    /// Takes in the counters at the turn of a second.
    pub(super) fn observe(&mut self, at: Timestamp, ended: u64, durations: DurationCounts) {
        if self.readings.len() > LATENCY_SECONDS {
            self.readings.pop_front();
        }
        let before = self.readings.back().map(|before| &before.durations);
        let same = before.filter(|before| ***before == durations);
        let durations = same.map_or_else(|| Arc::new(durations), Arc::clone);
        self.readings.push_back(SecondReading {
            at,
            ended,
            durations,
        });
    }

    /// What the last seconds were like.
    pub(super) fn recent(&self) -> Recent {
        let (Some(first), Some(last)) = (self.readings.front(), self.readings.back()) else {
            return Recent::default();
        };
        let before = self.readings.iter().rev().nth(1).unwrap_or(last);
        let seconds = last.at.since(before.at).as_secs_f64();
        let finished = last.ended.saturating_sub(before.ended);
        #[expect(
            clippy::cast_precision_loss,
            reason = "requests in a second stay below 2^53"
        )]
        let requests_per_second = if seconds > 0.0 {
            finished as f64 / seconds
        } else {
            0.0
        };
        let durations = last.durations.since(&first.durations);
        Recent {
            requests_per_second,
            p50: durations.quantile(0.5),
            p99: durations.quantile(0.99),
        }
    }

    /// Keeps a point, forgetting the oldest.
    pub(super) fn keep(&mut self, point: HistoryPoint) {
        if self.points.len() == HISTORY_POINTS {
            self.points.pop_front();
        }
        self.points.push_back(point);
    }

    /// Forgets the oldest point where no new one is worth keeping.
    pub(super) fn fade(&mut self) {
        self.points.pop_front();
        if self.points.is_empty() {
            self.points.shrink_to_fit();
        }
    }

    /// The points, oldest first.
    pub(super) fn points(&self) -> Vec<HistoryPoint> {
        self.points.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use ebbtide_core::name::RevisionName;
    use ebbtide_core::scale::Limit;

    use super::*;
    use crate::api::model::ReplicaCounts;

    fn decision(from: u32, to: u32, limits: &[LimitKind]) -> Decision {
        let limit = |kind: &LimitKind| Limit {
            kind: *kind,
            from,
            to,
            because: "because".to_owned(),
        };
        Decision {
            revision: RevisionName::parse("hello--v1").unwrap(),
            at: Timestamp::ORIGIN,
            from,
            to,
            recommendations: Vec::new(),
            limits: limits.iter().map(limit).collect(),
        }
    }

    #[test]
    fn the_journal_keeps_the_newest_and_numbers_all() {
        let mut journal = Journal::default();
        for to in 0..1005 {
            journal.keep("hello", String::new(), &decision(0, to, &[]));
        }
        let sequences = |limit| {
            let newest = journal.newest(limit).into_iter();
            newest.map(|one| one.sequence).collect::<Vec<_>>()
        };
        assert_eq!(sequences(2), [1005, 1004]);
        let all = sequences(usize::MAX);
        assert_eq!((all.len(), all.last()), (1000, Some(&6)));
    }

    #[test]
    fn news_is_another_number_or_something_else_that_holds_it() {
        use LimitKind::{Cooldown, Stabilization};
        let held = decision(3, 3, &[Stabilization]);
        let cases = [
            (decision(3, 3, &[Stabilization]), Some(&held), false),
            (decision(3, 3, &[Cooldown]), Some(&held), true),
            (decision(3, 3, &[]), Some(&held), true),
            (decision(3, 4, &[Stabilization]), Some(&held), true),
            (decision(0, 0, &[]), None, true),
        ];
        for (decision, before, expected) in cases {
            assert_eq!(is_news(&decision, before), expected, "{decision:?}");
        }
    }

    #[test]
    fn the_last_second_and_the_last_ten_are_told_apart() {
        let mut history = History::default();
        assert_eq!(history.recent().requests_per_second.to_string(), "0");
        let mut durations = DurationCounts::default();
        for second in 0..30_u64 {
            let slow = Duration::from_secs(if second < 15 { 5 } else { 1 });
            (0..10).for_each(|_| durations.record(slow));
            let at = Timestamp::from_secs(second * 2);
            history.observe(at, second * 10, durations.clone());
        }
        let recent = history.recent();
        assert_eq!(
            recent.requests_per_second.to_string(),
            "5",
            "ten in two seconds"
        );
        let slowest = recent.p99.unwrap();
        assert!(
            slowest < Duration::from_secs(2),
            "{slowest:?} is of long ago"
        );
    }

    #[test]
    fn seconds_without_a_request_take_no_more_room() {
        let mut history = History::default();
        let mut durations = DurationCounts::default();
        durations.record(Duration::from_secs(1));
        for second in 0..20 {
            history.observe(Timestamp::from_secs(second), 1, durations.clone());
        }
        let first = &history.readings[0].durations;
        let mut all = history.readings.iter();
        assert!(all.all(|one| Arc::ptr_eq(&one.durations, first)));
    }

    #[test]
    fn history_is_bounded() {
        let mut history = History::default();
        for second in 0..700 {
            history.keep(HistoryPoint {
                time_milliseconds: second,
                metric_value: None,
                metric_ratio: None,
                metric_rule: None,
                replicas: ReplicaCounts::default(),
                waiting_requests: 0,
                in_flight_requests: 0,
                requests_per_second: 0.0,
                p50_milliseconds: None,
                p99_milliseconds: None,
            });
        }
        let points = history.points();
        assert_eq!((points.len(), points[0].time_milliseconds), (600, 100));
        (0..600).for_each(|_| history.fade());
        assert_eq!((history.points().len(), history.points.capacity()), (0, 0));
    }
}
