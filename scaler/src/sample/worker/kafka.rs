//! A consumer of all partitions of a topic of Kafka. It commits for its group without being a member,
//! so that there can be no more than one of it.

use std::time::Duration;

use anyhow::Context as _;
use ebbtide_signals::Connect;
use ebbtide_signals::kafka::{
    Address, Batch, Cluster, Login, Mechanism, Partitions, Settings, Start,
};
use tokio::time::sleep;

use super::{Work, variable};
use crate::cli::arguments::KafkaWorker;

const SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";
const SASL: &str = "KAFKA_SASL";
/// How long a broker waits for records; so long may the end take too.
const PATIENCE: Duration = Duration::from_millis(500);

/// Takes records until `work` is over.
pub(super) async fn run(of: &KafkaWorker, mut work: Work) -> anyhow::Result<()> {
    let servers = variable(SERVERS)?;
    let servers: Result<_, _> = servers
        .split(',')
        .map(|one| Address::parse(one.trim()))
        .collect();
    let settings = Settings::new(servers.context(SERVERS)?, login()?);
    let mut cluster = Cluster::new(Connect::anywhere(), settings);
    let partitions = cluster.find(std::slice::from_ref(&of.topic)).await?;
    let committed = cluster.committed(&of.group, Some(&partitions)).await?;
    let earliest = cluster.offsets(&partitions, Start::Earliest).await?;
    let mut positions = positions(&committed, earliest);
    while !work.is_over() {
        for (topic, partitions) in cluster.fetch(&positions, PATIENCE).await? {
            for (partition, batches) in partitions {
                let place = positions
                    .get_mut(&topic)
                    .and_then(|all| all.get_mut(&partition));
                let position = place.context("records came that nobody asked for")?;
                for offset in left(&batches, *position) {
                    if work.is_over() {
                        return Ok(());
                    }
                    if offset.is_record {
                        sleep(work.time).await;
                    }
                    *position = offset.offset + 1;
                    let done = [(topic.clone(), [(partition, *position)].into())];
                    cluster.commit(&of.group, &done.into()).await?;
                    if offset.is_record {
                        Work::done(&format!("{partition}:{}", offset.offset));
                    }
                }
            }
        }
    }
    Ok(())
}

fn login() -> anyhow::Result<Option<Login>> {
    let Some(name) = variable(SASL).ok().filter(|name| name != "none") else {
        return Ok(None);
    };
    let mechanism = Mechanism::named(&name);
    let mechanism = mechanism.with_context(|| {
        format!("{SASL} is {name:?}, and not none, plaintext, scram_sha256 or scram_sha512")
    })?;
    Ok(Some(Login {
        mechanism,
        user: variable("KAFKA_USERNAME")?,
        password: variable("KAFKA_PASSWORD")?,
    }))
}

/// Where to go on: after what is committed, or with the first record that there is.
fn positions(committed: &Partitions<i64>, mut earliest: Partitions<i64>) -> Partitions<i64> {
    for (topic, partitions) in &mut earliest {
        for (partition, position) in partitions {
            let committed = committed.get(topic).and_then(|all| all.get(partition));
            *position = committed.map_or(*position, |committed| (*committed).max(*position));
        }
    }
    earliest
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Offset {
    offset: i64,
    /// Whether it is one to be worked on, and not the broker's own.
    is_record: bool,
}

/// What of batches has not been done yet; a batch may begin before what was asked for.
fn left(batches: &[Batch], position: i64) -> impl Iterator<Item = Offset> + use<'_> {
    batches.iter().flat_map(move |batch| {
        let is_record = !batch.is_control;
        let offsets = batch.first.max(position)..=batch.last;
        offsets.map(move |offset| Offset { offset, is_record })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partitions(offsets: &[i64]) -> Partitions<i64> {
        let offsets = (0..).zip(offsets.iter().copied()).collect();
        Partitions::from([("orders".to_owned(), offsets)])
    }

    #[test]
    fn it_goes_on_after_what_is_committed() {
        let positions = positions(&partitions(&[7, -1, 2]), partitions(&[0, 3, 5, 4]));
        assert_eq!(positions, partitions(&[7, 3, 5, 4]));
    }

    #[test]
    fn a_batch_may_have_begun_before() {
        let batch = |first, last, is_control| Batch {
            first,
            last,
            is_control,
        };
        let batches = [batch(3, 5, false), batch(6, 6, true)];
        let left: Vec<_> = left(&batches, 4)
            .map(|one| (one.offset, one.is_record))
            .collect();
        assert_eq!(left, [(4, true), (5, true), (6, false)]);
    }
}
