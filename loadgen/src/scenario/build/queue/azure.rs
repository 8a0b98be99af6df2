//! Queues of Azure.

use ebbtide_brokers::azure::{Namespace, QueueService};

use super::super::super::document::{AzureQueueDocument, AzureServicebusDocument};
use super::super::Builder;
use crate::plan::Broker;

/// The shortest and the longest name of a queue of Azure Storage.
const STORAGE_NAME: std::ops::RangeInclusive<usize> = 3..=63;

impl Builder<'_> {
    /// Of a queue of Azure Storage. `path` is the broker's.
    pub(super) fn azure_queue(
        &mut self,
        path: &str,
        of: &AzureQueueDocument,
        completed: &str,
    ) -> Option<Broker> {
        for (key, name) in [("queue", of.queue.as_str()), ("completed", completed)] {
            // That it is empty is said of every broker.
            if !name.is_empty() && !is_storage_name(name) {
                let message = format!(
                    "`{name}` is no name of a queue of Azure Storage: 3 to 63 lowercase letters, digits and single \
                     dashes, which are not at an end"
                );
                self.problems.add(format!("{path}.{key}"), message);
            }
        }
        let field = format!("{path}.connection");
        let check = |text: &str| in_words(QueueService::from_connection(text));
        Some(Broker::AzureQueue {
            connection: self.connection(&field, &of.connection, check)?,
            queue: of.queue.clone(),
        })
    }

    /// Of a queue or topic of Azure Service Bus. `path` is the broker's.
    pub(super) fn azure_servicebus(
        &mut self,
        path: &str,
        of: &AzureServicebusDocument,
    ) -> Option<Broker> {
        if of.queue.is_some() && of.topic.is_some() {
            let message = "there is a `queue` too: messages are sent to one of the two";
            self.problems.add(format!("{path}.topic"), message);
        }
        let field = format!("{path}.connection");
        let check = |text: &str| in_words(Namespace::from_connection(text));
        Some(Broker::AzureServicebus {
            connection: self.connection(&field, &of.connection, check)?,
            entity: of.entity().1.to_owned(),
        })
    }
}

/// What is wrong with a connection string, as a sentence.
fn in_words<T>(read: Result<T, String>) -> Result<(), String> {
    read.map(drop).map_err(|why| format!("it {why}"))
}

fn is_storage_name(name: &str) -> bool {
    let is_possible = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    STORAGE_NAME.contains(&name.len())
        && name.chars().all(is_possible)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_queues_are_those_of_azure_storage() {
        for name in ["abc", "orders-completed", "0-1", &"a".repeat(63)] {
            assert!(is_storage_name(name), "{name}");
        }
        for name in [
            "ab",
            "Orders",
            "a_b",
            "a--b",
            "-ab",
            "ab-",
            "a.b",
            "örders",
            "a b",
            &"a".repeat(64),
        ] {
            assert!(!is_storage_name(name), "{name}");
        }
    }
}
