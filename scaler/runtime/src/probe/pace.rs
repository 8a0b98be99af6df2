//! How often a container that starts is tried.
//!
//! The documented period is for counting failures. Waiting that long for a success would keep held
//! requests waiting, so successes are looked for much more often while the process is young.

use std::time::Duration;

use ebbtide_core::document::Probe;

use super::ProbeError;

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The pause after a refused connection, which costs next to nothing, by the age of the process.
const REFUSED: [(Duration, Duration); 2] = [(ms(250), ms(1)), (ms(10_000), ms(2))];
const REFUSED_LATER: Duration = ms(50);
/// The pause after an answer that is no success, by the time since the first such answer. This
/// makes the container work, so it soon gets rarer.
const ANSWERED: [(Duration, Duration); 2] = [(ms(1_000), ms(5)), (ms(10_000), ms(50))];

/// Remembers when the port first answered.
#[derive(Debug, Default)]
pub(super) struct Pace {
    answered_at: Option<Duration>,
}

impl Pace {
    /// The pause after a try that failed with `error` when the process was `age` old.
    pub(super) fn after(
        &mut self,
        error: &ProbeError,
        age: Duration,
        period: Duration,
    ) -> Duration {
        if error.is_refused() {
            return pause(&REFUSED, age, REFUSED_LATER).min(period);
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
        let mut pace = Pace::default();
        let mut after = |error: &ProbeError, age| pace.after(error, ms(age), period).as_millis();
        assert_eq!(after(&refused, 0), 1);
        assert_eq!(after(&refused, 250), 2);
        assert_eq!(after(&refused, 9_999), 2);
        assert_eq!(after(&refused, 10_000), 50);
        assert_eq!(after(&answer, 20_000), 5);
        assert_eq!(after(&answer, 21_000), 50);
        assert_eq!(after(&refused, 21_000), 50);
        assert_eq!(after(&answer, 30_000), 10_000);
    }
}
