//! What a reader reads.

/// A number, and what else was learned with it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Amount {
    /// The number that is compared with the target.
    pub value: f64,
    /// What is compared with the activation, if that is another number.
    pub activity: Option<f64>,
    /// Messages that were taken and are not finished: locked, unacknowledged.
    pub in_process: Option<f64>,
    /// The messages that arrive.
    pub arrivals: Option<Flow>,
    /// The messages that are finished.
    pub completions: Option<Flow>,
}

/// How many messages pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flow {
    /// So many a second, as the server reckons.
    PerSecond(f64),
    /// So many since some time in the past; the difference of two reads tells the rate.
    Total(f64),
}

impl From<f64> for Amount {
    /// A number of which nothing more is known.
    fn from(value: f64) -> Self {
        Self {
            value,
            ..Self::default()
        }
    }
}
