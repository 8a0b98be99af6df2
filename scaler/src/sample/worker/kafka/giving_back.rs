//! Markers of records, which are written to another topic.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ebbtide_brokers::connect::Connect;
use ebbtide_brokers::kafka::{Message, Producer};

use super::settings;
use crate::clock::wall_now;

/// Where markers are written.
pub(super) struct GivingBack {
    producer: Producer,
    topic: String,
    partitions: Vec<i32>,
    /// How many were written.
    written: usize,
}

impl GivingBack {
    /// To this topic, which is made if there is none and brokers make topics that are asked for.
    ///
    /// # Errors
    /// There is no such topic, or it cannot be used.
    pub(super) async fn open(topic: Option<&str>) -> anyhow::Result<Option<Self>> {
        let Some(topic) = topic else {
            return Ok(None);
        };
        let mut producer = Producer::new(Connect::anywhere(), settings()?, topic);
        let shares = producer.find_or_make().await;
        let shares = shares.with_context(|| format!("cannot give markers back to {topic}"))?;
        Ok(Some(Self {
            producer,
            topic: topic.to_owned(),
            partitions: shares.into_iter().flatten().collect(),
            written: 0,
        }))
    }

    /// Gives a marker back; returns once all replicas have it.
    ///
    /// # Errors
    /// The broker does not take it.
    pub(super) async fn give(&mut self, marker: String) -> anyhow::Result<()> {
        let place = self.written.checked_rem(self.partitions.len());
        let partition = place.and_then(|place| self.partitions.get(place));
        let partition = *partition.with_context(|| format!("{} has no partition", self.topic))?;
        self.written = self.written.wrapping_add(1);
        let message = Message {
            time: wall_now().as_millisecond(),
            headers: Vec::new(),
            value: marker.into_bytes(),
        };
        let messages = BTreeMap::from([(partition, vec![message])]);
        for sent in self.producer.send(&messages).await.into_values() {
            sent.with_context(|| format!("cannot give a marker back to {}", self.topic))?;
        }
        Ok(())
    }
}
