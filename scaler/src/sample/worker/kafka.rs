//! A consumer of those partitions of a topic of Kafka that its group assigns to it. It finishes the
//! record that it has in hand, gives its marker back and commits it, before others get the record's partition.

mod giving_back;
mod positions;

use std::pin::pin;
use std::time::Duration;

use anyhow::Context as _;
use ebbtide_brokers::connect::Connect;
use ebbtide_brokers::kafka::{
    Address, Batch, Batches, Cluster, Login, Mechanism, Membership, Named, Partitions, Settings,
    Standing, Start,
};
use futures_util::FutureExt as _;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep};

use self::giving_back::GivingBack;
use self::positions::{Offset, left, positions};
use super::{Work, variable};
use crate::cli::arguments::KafkaWorker;

const SERVERS: &str = "KAFKA_BOOTSTRAP_SERVERS";
const SASL: &str = "KAFKA_SASL";
/// How long a broker waits for records.
const PATIENCE: Duration = Duration::from_millis(500);
/// How much longer than the work on a record a rebalance may take.
const REBALANCE: Duration = Duration::from_secs(60);

/// A member of a group, and what it works on.
struct Consumer {
    member: Membership,
    /// When it should say that it is still there.
    beats: Interval,
    cluster: Cluster,
    work: Work,
    giving_back: Option<GivingBack>,
    group: String,
}

/// Takes records until `work` is over.
pub(super) async fn run(of: &KafkaWorker, work: Work) -> anyhow::Result<()> {
    let KafkaWorker { topic, group } = of;
    let anywhere = Connect::anywhere();
    let giving_back = GivingBack::open(work.completed.to()).await?;
    let mut beats = interval(Membership::HEARTBEAT);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut consumer = Consumer {
        member: Membership::new(
            anywhere.clone(),
            settings()?,
            group,
            vec![topic.clone()],
            REBALANCE.saturating_add(work.time),
        ),
        beats,
        cluster: Cluster::new(anywhere, settings()?),
        work,
        giving_back,
        group: group.clone(),
    };
    let ended = consumer.run().await;
    // Also after an error: the others need not wait until it is missed.
    let left = consumer.member.leave().await;
    ended?;
    Ok(left?)
}

impl Consumer {
    async fn run(&mut self) -> anyhow::Result<()> {
        while !self.work.is_over() {
            if let Some(assigned) = self.join().await? {
                self.consume(&assigned).await?;
            }
        }
        Ok(())
    }

    /// What it is assigned, unless it has to ask again or is to end.
    async fn join(&mut self) -> anyhow::Result<Option<Named>> {
        // Who has a name can leave while it waits for the others.
        let joined = if self.member.is_named() {
            self.work.next(self.member.join()).await
        } else {
            Some(self.member.join().await)
        };
        Ok(joined.transpose()?.flatten())
    }

    /// Works until the partitions are not its own any more, or it is to end.
    async fn consume(&mut self, assigned: &Named) -> anyhow::Result<()> {
        let mut positions = self.begin(assigned).await?;
        while !self.work.is_over() && self.beat_if_due().await? == Standing::Member {
            for (topic, partitions) in self.fetch(&positions).await? {
                for (partition, batches) in partitions {
                    let place = positions
                        .get_mut(&topic)
                        .and_then(|all| all.get_mut(&partition));
                    let position = place.context("records came that nobody asked for")?;
                    for batch in batches {
                        let next = self.work_off(&topic, partition, &batch, *position).await?;
                        let Some(next) = next else {
                            return Ok(());
                        };
                        *position = next;
                    }
                }
            }
        }
        Ok(())
    }

    /// Works a batch off from a position on, and returns the next; none if it is to end, or the partition is not its own
    /// any more.
    async fn work_off(
        &mut self,
        topic: &str,
        partition: i32,
        batch: &Batch,
        position: i64,
    ) -> anyhow::Result<Option<i64>> {
        for offset in left(batch, position, self.giving_back.is_some())? {
            if self.work.is_over() {
                return Ok(None);
            }
            if self.finish(topic, partition, offset).await? != Standing::Member {
                return Ok(None);
            }
        }
        Ok(Some(position.max(batch.last + 1)))
    }

    /// Where to go on in each partition.
    async fn begin(&mut self, assigned: &Named) -> anyhow::Result<Partitions<i64>> {
        if assigned.is_empty() {
            return Ok(Partitions::new());
        }
        let topics: Vec<String> = assigned.keys().cloned().collect();
        self.cluster.find(&topics).await?;
        let committed = self.cluster.committed(&self.group, Some(assigned)).await?;
        let earliest = self.cluster.offsets(assigned, Start::Earliest).await?;
        Ok(positions(&committed, earliest))
    }

    /// The next records, or none after a while.
    async fn fetch(&mut self, positions: &Partitions<i64>) -> anyhow::Result<Batches> {
        if positions.is_empty() {
            self.work.pause(PATIENCE).await;
            return Ok(Batches::new());
        }
        let fetched = self.work.next(self.cluster.fetch(positions, PATIENCE));
        Ok(fetched.await.transpose()?.unwrap_or_default())
    }

    /// Works on a record, gives its marker back and commits it; what is no record is only committed. Whoever has lost the
    /// partition does not go on: another does.
    async fn finish(
        &mut self,
        topic: &str,
        partition: i32,
        Offset {
            offset,
            is_record,
            marker,
        }: Offset<'_>,
    ) -> anyhow::Result<Standing> {
        let standing = if is_record {
            self.hold().await?
        } else {
            self.beat_if_due().await?
        };
        if standing == Standing::Lost {
            return Ok(standing);
        }
        if let (Some(giving_back), Some((_, marker))) =
            (&mut self.giving_back, self.work.completed.of(marker))
        {
            // First this: what is done twice is seen, what is not given back would be taken for lost.
            giving_back.give(marker).await?;
        }
        let next = [(partition, offset + 1)].into();
        let done = [(topic.to_owned(), next)].into();
        let taken = self.member.commit(&done).await?;
        if taken != Standing::Member {
            return Ok(taken);
        }
        if is_record {
            Work::done(&format!("{partition}:{offset}"));
        }
        Ok(standing)
    }

    /// Works, and says meanwhile that it is still there.
    async fn hold(&mut self) -> anyhow::Result<Standing> {
        let mut standing = Standing::Member;
        let mut work = pin!(sleep(self.work.time));
        while standing != Standing::Lost {
            tokio::select! {
                biased;
                _ = self.beats.tick() => standing = self.member.beat().await?,
                () = &mut work => break,
            }
        }
        Ok(standing)
    }

    async fn beat_if_due(&mut self) -> anyhow::Result<Standing> {
        if self.beats.tick().now_or_never().is_none() {
            return Ok(Standing::Member);
        }
        Ok(self.member.beat().await?)
    }
}

fn settings() -> anyhow::Result<Settings> {
    let servers = variable(SERVERS)?;
    let servers: Result<_, _> = servers
        .split(',')
        .map(|one| Address::parse(one.trim()))
        .collect();
    Ok(Settings::new(servers.context(SERVERS)?, login()?))
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
