//! What a server says of a queue, or of several.

use serde::Deserialize;

use crate::parameters::Parameters;

/// The counts of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Counts {
    /// All messages that are known of.
    pub(super) messages: f64,
    /// Those that wait.
    pub(super) ready: f64,
    /// Those that somebody has and did not acknowledge, if that is known.
    pub(super) unacknowledged: Option<f64>,
    /// Messages that are published in a second.
    pub(super) published: f64,
    /// Messages that are delivered in a second, again or not.
    pub(super) delivered: f64,
    /// What `messages` grows by in a second, if it is the messages of one queue or of all.
    pub(super) arrivals: Option<f64>,
    /// What it shrinks by: acknowledged, or delivered without a need of it.
    pub(super) completions: Option<f64>,
}

/// A queue as the management plugin describes it. What is not known is not there.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Queue {
    messages: Option<f64>,
    messages_ready: Option<f64>,
    messages_unacknowledged: Option<f64>,
    message_stats: Stats,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Stats {
    #[serde(rename = "publish_details")]
    publish: Details,
    #[serde(rename = "deliver_get_details")]
    deliver_get: Details,
    #[serde(rename = "ack_details")]
    ack: Details,
    #[serde(rename = "deliver_no_ack_details")]
    deliver_no_ack: Details,
    #[serde(rename = "get_no_ack_details")]
    get_no_ack: Details,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Details {
    rate: f64,
}

/// The fields of a [`Queue`], so that no more is sent.
pub(super) const COLUMNS: &str = "messages,messages_ready,messages_unacknowledged,\
    message_stats.publish_details.rate,message_stats.deliver_get_details.rate,\
    message_stats.ack_details.rate,message_stats.deliver_no_ack_details.rate,\
    message_stats.get_no_ack_details.rate";

/// What is made of the numbers of several queues.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operation {
    Sum,
    Max,
    Avg,
}

impl Queue {
    /// Its counts; none while the server has not counted yet.
    ///
    /// # Errors
    /// A count that is less than nothing.
    pub(super) fn counts(&self) -> Result<Option<Counts>, String> {
        let (Some(messages), Some(ready)) = (self.messages, self.messages_ready) else {
            return Ok(None);
        };
        let stats = &self.message_stats;
        let arrivals = stats.publish.rate;
        let completions = stats.ack.rate + stats.deliver_no_ack.rate + stats.get_no_ack.rate;
        let delivered = stats.deliver_get.rate;
        let unacknowledged = self.messages_unacknowledged;
        let all = [messages, ready, unacknowledged.unwrap_or_default()];
        let rates = [arrivals, delivered, completions];
        let negative = |number: &&f64| **number < 0.0;
        if let Some(number) = all.iter().chain(&rates).find(negative) {
            return Err(format!("the server answered {number}, which is no count"));
        }
        Ok(Some(Counts {
            messages,
            ready,
            unacknowledged,
            published: arrivals,
            delivered,
            arrivals: Some(arrivals),
            completions: Some(completions),
        }))
    }
}

impl Operation {
    pub(super) fn of(parameters: &Parameters) -> Self {
        match parameters.word("operation").as_deref() {
            Some("max") => Self::Max,
            Some("avg") => Self::Avg,
            _ => Self::Sum,
        }
    }

    /// The counts of several queues as those of one. Those that are in process are of all of them: as
    /// long as there are any, somebody works.
    pub(super) fn combined(self, queues: &[Counts]) -> Counts {
        let sum = |number: fn(&Counts) -> f64| queues.iter().map(number).sum::<f64>();
        let sum_of_known = |number: fn(&Counts) -> Option<f64>| queues.iter().map(number).sum();
        let unacknowledged = sum_of_known(|queue| queue.unacknowledged);
        let number = |number: fn(&Counts) -> f64| match self {
            Self::Sum => sum(number),
            Self::Max => queues.iter().map(number).fold(0.0, f64::max),
            Self::Avg => u32::try_from(queues.len())
                .ok()
                .filter(|length| *length > 0)
                .map_or(0.0, |length| sum(number) / f64::from(length)),
        };
        let is_sum = matches!(self, Self::Sum);
        Counts {
            // KEDA's average of messages is a whole number.
            messages: number(|queue| queue.messages).floor(),
            ready: number(|queue| queue.ready).floor(),
            unacknowledged,
            published: number(|queue| queue.published),
            delivered: number(|queue| queue.delivered),
            arrivals: sum_of_known(|queue| queue.arrivals).filter(|_| is_sum),
            completions: sum_of_known(|queue| queue.completions).filter(|_| is_sum),
        }
    }
}

#[cfg(test)]
mod tests;
