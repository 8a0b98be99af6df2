//! What brokers answer.

use std::collections::BTreeMap;

use super::records::{self, Head, Records};
use super::wire::{Answer, Nonsense};
use super::{Address, Partitions};

/// A number by which a broker says that all is well.
pub(super) const FINE: i16 = 0;

/// Where topics are.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Topics {
    pub(super) brokers: BTreeMap<i32, Address>,
    /// The number of the broker that leads each partition, negative if none does; or why nothing is
    /// known of a topic.
    pub(super) topics: BTreeMap<String, Result<BTreeMap<i32, i32>, i16>>,
}

/// What is known of partitions: a number, or why there is none.
pub(super) type Numbers = Partitions<Result<i64, i16>>;

pub(super) fn metadata(mut answer: Answer<'_>) -> Result<Topics, Nonsense> {
    let answer = &mut answer;
    answer.i32()?;
    let brokers = answer.list(|answer| {
        let (node, address) = (answer.i32()?, address(answer)?);
        answer.text()?;
        Ok((node, address))
    })?;
    answer.text()?;
    answer.i32()?;
    let topics = answer.list(|answer| {
        let error = answer.i16()?;
        let name = answer.text()?;
        answer.i8()?;
        let partitions = answer.list(|answer| {
            answer.i16()?;
            let partition = (answer.i32()?, answer.i32()?);
            answer.list(Answer::i32)?;
            answer.list(Answer::i32)?;
            Ok(partition)
        })?;
        let partitions = partitions.into_iter().collect();
        Ok((name, fine(error, partitions)))
    })?;
    Ok(Topics {
        brokers: brokers.into_iter().collect(),
        topics: topics.into_iter().collect(),
    })
}

pub(super) fn find_coordinator(mut answer: Answer<'_>) -> Result<Result<Address, i16>, Nonsense> {
    answer.i32()?;
    let error = answer.i16()?;
    answer.text()?;
    answer.i32()?;
    if error != FINE {
        return Ok(Err(error));
    }
    Ok(Ok(address(&mut answer)?))
}

/// What is committed, -1 if nothing is.
pub(super) fn offset_fetch(mut answer: Answer<'_>) -> Result<Result<Numbers, i16>, Nonsense> {
    let numbers = partitions(&mut answer, |answer| {
        let offset = answer.i64()?;
        answer.text()?;
        Ok(fine(answer.i16()?, offset))
    })?;
    Ok(fine(answer.i16()?, numbers))
}

pub(super) fn list_offsets(mut answer: Answer<'_>) -> Result<Numbers, Nonsense> {
    partitions(&mut answer, |answer| {
        let error = answer.i16()?;
        answer.i64()?;
        Ok(fine(error, answer.i64()?))
    })
}

/// Whether all commits were taken.
pub(super) fn offset_commit(mut answer: Answer<'_>) -> Result<Result<(), i16>, Nonsense> {
    let errors = partitions(&mut answer, Answer::i16)?;
    let mut errors = errors.values().flat_map(BTreeMap::values);
    let error = errors.find(|error| **error != FINE);
    Ok(error.map_or(Ok(()), |error| Err(*error)))
}

/// The error of each partition of one topic that something was written to.
pub(super) fn produce(mut answer: Answer<'_>) -> Result<BTreeMap<i32, i16>, Nonsense> {
    let errors = partitions(&mut answer, |answer| {
        let error = answer.i16()?;
        answer.i64()?;
        answer.i64()?;
        Ok(error)
    })?;
    answer.i32()?;
    Ok(errors.into_values().flatten().collect())
}

/// Records that were written together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The offset of the first.
    pub first: i64,
    /// The offset of the last.
    pub last: i64,
    /// Whether they are the broker's own, and not for consumers.
    pub is_control: bool,
    /// The records.
    pub records: Records,
}

/// What was fetched, by topic and partition.
pub type Batches = Partitions<Vec<Batch>>;

pub(super) fn fetch(
    mut answer: Answer<'_>,
) -> Result<Partitions<Result<Vec<Batch>, i16>>, Nonsense> {
    answer.i32()?;
    partitions(&mut answer, |answer| {
        let error = answer.i16()?;
        answer.i64()?;
        answer.i64()?;
        answer.list(|answer| Ok((answer.i64()?, answer.i64()?)))?;
        let records = answer.bytes()?;
        if error != FINE {
            return Ok(Err(error));
        }
        batches(Answer::of(records)).map(Ok)
    })
}

/// Whole batches; the broker cuts the last one where what was asked for ends.
fn batches(mut answer: Answer<'_>) -> Result<Vec<Batch>, Nonsense> {
    let mut found = Vec::new();
    while !answer.is_over() {
        let Ok((first, length)) = answer.i64().and_then(|first| Ok((first, answer.i32()?))) else {
            break;
        };
        let Ok(batch) = answer.take(usize::try_from(length).map_err(|_| Nonsense)?) else {
            break;
        };
        let Head {
            last,
            is_control,
            records,
        } = records::head(first, Answer::of(batch))?;
        found.push(Batch {
            first,
            last,
            is_control,
            records,
        });
    }
    Ok(found)
}

fn address(answer: &mut Answer<'_>) -> Result<Address, Nonsense> {
    let host = answer.text()?;
    let port = u16::try_from(answer.i32()?).map_err(|_| Nonsense)?;
    Ok(Address { host, port })
}

fn partitions<'a, T>(
    answer: &mut Answer<'a>,
    mut read: impl FnMut(&mut Answer<'a>) -> Result<T, Nonsense>,
) -> Result<Partitions<T>, Nonsense> {
    let topics = answer.list(|answer| {
        let topic = answer.text()?;
        let partitions = answer.list(|answer| Ok((answer.i32()?, read(answer)?)))?;
        Ok((topic, partitions.into_iter().collect()))
    })?;
    Ok(topics.into_iter().collect())
}

pub(super) fn fine<T>(error: i16, value: T) -> Result<T, i16> {
    if error == FINE { Ok(value) } else { Err(error) }
}

#[cfg(test)]
pub(super) mod tests;
