use proptest::prelude::*;

use super::*;

/// What Kafka 4.3's own `MemoryRecords` makes of the messages below.
const KAFKAS: &str = "\
    0000000000000000000000c3ffffffff0253ebf67c0000000000020000018bcfe5687b0000018bcfe5687dffffffffffffffffffffffffff\
    ff00000003760000000110616e206f72646572021c6c6f616467656e2d6d61726b65723a6c6f616467656e313a3030303030303030303030\
    30303061623a313a320c0004020100009a01000204018c017878787878787878787878787878787878787878787878787878787878787878\
    787878787878787878787878787878787878787878787878787878787878787878787878787800";
/// The first two of them, compressed.
const COMPRESSED: &str = "\
    000000000000000000000077ffffffff02d517fb6f0001000000010000018bcfe5687b0000018bcfe5687dffffffffffffffffffffffffff\
    ff000000021f8b08000000000000ff2b636060601448cc53c82f4a492d6292c9c94f4c494fcdd3cd4d2cca4e2db282720dad0c5040629295\
    a195110f030b132303030015bc106943000000";
/// Two with a key, without a value, and with a header without one, the first of them at offset 7.
const KEYED: &str = "\
    00000000000000070000004bffffffff02fbd1b4cf0000000000010000018bcfe5687b0000018bcfe5687bffffffffffffffffffffffffff\
    ff0000000218000000066b6579010202680118000002066b65790102026801";

fn bytes(hexadecimal: &str) -> Vec<u8> {
    let digits = hexadecimal.as_bytes().chunks_exact(2);
    let byte = |pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.map(byte).collect()
}

fn messages() -> Vec<Message> {
    let message = |time: i64, value: &str| Message {
        time: 1_700_000_000_000 + time,
        headers: Vec::new(),
        value: value.as_bytes().to_vec(),
    };
    let marker = b"loadgen1:00000000000000ab:1:2".to_vec();
    vec![
        Message {
            headers: vec![("loadgen-marker", marker)],
            ..message(123, "an order")
        },
        message(125, ""),
        message(124, &"x".repeat(70)),
    ]
}

/// The head of a whole batch.
fn read(batch: &[u8]) -> Result<Head, Nonsense> {
    let mut answer = Answer::of(batch);
    let first = answer.i64()?;
    head(first, Answer::of(answer.bytes()?))
}

#[test]
fn a_batch_is_written_as_kafka_does() {
    assert_eq!(batch(&messages()), bytes(KAFKAS));
}

#[test]
fn the_records_of_a_batch_are_read() {
    let batch = bytes(KAFKAS);
    let head = read(&batch).ok().unwrap();
    assert_eq!((head.last, head.is_control), (2, false));
    let records = head.records.read().unwrap();
    for (record, message) in records.iter().zip(messages()) {
        assert_eq!(record.value, message.value);
        let marker = message.headers.first().map(|(_, value)| value.as_slice());
        assert_eq!(record.header("loadgen-marker"), marker);
        assert_eq!(record.header("loadgen"), None);
    }
    let offsets: Vec<_> = records.iter().map(|record| record.offset).collect();
    assert_eq!(offsets, [0, 1, 2]);
}

#[test]
fn what_is_not_there_is_as_good_as_empty() {
    let batch = bytes(KEYED);
    let records = read(&batch).ok().unwrap().records;
    let record = |offset| Record {
        offset,
        value: b"",
        headers: vec![(b"h", b"")],
    };
    assert_eq!(records.read(), Ok(vec![record(7), record(8)]));
    assert_eq!(Records::default().read(), Ok(Vec::new()));
}

#[test]
fn the_last_of_several_headers_counts() {
    let record = Record {
        offset: 0,
        value: b"",
        headers: vec![(b"a", b"1"), (b"b", b"2"), (b"a", b"3")],
    };
    assert_eq!(record.header("a"), Some(&b"3"[..]));
}

#[test]
fn what_is_compressed_or_damaged_is_said() {
    let compressed = read(&bytes(COMPRESSED)).ok().unwrap();
    assert_eq!(compressed.last, 1);
    let error = compressed.records.read().unwrap_err().to_string();
    assert!(
        error.starts_with("topic: has records that are compressed (gzip)"),
        "{error}"
    );
    let whole = bytes(KAFKAS);
    // The attributes are the first of what the checksum is of.
    for place in 21..whole.len() {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x40;
        let read = read(&damaged).ok().unwrap();
        let error = read.records.read().unwrap_err().to_string();
        assert_eq!(error, "topic: has records that are damaged", "{place}");
    }
}

fn any_message() -> impl Strategy<Value = Message> {
    let header = (prop::sample::select(vec!["a", "marker"]), any::<Vec<u8>>());
    let headers = prop::collection::vec(header, 0..3);
    // As far apart as no clock is.
    (0..1_i64 << 60, headers, any::<Vec<u8>>()).prop_map(|(time, headers, value)| Message {
        time,
        headers,
        value,
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(messages in prop::collection::vec(any_message(), 1..5)) {
        let batch = batch(&messages);
        let head = read(&batch).ok().unwrap();
        prop_assert_eq!(usize::try_from(head.last).unwrap(), messages.len() - 1);
        let records = head.records.read().unwrap();
        prop_assert_eq!(records.len(), messages.len());
        for ((offset, record), message) in (0..).zip(&records).zip(&messages) {
            prop_assert_eq!(record.offset, offset);
            prop_assert_eq!(record.value, &message.value);
            let headers = message.headers.iter().map(|(name, value)| (name.as_bytes(), value.as_slice()));
            prop_assert_eq!(&record.headers, &headers.collect::<Vec<_>>());
        }
    }

    /// Whatever a batch has, it is read or nonsense, and takes no more memory than it has bytes.
    #[test]
    fn any_batch_may_come(first: i64, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(records) = records(first, Answer::of(&bytes)) {
            let headers: usize = records.iter().map(|record| record.headers.len()).sum();
            prop_assert!(records.len() + headers <= bytes.len());
        }
    }
}
