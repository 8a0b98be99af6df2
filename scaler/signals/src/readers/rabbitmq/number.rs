//! Which number of a queue is read.

use super::counts::Counts;
use crate::amount::{Amount, Flow};
use crate::parameters::Parameters;

/// What a rule scales by.
#[derive(Debug)]
pub(super) struct Number {
    pub(super) mode: Mode,
    /// Whether unacknowledged messages are none.
    only_ready: bool,
    /// From above this value on the rule wakes its revision.
    activation: f64,
}

/// KEDA's modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    QueueLength,
    MessageRate,
    DeliverGetRate,
    PublishedToDeliveredRatio,
    ExpectedQueueConsumptionTime,
}

impl Number {
    pub(super) fn of(parameters: &Parameters) -> Self {
        let mode = match parameters.word("mode").as_deref() {
            Some("messagerate") => Mode::MessageRate,
            Some("delivergetrate") => Mode::DeliverGetRate,
            Some("publishedtodeliveredratio") => Mode::PublishedToDeliveredRatio,
            Some("expectedqueueconsumptiontime") => Mode::ExpectedQueueConsumptionTime,
            _ => Mode::QueueLength,
        };
        Self {
            mode,
            only_ready: parameters.flag("excludeUnacknowledged"),
            activation: parameters.number("activationValue").unwrap_or_default(),
        }
    }

    /// It, of what was counted.
    pub(super) fn amount(&self, counts: &Counts) -> Amount {
        let messages = if self.only_ready {
            counts.ready
        } else {
            counts.messages
        };
        let (published, delivered) = (counts.published, counts.delivered);
        let amount = match self.mode {
            Mode::QueueLength => {
                let flow = |rate: Option<f64>| rate.map(Flow::PerSecond);
                Amount {
                    arrivals: flow(counts.arrivals),
                    completions: flow(counts.completions),
                    ..Amount::from(messages)
                }
            }
            Mode::MessageRate => Amount {
                activity: Some(published.max(messages)),
                ..Amount::from(published)
            },
            Mode::DeliverGetRate => Amount::from(delivered),
            Mode::PublishedToDeliveredRatio if delivered > 0.0 => {
                Amount::from(published / delivered)
            }
            Mode::PublishedToDeliveredRatio => self.undelivered(published > 0.0),
            Mode::ExpectedQueueConsumptionTime if delivered > 0.0 => {
                let seconds = (published - delivered) / delivered + messages / delivered;
                Amount::from(seconds.max(0.0))
            }
            Mode::ExpectedQueueConsumptionTime => {
                self.undelivered(messages > 0.0 || published > 0.0)
            }
        };
        Amount {
            in_process: counts.unacknowledged,
            ..amount
        }
    }

    /// While there is something and none of it is delivered there is nothing to divide by: KEDA reads
    /// the activation value then, and is active.
    fn undelivered(&self, is_there: bool) -> Amount {
        if !is_there {
            return Amount::from(0.0);
        }
        Amount {
            activity: Some(self.activation + 1.0),
            ..Amount::from(self.activation)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages, those of them that wait, and the rates at which they are published and delivered.
    fn counts([messages, ready, published, delivered]: [f64; 4]) -> Counts {
        Counts {
            messages,
            ready,
            unacknowledged: Some(messages - ready),
            published,
            delivered,
            arrivals: Some(published),
            completions: Some(delivered),
        }
    }

    #[test]
    fn each_mode_has_its_number() {
        use Mode::{DeliverGetRate, ExpectedQueueConsumptionTime as Time, MessageRate};
        use Mode::{PublishedToDeliveredRatio as Ratio, QueueLength};
        for (mode, counted, value, activity) in [
            (QueueLength, [8.0, 5.0, 2.0, 1.0], 8.0, None),
            (MessageRate, [8.0, 5.0, 2.0, 1.0], 2.0, Some(8.0)),
            (MessageRate, [1.0, 1.0, 2.0, 1.0], 2.0, Some(2.0)),
            (DeliverGetRate, [8.0, 5.0, 2.0, 1.5], 1.5, None),
            (Ratio, [8.0, 5.0, 3.0, 2.0], 1.5, None),
            (Ratio, [8.0, 5.0, 0.0, 2.0], 0.0, None),
            (Ratio, [8.0, 5.0, 0.0, 0.0], 0.0, None),
            (Ratio, [8.0, 5.0, 3.0, 0.0], 4.0, Some(5.0)),
            (Time, [8.0, 5.0, 3.0, 2.0], 4.5, None),
            (Time, [0.0, 0.0, 1.0, 2.0], 0.0, None),
            (Time, [8.0, 5.0, 0.0, 0.0], 4.0, Some(5.0)),
            (Time, [0.0, 0.0, 1.0, 0.0], 4.0, Some(5.0)),
            (Time, [0.0, 0.0, 0.0, 0.0], 0.0, None),
        ] {
            let number = Number {
                mode,
                only_ready: false,
                activation: 4.0,
            };
            let amount = number.amount(&counts(counted));
            let flow = |rate: f64| (mode == QueueLength).then_some(Flow::PerSecond(rate));
            let expected = Amount {
                value,
                activity,
                in_process: Some(counted[0] - counted[1]),
                arrivals: flow(counted[2]),
                completions: flow(counted[3]),
            };
            assert_eq!(amount, expected, "{mode:?} {counted:?}");
        }
    }

    #[test]
    fn messages_that_are_unacknowledged_can_be_left_out() {
        let number = Number {
            mode: Mode::QueueLength,
            only_ready: true,
            activation: 0.0,
        };
        let expected = Amount {
            value: 5.0,
            activity: None,
            in_process: Some(3.0),
            arrivals: Some(Flow::PerSecond(2.0)),
            completions: Some(Flow::PerSecond(1.0)),
        };
        assert_eq!(number.amount(&counts([8.0, 5.0, 2.0, 1.0])), expected);
    }
}
