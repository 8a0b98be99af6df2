//! The gaps of a process whose rate is 1.

use serde::{Deserialize, Serialize};

use super::random::Random;

/// The highest rate there can be: one request each nanosecond, the unit of the schedule.
pub const MAX_RATE: f64 = 1e9;

/// What the burstiness of gamma distributed gaps may be.
pub const BURSTINESS: std::ops::RangeInclusive<f64> = 0.001..=1000.0;

/// How the gaps between the requests of a schedule are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum Arrival {
    /// Evenly spaced, the first at once.
    Constant,
    /// Independent of each other, as from many users who know nothing of one another: the gaps are
    /// exponentially distributed and the number in any interval is Poisson distributed.
    #[default]
    Poisson,
    /// Independent gaps that are gamma distributed: many short ones and few long ones, if the
    /// burstiness is above 1. The process has been going on before the schedule begins.
    Gamma {
        /// The variance of the gaps over the square of their mean: 1 is Poisson, less is more
        /// regular, more comes in bursts. It is also the variance over the mean of the number of
        /// requests in a long interval. From 0.001 to 1000.
        burstiness: f64,
    },
}

/// A process that no schedule can be made of.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum ArrivalError {
    /// The rate that was asked for, in requests per second, is none that a schedule can have.
    #[error("the rate {0} is not possible: it is requests per second, above 0 and at most 1e9")]
    Rate(f64),
    /// The burstiness that was asked for is none that gaps can have.
    #[error("the burstiness {0} is not possible: it is from 0.001 to 1000, and 1 is Poisson")]
    Burstiness(f64),
}

impl Arrival {
    pub(super) fn check(self) -> Result<(), ArrivalError> {
        match self {
            Self::Gamma { burstiness } if !BURSTINESS.contains(&burstiness) => {
                Err(ArrivalError::Burstiness(burstiness))
            }
            _ => Ok(()),
        }
    }
}

/// An endless source of gaps with mean 1.
#[derive(Clone, Debug)]
pub(super) struct Gaps {
    arrival: Arrival,
    random: Random,
    first: bool,
}

impl Gaps {
    pub(super) fn new(arrival: Arrival, seed: u64) -> Self {
        Self {
            arrival,
            random: Random::new(seed),
            first: true,
        }
    }

    /// The next gap; the first is the time to the first request.
    pub(super) fn next(&mut self) -> f64 {
        let first = std::mem::take(&mut self.first);
        match self.arrival {
            Arrival::Constant => f64::from(u8::from(!first)),
            Arrival::Poisson => self.random.exponential(),
            Arrival::Gamma { burstiness } if first => {
                // The gap that the start falls into is likelier to be a long one: a share of a
                // gap by its length, which for a gamma distribution has a shape greater by one.
                // So the expected number of requests is exact from the start on (Cox, "Renewal
                // Theory", 1962, chapter 5).
                let gap = self.random.gamma(1.0 / burstiness + 1.0) * burstiness;
                gap * self.random.uniform()
            }
            Arrival::Gamma { burstiness } => self.random.gamma(1.0 / burstiness) * burstiness,
        }
    }
}
