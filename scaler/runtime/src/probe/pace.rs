//! How often a container that starts is tried.
//!
//! The documented period is for counting failures. Waiting that long for a success would keep held
//! requests waiting, so successes are looked for much more often while the process is young.

use std::time::Duration;

use ebbtide_core::document::Probe;

use super::ProbeError;
use super::crowd::Member;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The pause after a refused connection, which costs next to nothing, by the age of the process: a small part of
/// what it has taken already.
const REFUSED: [(Duration, Duration); 3] = [
    (ms(250), Duration::from_micros(250)),
    (ms(1_000), ms(1)),
    (ms(10_000), ms(2)),
];
const REFUSED_LATER: Duration = ms(50);
/// The pause after an answer that is no success, by the time since the first such answer. This
/// makes the container work, so it soon gets rarer.
const ANSWERED: [(Duration, Duration); 2] = [(ms(1_000), ms(5)), (ms(10_000), ms(50))];

/// Remembers when the port first answered.
#[derive(Debug)]
pub(super) struct Pace {
    answered_at: Option<Duration>,
    member: Member,
}

impl Pace {
    /// The pace of one that is waited for beside others.
    pub(super) fn beside(member: Member) -> Self {
        Self {
            answered_at: None,
            member,
        }
    }

    /// The pause after a try that failed with `error` when the process was `age` old.
    pub(super) fn after(
        &mut self,
        error: &ProbeError,
        age: Duration,
        period: Duration,
    ) -> Duration {
        if error.is_refused() {
            let pause = pause(&REFUSED, age, REFUSED_LATER);
            return pause.max(self.member.shortest_pause()).min(period);
        }
        let answered_at = *self.answered_at.get_or_insert(age);
        pause(&ANSWERED, age.saturating_sub(answered_at), period).min(period)
    }
}

fn pause(table: &[(Duration, Duration)], age: Duration, later: Duration) -> Duration {
    let row = table.iter().find(|(until, _)| age < *until);
    row.map_or(later, |(_, pause)| *pause)
}

/// How many tries would have failed by `age` if there had been one after the initial delay and one
/// in each period from then on.
pub(super) fn failures_due(probe: &Probe, age: Duration) -> u128 {
    match age.checked_sub(probe.initial_delay) {
        None => 0,
        Some(since) => 1 + since.as_nanos() / probe.period.as_nanos().max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::crowd::Crowd;
    use crate::probe::plan::tests::tcp_probe;
    use ebbtide_core::document::ProbeKind;

    #[test]
    fn failures_are_counted_by_the_documented_period() {
        let mut probe = tcp_probe(ProbeKind::Startup, 1);
        (probe.initial_delay, probe.period) = (ms(1000), ms(2000));
        let cases = [
            (0, 0),
            (999, 0),
            (1000, 1),
            (2999, 1),
            (3000, 2),
            (21_000, 11),
        ];
        for (age, expected) in cases {
            assert_eq!(failures_due(&probe, ms(age)), expected, "{age}");
        }
        probe.period = Duration::ZERO;
        assert!(failures_due(&probe, ms(2000)) > 1);
    }

    #[test]
    fn pauses_grow_with_age_and_an_answer_starts_a_count_of_its_own() {
        let refused = ProbeError::Io(std::io::ErrorKind::ConnectionRefused.into());
        let answer = ProbeError::Status(503);
        let period = ms(10_000);
        let crowd = Crowd::default();
        let mut pace = Pace::beside(crowd.join());
        let mut after = |error: &ProbeError, age| pace.after(error, ms(age), period).as_micros();
        assert_eq!(after(&refused, 0), 250);
        assert_eq!(after(&refused, 250), 1_000);
        assert_eq!(after(&refused, 9_999), 2_000);
        assert_eq!(after(&refused, 10_000), 50_000);
        assert_eq!(after(&answer, 20_000), 5_000);
        assert_eq!(after(&answer, 21_000), 50_000);
        assert_eq!(after(&refused, 21_000), 50_000);
        assert_eq!(after(&answer, 30_000), 10_000_000);
        let others: Vec<_> = (0..15).map(|_| crowd.join()).collect();
        assert_eq!(after(&refused, 0), 4_000, "16 are waited for");
        drop(others);
    }
}
