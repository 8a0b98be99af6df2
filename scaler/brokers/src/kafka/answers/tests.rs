use proptest::prelude::*;

use super::*;
use crate::kafka::wire::Question;

/// What is read from an answer, of which no beginning is an answer too.
pub(in crate::kafka) fn read<T>(
    answer: &Question,
    read: impl Fn(Answer<'_>) -> Result<T, Nonsense>,
) -> T {
    let all = answer.written();
    for length in 0..all.len() {
        let part = read(Answer::of(&all[..length]));
        assert!(part.is_err(), "{length} of {} bytes", all.len());
    }
    read(Answer::of(all)).ok().unwrap()
}

#[test]
fn topics_are_where_their_partitions_are_led() {
    let mut answer = Question::default();
    answer.i32(0);
    answer.list([1, 2].iter(), |answer, node| {
        answer.i32(*node);
        answer.text("kafka");
        answer.i32(9090 + node);
        answer.i16(-1);
    });
    answer.text("cluster");
    answer.i32(1);
    answer.list(
        [(FINE, "orders"), (3, "nope")].iter(),
        |answer, (error, name)| {
            answer.i16(*error);
            answer.text(name);
            answer.i8(0);
            let partitions: &[(i32, i32)] = if *error == FINE {
                &[(0, 2), (1, -1)]
            } else {
                &[]
            };
            answer.list(partitions.iter(), |answer, (partition, leader)| {
                answer.i16(FINE);
                answer.i32(*partition);
                answer.i32(*leader);
                answer.list([1, 2].iter(), |answer, node| answer.i32(*node));
                answer.no_list();
            });
        },
    );
    let topics = read(&answer, metadata);
    let address = |port| Address {
        host: "kafka".to_owned(),
        port,
    };
    assert_eq!(
        topics.brokers,
        BTreeMap::from([(1, address(9091)), (2, address(9092))])
    );
    let orders = Ok(BTreeMap::from([(0, 2), (1, -1)]));
    let expected = [("orders".to_owned(), orders), ("nope".to_owned(), Err(3))];
    assert_eq!(topics.topics, BTreeMap::from(expected));
}

#[test]
fn offsets_are_numbers_or_errors() {
    let mut answer = Question::default();
    answer.list(["orders"].iter(), |answer, topic| {
        answer.text(topic);
        answer.list(
            [(0, 7, FINE), (1, -1, 29)].iter(),
            |answer, (partition, offset, error)| {
                answer.i32(*partition);
                answer.i64(*offset);
                answer.text("");
                answer.i16(*error);
            },
        );
    });
    answer.i16(FINE);
    let offsets = BTreeMap::from([(0, Ok(7)), (1, Err(29))]);
    let expected = Partitions::from([("orders".to_owned(), offsets)]);
    assert_eq!(read(&answer, offset_fetch), Ok(expected));
}

#[test]
fn commits_are_taken_unless_one_is_not() {
    for (errors, expected) in [([FINE, FINE], Ok(())), ([FINE, 22], Err(22))] {
        let mut answer = Question::default();
        answer.list(["orders"].iter(), |answer, topic| {
            answer.text(topic);
            answer.list(errors.iter().enumerate(), |answer, (partition, error)| {
                answer.i32(i32::try_from(partition).unwrap());
                answer.i16(*error);
            });
        });
        assert_eq!(read(&answer, offset_commit), expected);
    }
}

#[test]
fn each_partition_that_is_written_to_has_an_error_or_none() {
    let mut answer = Question::default();
    answer.list(["orders"].iter(), |answer, topic| {
        answer.text(topic);
        answer.list([(0, FINE), (1, 6)].iter(), |answer, (partition, error)| {
            answer.i32(*partition);
            answer.i16(*error);
            answer.i64(41);
            answer.i64(-1);
        });
    });
    answer.i32(0);
    assert_eq!(read(&answer, produce), BTreeMap::from([(0, FINE), (1, 6)]));
}

/// The head of a batch of so many records, and what comes after it.
fn batch(first: i64, records: i32, attributes: i16) -> Question {
    let mut body = Question::default();
    body.i32(0);
    body.i8(2);
    body.i32(0);
    body.i16(attributes);
    body.i32(records - 1);
    body.i64(0);
    let mut all = Question::default();
    all.i64(first);
    all.bytes(body.written());
    all
}

#[test]
fn batches_are_read_until_the_broker_has_cut_one() {
    let (one, control) = (batch(5, 3, 1), batch(8, 1, 1 << 5));
    let whole = [one.written(), control.written()].concat();
    let found = |bytes: &[u8]| {
        let found = batches(Answer::of(bytes))?.into_iter();
        Ok(found
            .map(|batch| (batch.first, batch.last, batch.is_control))
            .collect::<Vec<_>>())
    };
    assert_eq!(found(&whole), Ok(vec![(5, 7, false), (8, 8, true)]));
    for length in one.written().len()..whole.len() {
        let cut = found(&whole[..length]);
        assert_eq!(cut, Ok(vec![(5, 7, false)]), "{length}");
    }
    let mut other_form = one.written().to_vec();
    other_form[16] = 1;
    assert_eq!(found(&other_form), Err(Nonsense));
    assert_eq!(found(batch(i64::MAX, 3, 0).written()), Err(Nonsense));
}

proptest! {
    /// Whatever a broker sends, it is read or nonsense, and takes no more memory than it has bytes.
    #[test]
    fn anything_may_be_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let answer = || Answer::of(&bytes);
        // Two lists, a text and two numbers are the least that there can be of it.
        prop_assert!(metadata(answer()).is_err() || bytes.len() >= 18);
        drop(find_coordinator(answer()));
        let _ = offset_commit(answer());
        prop_assert!(produce(answer()).map_or(0, |errors| errors.len()) <= bytes.len());
        let lengths = [
            offset_fetch(answer()).map(|read| read.map_or(0, |numbers| numbers.len())),
            list_offsets(answer()).map(|numbers| numbers.len()),
            fetch(answer()).map(|fetched| fetched.len()),
            batches(answer()).map(|batches| batches.len()),
        ];
        for length in lengths.into_iter().flatten() {
            prop_assert!(length <= bytes.len());
        }
    }
}
