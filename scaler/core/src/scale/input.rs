//! What a decision is made from, read by others: values of rules, requests, replicas.

use super::pods::PodSample;
use crate::time::Timestamp;

/// What was read for a rule.
///
/// The value is in the unit of the rule's [`Metric`](super::Metric): a number of requests,
/// connections or messages, requests per second, percent (`50.0`, not `0.5`), cores or bytes. For
/// cpu and memory it is the average over the ready replicas; while none is ready there is nothing
/// to average, and whatever is given is ignored (`Known` zero is the natural choice).
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// A value.
    Known {
        /// The value. One that is not finite, or is negative, is taken as unknown.
        value: f64,
        /// What else is known of the work that it counts.
        work: Work,
        /// When it was read. One older than [`ScaleSpec::allowed_age`](super::ScaleSpec::allowed_age)
        /// is taken as unknown.
        at: Timestamp,
    },
    /// What each pod uses, for a rule of cpu or memory.
    Pods {
        /// The pods; where there are none, there is nothing to measure.
        pods: Vec<PodSample>,
        /// When they were read; as old as a value may be.
        at: Timestamp,
    },
    /// The value could not be read. That is not the same as zero.
    Unknown {
        /// Why, as the end of a sentence: `connection refused`.
        because: String,
    },
}

impl Reading {
    /// A value of something that is no queue.
    pub fn known(value: f64, at: Timestamp) -> Self {
        let work = Work::default();
        Self::Known { value, work, at }
    }
}

/// What is known of a queue beside its length; nothing is known of what is no queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// What is compared with the activation, if that is not the value.
    pub activity: Option<f64>,
    /// Messages that replicas have taken and not finished: locked, unacknowledged.
    pub in_process: Option<f64>,
    /// Messages that arrive in a second.
    pub arrivals: Option<f64>,
    /// Messages that are finished in a second.
    pub completions: Option<f64>,
}

/// Everything that a decision takes from the world.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The present.
    pub now: Timestamp,
    /// One for each rule, in the rules' order. A missing one is unknown.
    pub readings: &'a [Reading],
    /// Requests in flight on this revision now, those that wait included.
    pub requests: u64,
    /// Requests that started since the last decision, so that short ones are not missed.
    pub requests_since_last: u64,
    /// Replicas that are ready.
    pub ready: u32,
    /// Fewest replicas because the revision takes over from another; 0 if it does not.
    pub takeover: u32,
}
