//! How far a consumer is in its partitions.

use std::collections::BTreeMap;

use ebbtide_brokers::error::ReadError;
use ebbtide_brokers::kafka::{Batch, Partitions};

/// The header that has a record's marker.
const MARKER: &str = "loadgen-marker";

/// Where to go on: after what is committed, or with the first record that there is.
pub(super) fn positions(
    committed: &Partitions<i64>,
    mut earliest: Partitions<i64>,
) -> Partitions<i64> {
    for (topic, partitions) in &mut earliest {
        for (partition, position) in partitions {
            let committed = committed.get(topic).and_then(|all| all.get(partition));
            *position = committed.map_or(*position, |committed| (*committed).max(*position));
        }
    }
    earliest
}

/// One that is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset<'a> {
    pub(super) offset: i64,
    /// Whether it is one to be worked on, and not the broker's own.
    pub(super) is_record: bool,
    /// The marker that loadgen has put on it; empty if it has none.
    pub(super) marker: &'a [u8],
}

/// What of a batch has not been done yet; it may begin before what was asked for. Records are looked into only where
/// their markers are wanted.
///
/// # Errors
/// Markers are wanted, and the records cannot be read.
pub(super) fn left(
    batch: &Batch,
    position: i64,
    is_marked: bool,
) -> Result<Vec<Offset<'_>>, ReadError> {
    let is_record = !batch.is_control;
    let records = if is_record && is_marked {
        batch.records.read()?
    } else {
        Vec::new()
    };
    let markers: BTreeMap<i64, &[u8]> = records
        .iter()
        .filter_map(|record| Some((record.offset, record.header(MARKER)?)))
        .collect();
    let offsets = batch.first.max(position)..=batch.last;
    let left = offsets.map(|offset| Offset {
        offset,
        is_record,
        marker: markers.get(&offset).copied().unwrap_or_default(),
    });
    Ok(left.collect())
}

#[cfg(test)]
mod tests {
    use ebbtide_brokers::kafka::Records;

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
            records: Records::default(),
        };
        for (batch, expected) in [
            (batch(3, 5, false), &[(4, true), (5, true)][..]),
            (batch(6, 6, true), &[(6, false)]),
            (batch(1, 3, false), &[]),
        ] {
            for is_marked in [false, true] {
                let left = left(&batch, 4, is_marked).unwrap();
                let found: Vec<_> = left.iter().map(|one| (one.offset, one.is_record)).collect();
                assert_eq!(found, expected);
                assert!(left.iter().all(|one| one.marker.is_empty()));
            }
        }
    }
}
