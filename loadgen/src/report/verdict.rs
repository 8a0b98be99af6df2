//! The report in one line.

use super::model::Report;
use super::words::plural;

/// How the run went, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should.
    Good,
    /// Not.
    Bad,
    /// Nothing can be said.
    Invalid,
}

/// The report in one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) tone: Tone,
    pub(crate) word: &'static str,
    pub(crate) because: String,
}

impl Verdict {
    /// A run that lagged is invalid, whatever it found; else its thresholds decide, or without any whether all
    /// requests succeeded.
    pub(crate) fn of(report: &Report) -> Self {
        let verdict = |tone, word, because| Self {
            tone,
            word,
            because,
        };
        if !report.valid {
            return verdict(
                Tone::Invalid,
                "INVALID RUN",
                report.invalid_reasons.join("; "),
            );
        }
        let all = report.thresholds.len();
        let missed = report
            .thresholds
            .iter()
            .filter(|threshold| !threshold.holds)
            .count();
        let total = &report.total;
        match (all, missed) {
            (0, _) if total.failed + total.abandoned > 0 => {
                let because = match (total.failed, total.abandoned) {
                    (0, abandoned) => format!("{} abandoned", plural(abandoned, "request")),
                    (failed, 0) => format!("{} failed", plural(failed, "request")),
                    (failed, abandoned) => {
                        format!(
                            "{} failed, {abandoned} abandoned",
                            plural(failed, "request")
                        )
                    }
                };
                verdict(Tone::Bad, "FAILED", because)
            }
            (0, _) => verdict(Tone::Good, "PASSED", "every request succeeded".to_owned()),
            (1, 0) => verdict(Tone::Good, "PASSED", "the threshold holds".to_owned()),
            (all, 0) => verdict(Tone::Good, "PASSED", format!("all {all} thresholds hold")),
            (all, 1) => verdict(
                Tone::Bad,
                "FAILED",
                format!("1 of {all} thresholds does not hold"),
            ),
            (all, missed) => verdict(
                Tone::Bad,
                "FAILED",
                format!("{missed} of {all} thresholds do not hold"),
            ),
        }
    }
}
