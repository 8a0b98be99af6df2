//! Where in a description something is, and what its numbers may be.

use std::time::Duration;

use crate::arrival::MAX_RATE;
use crate::duration::Span;

/// The highest coefficient of variation that noise may have.
const MAX_NOISE: f64 = 10.0;

/// The longest duration: ten years, of the longest kind.
const MAX_DURATION: Duration = Duration::from_secs(3653 * 86_400);

/// How often something may change on average, so that a schedule comes to its end.
const MAX_CHANGES: u128 = 1_000_000_000;

/// A description that no schedule can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}")]
pub struct SpecError {
    /// The field, as in `sequence[1].sine.amplitude`.
    pub path: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

/// The path of a field.
#[derive(Clone, Debug)]
pub(super) struct At(String);

impl At {
    pub(super) fn root() -> Self {
        Self(String::new())
    }

    pub(super) fn field(&self, name: &str) -> Self {
        if self.0.is_empty() {
            return Self(name.to_owned());
        }
        Self(format!("{}.{name}", self.0))
    }

    pub(super) fn item(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    pub(super) fn error(&self, problem: &str) -> SpecError {
        SpecError {
            path: self.0.clone(),
            problem: problem.to_owned(),
        }
    }

    /// A rate from 0 to [`MAX_RATE`].
    pub(super) fn rate(&self, name: &str, rate: f64) -> Result<f64, SpecError> {
        self.field(name).own_rate(rate)
    }

    pub(super) fn own_rate(&self, rate: f64) -> Result<f64, SpecError> {
        if (0.0..=MAX_RATE).contains(&rate) {
            return Ok(rate);
        }
        Err(self.error(&format!(
            "the rate {rate} is not possible: it is requests per second, from 0 to 1e9"
        )))
    }

    /// A duration above 0, of at most ten years.
    pub(super) fn duration(&self, name: &str, duration: Span) -> Result<Duration, SpecError> {
        if duration.0.is_zero() {
            return Err(self.field(name).error("it should be longer than 0"));
        }
        if duration.0 > MAX_DURATION {
            return Err(self.field(name).error("it should be at most ten years"));
        }
        Ok(duration.0)
    }

    /// A duration that is a part of `whole`.
    pub(super) fn part(
        &self,
        name: &str,
        part: Span,
        whole: Duration,
    ) -> Result<Duration, SpecError> {
        let part = self.duration(name, part)?;
        if whole.as_nanos() / part.as_nanos() > MAX_CHANGES {
            return Err(self.field(name).error(&format!(
                "{} has it more than a billion times: it should be longer",
                Span(whole)
            )));
        }
        Ok(part)
    }

    /// A factor above 0.
    pub(super) fn factor(&self, name: &str, factor: f64) -> Result<f64, SpecError> {
        if factor > 0.0 && factor <= 1e9 {
            return Ok(factor);
        }
        Err(self.field(name).error(&format!(
            "{factor} is not possible: it is above 0 and at most 1e9"
        )))
    }

    pub(super) fn noise(&self, name: &str, noise: f64) -> Result<f64, SpecError> {
        // Less could not be told from none, and its square is not to be 0.
        if noise == 0.0 || (1e-6..=MAX_NOISE).contains(&noise) {
            return Ok(noise);
        }
        Err(self.field(name).error(&format!(
            "{noise} is not possible: it is the standard deviation of a factor whose mean is 1, \
             from 0.000001 to {MAX_NOISE}, or 0"
        )))
    }
}
