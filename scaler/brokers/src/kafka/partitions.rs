//! What brokers say of partitions, once it is certain that nothing is wrong.

use std::collections::BTreeMap;

use super::answers::Topics;
use super::{Address, Named, Partitions, TOPIC};
use crate::error::ReadError;

/// There is no such topic, or none yet.
pub(super) const NO_TOPIC: i16 = 3;
/// A partition has no leader, or none yet.
pub(super) const NO_LEADER: i16 = 5;
/// Another broker leads a partition.
pub(super) const OTHER_LEADER: i16 = 6;

/// Which broker leads each partition of these topics.
pub(super) fn leaders(found: &Topics, topics: &[String]) -> Result<Partitions<Address>, ReadError> {
    let mut all = BTreeMap::new();
    for topic in topics {
        let partitions = match found.topics.get(topic) {
            Some(Ok(partitions)) => partitions,
            Some(Err(error)) => return Err(refused(TOPIC, topic, *error)),
            None => return Err(ReadError::of(TOPIC, format!("nothing is known of {topic}"))),
        };
        let mut of_topic = BTreeMap::new();
        for (partition, leader) in partitions {
            let address = found.brokers.get(leader).ok_or_else(|| {
                let message = format!("partition {partition} of {topic} has no leader");
                ReadError::of(TOPIC, message)
            })?;
            of_topic.insert(*partition, address.clone());
        }
        all.insert(topic.clone(), of_topic);
    }
    Ok(all)
}

/// The same of topics that brokers were to make if there were none.
pub(super) fn leaders_of_made(
    found: &Topics,
    topics: &[String],
) -> Result<Partitions<Address>, ReadError> {
    for topic in topics {
        if found.topics.get(topic) == Some(&Err(NO_TOPIC)) {
            let message = format!(
                "there is no topic {topic}, and the brokers do not make it themselves \
                 (auto.create.topics.enable): make it"
            );
            return Err(ReadError::of(TOPIC, message));
        }
    }
    leaders(found, topics)
}

/// Whether a topic may be there soon that brokers were asked to make.
pub(super) fn is_being_made(found: &Topics, topic: &str) -> bool {
    match found.topics.get(topic) {
        Some(Ok(partitions)) => {
            partitions.is_empty() || partitions.values().any(|leader| *leader < 0)
        }
        Some(Err(error)) => [NO_TOPIC, NO_LEADER].contains(error),
        None => false,
    }
}

/// Partitions that all have the same number.
pub(super) fn all_with(partitions: &Named, number: i64) -> Partitions<i64> {
    let topics = partitions.iter().map(|(topic, partitions)| {
        let partitions = partitions.iter().map(|partition| (*partition, number));
        (topic.clone(), partitions.collect())
    });
    topics.collect()
}

/// Numbers of which all are fine.
pub(super) fn fine<T>(
    key: &'static str,
    name: &str,
    partitions: Partitions<Result<T, i16>>,
) -> Result<Partitions<T>, ReadError> {
    let topics = partitions.into_iter().map(|(topic, partitions)| {
        let partitions = partitions.into_iter();
        let checked: Result<_, ReadError> = partitions
            .map(|(partition, value)| {
                let value = value.map_err(|error| refused(key, name, error))?;
                Ok((partition, value))
            })
            .collect();
        Ok((topic, checked?))
    });
    topics.collect()
}

/// Whether an error of a group's broker passes by itself.
pub(super) fn is_passing(error: i16) -> bool {
    (14..=16).contains(&error)
}

/// What a broker's number for an error means.
pub(super) fn refused(key: &'static str, name: &str, error: i16) -> ReadError {
    let message = match error {
        NO_TOPIC => format!("there is no topic {name}"),
        NO_LEADER | OTHER_LEADER => format!("the leader of a partition changes, says {name}"),
        error if is_passing(error) => format!("the broker of the group {name} is not ready"),
        17 => format!("{name} is no name of a topic"),
        23 => format!(
            "the group {name} has members of another kind, or one that does not assign by range"
        ),
        24 => format!("{name} is no name of a group"),
        26 => format!("the session timeout of the group {name} is not one that the broker takes"),
        29 | 30 => format!("the user may not read {name}"),
        81 => format!("the group {name} has as many members as it may have"),
        _ => format!("the broker answers with the error {error} for {name}"),
    };
    ReadError::of(key, message)
}
