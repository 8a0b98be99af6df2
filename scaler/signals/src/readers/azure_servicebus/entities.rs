//! Which entities are read, and what is made of their numbers.

use regex::bytes::{Regex, RegexBuilder};

use super::atom::Kind;
use crate::parameters::Parameters;
use ebbtide_brokers::error::ReadError;

pub(super) const QUEUE: &str = "queueName";
pub(super) const TOPIC: &str = "topicName";
pub(super) const SUBSCRIPTION: &str = "subscriptionName";
/// The most that a compiled expression may take, in bytes.
const LARGEST_PATTERN: usize = 1 << 20;

/// The entities that a rule names.
pub(super) struct Entities {
    /// The topic, if they are its subscriptions and not queues.
    pub(super) topic: Option<String>,
    /// The name of the one, or what the names match.
    pub(super) name: String,
    /// Of all whose name matches, what is made of their numbers.
    pub(super) several: Option<Several>,
}

pub(super) struct Several {
    matching: Regex,
    operation: Operation,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    Sum,
    Max,
    Avg,
}

impl Entities {
    pub(super) fn of(parameters: &Parameters) -> Result<Self, ReadError> {
        let topic = parameters.text(TOPIC).map(str::to_owned);
        let key = if topic.is_some() { SUBSCRIPTION } else { QUEUE };
        let name = parameters.required(key)?.to_owned();
        let several = if parameters.flag("useRegex") {
            Some(Several {
                matching: matching(&name).map_err(|error| ReadError::of(key, error))?,
                operation: match parameters.word("operation").as_deref() {
                    Some("max") => Operation::Max,
                    Some("avg") => Operation::Avg,
                    _ => Operation::Sum,
                },
            })
        } else {
            None
        };
        Ok(Self {
            topic,
            name,
            several,
        })
    }

    /// What they are described by.
    pub(super) fn kind(&self) -> Kind {
        match self.topic {
            Some(_) => Kind::Subscription,
            None => Kind::Queue,
        }
    }

    /// The key that has their name.
    pub(super) fn key(&self) -> &'static str {
        match self.topic {
            Some(_) => SUBSCRIPTION,
            None => QUEUE,
        }
    }
}

impl Several {
    pub(super) fn matches(&self, name: &str) -> bool {
        self.matching.is_match(name.as_bytes())
    }

    /// One number of many, none if there are none. An average is rounded down.
    pub(super) fn combined(&self, counts: &[u32]) -> f64 {
        let sum: u64 = counts.iter().copied().map(u64::from).sum();
        let number = match (self.operation, u64::try_from(counts.len())) {
            (Operation::Max, _) => counts.iter().copied().max().map(u64::from),
            (Operation::Sum, _) => Some(sum),
            (Operation::Avg, Ok(length)) => sum.checked_div(length),
            (Operation::Avg, Err(_)) => None,
        };
        // More than 2^32 messages are as many.
        f64::from(u32::try_from(number.unwrap_or_default()).unwrap_or(u32::MAX))
    }
}

/// An expression that matches only the whole of a name.
fn matching(pattern: &str) -> Result<Regex, String> {
    let compile = |pattern: &str| {
        let mut builder = RegexBuilder::new(pattern);
        // Names are ASCII, and `\d` and `\w` are that for KEDA.
        builder.unicode(false).size_limit(LARGEST_PATTERN).build()
    };
    let whole = format!("^(?:{pattern})$");
    compile(pattern)
        .and_then(|_| compile(&whole))
        .map_err(|error| {
            let error = error.to_string();
            let cause = error.lines().next_back().unwrap_or_default();
            format!("is not a regular expression: {cause}")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_name_matches_whichever_part_is_first() {
        for (pattern, name, expected) in [
            ("orders", "orders", true),
            ("orders", "orders-2", false),
            ("orders", "my-orders", false),
            ("a|ab", "ab", true),
            ("orders-.*", "orders-7", true),
            (r"orders-\d+", "orders-7", true),
            ("(?i)ORDERS", "orders", true),
            ("^orders$", "orders", true),
            ("", "orders", false),
        ] {
            let matched = matching(pattern).unwrap().is_match(name.as_bytes());
            assert_eq!(matched, expected, "{pattern} {name}");
        }
        for (pattern, expected) in [
            ("a)|(b", "error: unopened group"),
            ("(", "error: unclosed group"),
            ("(a{900}){900}", "exceeds"),
        ] {
            let error = matching(pattern).unwrap_err();
            let head = "is not a regular expression: ";
            assert!(
                error.starts_with(head) && error.contains(expected),
                "{error}"
            );
        }
    }

    #[test]
    fn numbers_are_combined_as_keda_does() {
        for (operation, counts, expected) in [
            (Operation::Sum, &[3, 0, 5][..], 8.0),
            (Operation::Max, &[3, 0, 5], 5.0),
            (Operation::Avg, &[3, 0, 5], 2.0),
            (Operation::Avg, &[], 0.0),
            (Operation::Max, &[], 0.0),
            (Operation::Sum, &[], 0.0),
            (Operation::Sum, &[u32::MAX, 1], 4_294_967_295.0),
        ] {
            let matching = matching("").unwrap();
            let several = Several {
                matching,
                operation,
            };
            let combined = several.combined(counts);
            assert_eq!(
                combined.to_bits(),
                f64::to_bits(expected),
                "{operation:?} {counts:?}"
            );
        }
    }
}
