//! Records, as they are written together and read: the form that Kafka has had since 0.11.

use super::TOPIC;
use super::crc32c::crc32c;
use super::wire::{Answer, Nonsense, Question};
use crate::error::ReadError;

/// The number of the form.
pub(super) const FORM: i8 = 2;
/// The bits of a batch's attributes that say how its records are compressed.
const COMPRESSION: i16 = 0b111;
/// The bit that says that records are the broker's own.
const CONTROL: i16 = 1 << 5;
/// A number that is none.
const NONE: i16 = -1;

/// A record to be written, without a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// When it was made, in milliseconds from 1970.
    pub time: i64,
    /// What it is about, beside its value.
    pub headers: Vec<(&'static str, Vec<u8>)>,
    /// What it says.
    pub value: Vec<u8>,
}

/// A record that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it is in its partition.
    pub offset: i64,
    /// What it says; empty if it says nothing.
    pub value: &'a [u8],
    /// What it is about, beside its value. Names are UTF-8, if whoever wrote them kept to that.
    pub headers: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> Record<'a> {
    /// The value of the last header of this name, which is the one that counts.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut headers = self.headers.iter().rev();
        let found = headers.find(|(other, _)| *other == name.as_bytes());
        found.map(|(_, value)| *value)
    }
}

/// The records of a batch as they came, which are read when they are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// The offset that theirs count from.
    first: i64,
    checksum: u32,
    /// What the checksum is of: attributes, the rest of the batch's head, and the records.
    bytes: Vec<u8>,
}

/// What a batch says of itself.
pub(super) struct Head {
    pub(super) last: i64,
    pub(super) is_control: bool,
    pub(super) records: Records,
}

/// Reads what comes after the length of a batch whose first offset is `first`.
pub(super) fn head(first: i64, mut batch: Answer<'_>) -> Result<Head, Nonsense> {
    batch.i32()?;
    if batch.i8()? != FORM {
        return Err(Nonsense);
    }
    let checksum = batch.i32()?.cast_unsigned();
    let bytes = batch.rest().to_vec();
    let attributes = batch.i16()?;
    let last = first.checked_add(batch.i32()?.into()).ok_or(Nonsense)?;
    Ok(Head {
        last,
        is_control: attributes & CONTROL != 0,
        records: Records {
            first,
            checksum,
            bytes,
        },
    })
}

impl Records {
    /// The records, one after the other. Those that were compacted away are not among them.
    ///
    /// # Errors
    /// They are compressed, or damaged.
    pub fn read(&self) -> Result<Vec<Record<'_>>, ReadError> {
        if self.bytes.is_empty() {
            return Ok(Vec::new());
        }
        let damaged = |_| ReadError::of(TOPIC, "has records that are damaged");
        if crc32c(&self.bytes) != self.checksum {
            return Err(damaged(Nonsense));
        }
        let mut answer = Answer::of(&self.bytes);
        let attributes = answer.i16().map_err(damaged)?;
        if let Some(name) = compression(attributes) {
            let message = format!(
                "has records that are compressed ({name}), which are not read here: write them with the \
                 compression.type none, and leave the topic's as it is by default"
            );
            return Err(ReadError::of(TOPIC, message));
        }
        records(self.first, answer).map_err(damaged)
    }
}

fn compression(attributes: i16) -> Option<&'static str> {
    match attributes & COMPRESSION {
        0 => None,
        1 => Some("gzip"),
        2 => Some("snappy"),
        3 => Some("lz4"),
        4 => Some("zstd"),
        _ => Some("in a way that is not known"),
    }
}

/// Reads what comes after a batch's attributes.
fn records(first: i64, mut batch: Answer<'_>) -> Result<Vec<Record<'_>>, Nonsense> {
    // How many there are but for the last, two times, and who has written how much.
    batch.take(4 + 2 * 8 + (8 + 2 + 4))?;
    batch.list(|batch| record(first, Answer::of(batch.short_bytes()?)))
}

fn record(first: i64, mut record: Answer<'_>) -> Result<Record<'_>, Nonsense> {
    record.i8()?;
    record.varint()?;
    let offset = first.checked_add(record.varint()?).ok_or(Nonsense)?;
    record.short_bytes()?;
    let value = record.short_bytes()?;
    let headers = (0..record.varint()?).map(|_| Ok((record.short_bytes()?, record.short_bytes()?)));
    Ok(Record {
        offset,
        value,
        headers: headers.collect::<Result<_, _>>()?,
    })
}

/// A batch of these records, at least one, as a broker takes it: offsets are the broker's to give.
pub(super) fn batch(messages: &[Message]) -> Vec<u8> {
    let length = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
    let base = messages.first().map_or(0, |message| message.time);
    let last = messages.iter().map(|message| message.time).max();
    let mut checked = Question::default();
    checked.i16(0);
    checked.i32(length(messages.len()).saturating_sub(1));
    checked.i64(base);
    checked.i64(last.unwrap_or(base));
    // No producer that counts what it writes.
    checked.i64(NONE.into());
    checked.i16(NONE);
    checked.i32(NONE.into());
    checked.list(
        (0..).zip(messages).collect::<Vec<_>>().into_iter(),
        |checked, (place, message)| {
            checked.short_bytes(written(place, base, message).written());
        },
    );
    let mut body = Question::default();
    // The broker knows since when it leads the partition.
    body.i32(NONE.into());
    body.i8(FORM);
    body.i32(crc32c(checked.written()).cast_signed());
    body.raw(checked.written());
    let mut all = Question::default();
    all.i64(0);
    all.bytes(body.written());
    all.written().to_vec()
}

fn written(place: i64, base: i64, message: &Message) -> Question {
    let mut record = Question::default();
    record.i8(0);
    record.varint(message.time.saturating_sub(base));
    record.varint(place);
    // No key.
    record.varint(NONE.into());
    record.short_bytes(&message.value);
    record.varint(i64::try_from(message.headers.len()).unwrap_or(i64::MAX));
    for (name, value) in &message.headers {
        record.short_bytes(name.as_bytes());
        record.short_bytes(value);
    }
    record
}

#[cfg(test)]
mod tests;
