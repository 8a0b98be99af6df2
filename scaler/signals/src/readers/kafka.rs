//! `kafka`: the lag of a consumer group.

mod lag;

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use self::lag::{Bound, Policy, Uncommitted};
use super::{Context, Reader, Reading};
use crate::amount::Amount;
use crate::parameters::Parameters;
use ebbtide_brokers::connect::TlsSettings;
use ebbtide_brokers::error::ReadError;
use ebbtide_brokers::kafka::{
    Address, Cluster, GROUP, Login, Mechanism, Named, Partitions, SERVERS, Settings, Start, TOPIC,
};

const LIMITATION: &str = "partitionLimitation";
const IDLE: &str = "allowIdleConsumers";
const WITH_LAG: &str = "limitToPartitionsWithLag";
const EVEN: &str = "ensureEvenDistributionOfPartitions";

struct Kafka {
    cluster: Cluster,
    group: String,
    topics: Vec<String>,
    /// The partitions that count; all if there are none.
    limitation: Vec<RangeInclusive<i32>>,
    policy: Policy,
    /// What was committed at the last read.
    before: Partitions<i64>,
}

/// A reader for these parameters.
///
/// # Errors
/// Addresses that are none, settings that exclude each other, a user that is missing, TLS settings
/// that cannot be.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
) -> Result<Box<dyn Reader>, ReadError> {
    let servers = parameters.list(SERVERS).into_iter().map(Address::parse);
    let mut settings = Settings::new(servers.collect::<Result<_, _>>()?, login(parameters)?);
    if parameters.word("tls").as_deref() == Some("enable") {
        settings = settings.secured(&TlsSettings {
            ca: parameters.text("ca"),
            cert: parameters.text("cert"),
            key: parameters.text("key"),
            any_server: parameters.flag("unsafeSsl"),
        })?;
    }
    let topics = parameters.list(TOPIC).into_iter().map(str::to_owned);
    Ok(Box::new(Kafka {
        cluster: Cluster::new(context.connect.clone(), settings),
        group: parameters.required(GROUP)?.to_owned(),
        topics: topics.collect(),
        limitation: limitation(&parameters.list(LIMITATION))?,
        policy: policy(parameters)?,
        before: Partitions::new(),
    }))
}

fn login(parameters: &Parameters) -> Result<Option<Login>, ReadError> {
    let sasl = parameters.word("sasl").unwrap_or_default();
    let Some(mechanism) = Mechanism::named(&sasl) else {
        return Ok(None);
    };
    Ok(Some(Login {
        mechanism,
        user: parameters.required("username")?.to_owned(),
        password: parameters.required("password")?.to_owned(),
    }))
}

fn policy(parameters: &Parameters) -> Result<Policy, ReadError> {
    let (with_lag, even) = (parameters.flag(WITH_LAG), parameters.flag(EVEN));
    let allow_idle = parameters.flag(IDLE);
    if allow_idle && with_lag {
        return Err(ReadError::of(IDLE, format!("goes not with {WITH_LAG}")));
    }
    for (key, is_set) in [(WITH_LAG, with_lag), (EVEN, even)] {
        if is_set && parameters.text(TOPIC).is_none() {
            return Err(ReadError::of(TOPIC, format!("is missing beside {key}")));
        }
    }
    if even && with_lag {
        return Err(ReadError::of(EVEN, format!("goes not with {WITH_LAG}")));
    }
    let begins = parameters.word("offsetResetPolicy");
    Ok(Policy {
        uncommitted: if parameters.flag("scaleToZeroOnInvalidOffset") {
            Uncommitted::Nothing
        } else if begins.as_deref() == Some("earliest") {
            Uncommitted::All
        } else {
            Uncommitted::One
        },
        bound: if even {
            Bound::Divisor
        } else if with_lag {
            Bound::WithLag
        } else if allow_idle {
            Bound::None
        } else {
            Bound::Partitions
        },
        exclude_persistent: parameters.flag("excludePersistentLag"),
        threshold: parameters.number("lagThreshold").unwrap_or(1.0),
    })
}

/// Reads `1`, `10-20`.
fn limitation(parts: &[&str]) -> Result<Vec<RangeInclusive<i32>>, ReadError> {
    let range = |part: &&str| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<u16>().ok().map(i32::from);
        let range = number(first)
            .zip(number(last))
            .map(|(first, last)| first..=last);
        range.filter(|range| !range.is_empty()).ok_or_else(|| {
            let message = format!("{part:?} is neither a partition nor some, as in 1,2,10-20");
            ReadError::of(LIMITATION, message)
        })
    };
    parts.iter().map(range).collect()
}

impl Reader for Kafka {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.amount())
    }
}

impl Kafka {
    async fn amount(&mut self) -> Result<Amount, ReadError> {
        let topics = if self.topics.is_empty() {
            let committed = self.cluster.committed(&self.group, None).await?;
            committed.into_keys().collect()
        } else {
            self.topics.clone()
        };
        if topics.is_empty() {
            return Ok(lag::amount(
                self.policy,
                &Partitions::new(),
                &Partitions::new(),
                None,
            ));
        }
        let mut partitions = self.cluster.find(&topics).await?;
        self.limit(&mut partitions)?;
        // What is committed is asked for first, so that it is not more than what is there.
        let committed = self.cluster.committed(&self.group, Some(&partitions));
        let committed = committed.await?;
        let ends = self.cluster.offsets(&partitions, Start::Latest).await?;
        let before = Some(&self.before);
        let amount = lag::amount(self.policy, &committed, &ends, before);
        self.before = committed;
        Ok(amount)
    }

    fn limit(&self, partitions: &mut Named) -> Result<(), ReadError> {
        // Numbers of partitions of any topic, whatever it is, mean nothing.
        if self.limitation.is_empty() || self.topics.is_empty() {
            return Ok(());
        }
        for partitions in partitions.values_mut() {
            partitions.retain(|partition| {
                let mut ranges = self.limitation.iter();
                ranges.any(|range| range.contains(partition))
            });
        }
        if partitions.values().all(BTreeSet::is_empty) {
            return Err(ReadError::of(LIMITATION, "leaves no partition"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_numbers_and_ranges() {
        assert_eq!(limitation(&[]), Ok(vec![]));
        assert_eq!(
            limitation(&["1", "10-20", "0 - 0"]),
            Ok(vec![1..=1, 10..=20, 0..=0])
        );
        for wrong in ["x", "3-1", "-1", "1-", "70000"] {
            let error = limitation(&["1", wrong]).unwrap_err().to_string();
            let expected = "is neither a partition nor some, as in 1,2,10-20";
            assert_eq!(error, format!("partitionLimitation: {wrong:?} {expected}"));
        }
    }
}
