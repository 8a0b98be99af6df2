//! How far a consumer is in its partitions.

use ebbtide_brokers::kafka::{Batch, Partitions};

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

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset {
    pub(super) offset: i64,
    /// Whether it is one to be worked on, and not the broker's own.
    pub(super) is_record: bool,
}

/// What of batches has not been done yet; a batch may begin before what was asked for.
pub(super) fn left(batches: &[Batch], position: i64) -> impl Iterator<Item = Offset> + use<'_> {
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
