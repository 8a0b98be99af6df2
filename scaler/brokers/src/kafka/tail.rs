//! Reading a topic from its end on, for oneself: there is no group, and nothing is committed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::task::JoinSet;

use super::answers::Batches;
use super::cluster::{Cluster, Start};
use super::{Partitions, Settings};
use crate::connect::Connect;
use crate::error::ReadError;

/// How long a broker waits for records.
const WAIT: Duration = Duration::from_millis(500);

/// What is written to a topic after this was opened. Each broker is read from by itself, so that none waits for
/// another's records.
pub struct Tail {
    cluster: Cluster,
    topic: String,
    /// The offset of the next record of each partition.
    positions: BTreeMap<i32, i64>,
    reads: JoinSet<Fetched>,
}

/// What one broker had, and how it is asked for more.
struct Fetched {
    cluster: Cluster,
    share: BTreeSet<i32>,
    batches: Result<Batches, ReadError>,
}

impl Tail {
    /// Finds the end of a topic, which is made if there is none and brokers make topics that are asked for.
    ///
    /// # Errors
    /// They do not make it, or a broker fails.
    pub async fn open(
        connect: Connect,
        settings: Settings,
        topic: &str,
    ) -> Result<Self, ReadError> {
        let mut cluster = Cluster::new(connect, settings);
        let found = cluster.find_or_make(topic).await?;
        let mut ends = cluster.offsets(&found, Start::Latest).await?;
        let mut tail = Self {
            cluster,
            topic: topic.to_owned(),
            positions: ends.remove(topic).unwrap_or_default(),
            reads: JoinSet::new(),
        };
        tail.begin();
        Ok(tail)
    }

    /// Connects again, to go on with what comes after the last that was read.
    ///
    /// # Errors
    /// A broker fails.
    pub async fn resume(&mut self) -> Result<(), ReadError> {
        self.reads = JoinSet::new();
        self.cluster = self.cluster.apart();
        let topics = [self.topic.clone()];
        self.cluster.find(&topics).await?;
        self.begin();
        Ok(())
    }

    /// The values of the next records, at least one. It may be given up: what was not returned is read again.
    ///
    /// # Errors
    /// A broker fails, or records cannot be read. Then the next call begins with [`resume`](Self::resume).
    pub async fn next(&mut self) -> Result<Vec<Vec<u8>>, ReadError> {
        if self.reads.is_empty() {
            self.resume().await?;
        }
        let read = self.read().await;
        if read.is_err() {
            self.reads = JoinSet::new();
        }
        read
    }

    async fn read(&mut self) -> Result<Vec<Vec<u8>>, ReadError> {
        while let Some(fetched) = self.reads.join_next().await {
            let Fetched {
                cluster,
                share,
                batches,
            } = fetched.map_err(ReadError::new)?;
            let values = self.take(batches?)?;
            self.fetch(cluster, share);
            if !values.is_empty() {
                return Ok(values);
            }
        }
        Err(ReadError::new("nothing is read any more"))
    }

    fn begin(&mut self) {
        for share in self.cluster.shares(&self.topic) {
            self.fetch(self.cluster.apart(), share);
        }
    }

    fn fetch(&mut self, mut cluster: Cluster, share: BTreeSet<i32>) {
        // A partition that came later is read from its beginning.
        let position = |partition| self.positions.get(partition).copied().unwrap_or(0);
        let positions = share
            .iter()
            .map(|partition| (*partition, position(partition)));
        let positions = Partitions::from([(self.topic.clone(), positions.collect())]);
        self.reads.spawn(async move {
            let batches = cluster.fetch(&positions, WAIT).await;
            Fetched {
                cluster,
                share,
                batches,
            }
        });
    }

    /// The values of what was fetched. All or none of it is taken.
    fn take(&mut self, batches: Batches) -> Result<Vec<Vec<u8>>, ReadError> {
        let mut positions = self.positions.clone();
        let mut values = Vec::new();
        for (partition, batches) in batches.into_values().flatten() {
            let position = positions.entry(partition).or_insert(0);
            for batch in batches {
                if !batch.is_control {
                    let records = batch.records.read()?.into_iter();
                    // A batch may begin before what was asked for.
                    let new = records.filter(|record| record.offset >= *position);
                    values.extend(new.map(|record| record.value.to_vec()));
                }
                *position = (*position).max(batch.last.saturating_add(1));
            }
        }
        self.positions = positions;
        Ok(values)
    }
}
