//! The questions that are asked, each in one version.

use std::collections::BTreeMap;

use super::wire::Question;
use super::{Named, Partitions};

/// A kind of question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Api {
    pub(super) name: &'static str,
    pub(super) key: i16,
    pub(super) version: i16,
}

const fn api(name: &'static str, key: i16, version: i16) -> Api {
    Api { name, key, version }
}

pub(super) const PRODUCE: Api = api("Produce", 0, 3);
pub(super) const FETCH: Api = api("Fetch", 1, 4);
pub(super) const LIST_OFFSETS: Api = api("ListOffsets", 2, 1);
pub(super) const METADATA: Api = api("Metadata", 3, 4);
pub(super) const OFFSET_COMMIT: Api = api("OffsetCommit", 8, 2);
pub(super) const OFFSET_FETCH: Api = api("OffsetFetch", 9, 2);
pub(super) const FIND_COORDINATOR: Api = api("FindCoordinator", 10, 1);
pub(super) const JOIN_GROUP: Api = api("JoinGroup", 11, 2);
pub(super) const HEARTBEAT: Api = api("Heartbeat", 12, 1);
pub(super) const LEAVE_GROUP: Api = api("LeaveGroup", 13, 1);
pub(super) const SYNC_GROUP: Api = api("SyncGroup", 14, 1);
pub(super) const SASL_HANDSHAKE: Api = api("SaslHandshake", 17, 1);
pub(super) const API_VERSIONS: Api = api("ApiVersions", 18, 0);
pub(super) const SASL_AUTHENTICATE: Api = api("SaslAuthenticate", 36, 0);

/// What a broker has to know to be read.
pub(super) const NEEDED: [Api; 4] = [LIST_OFFSETS, METADATA, OFFSET_FETCH, FIND_COORDINATOR];

/// The number by which a client says that it is no broker.
const NO_BROKER: i32 = -1;
/// How much of a partition is fetched at once, in bytes.
const FETCHED: i32 = 1 << 16;

/// Whether a topic that is asked for comes into being by that, where brokers allow it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Stays,
    IsMade,
}

/// Where these topics are.
pub(super) fn metadata(topics: &[String], missing: Missing) -> Question {
    let mut question = Question::default();
    question.list(topics.iter(), |question, topic| question.text(topic));
    question.i8(i8::from(missing == Missing::IsMade));
    question
}

/// Which broker keeps what a group commits.
pub(super) fn find_coordinator(group: &str) -> Question {
    const OF_GROUP: i8 = 0;
    let mut question = Question::default();
    question.text(group);
    question.i8(OF_GROUP);
    question
}

/// What a group has committed, for all of its partitions if none are given.
pub(super) fn offset_fetch(group: &str, partitions: Option<&Named>) -> Question {
    let mut question = Question::default();
    question.text(group);
    let Some(topics) = partitions else {
        question.no_list();
        return question;
    };
    question.list(topics.iter(), |question, (topic, partitions)| {
        question.text(topic);
        question.list(partitions.iter(), |question, partition| {
            question.i32(*partition);
        });
    });
    question
}

/// An offset of each partition: the last, -1, or the first, -2.
pub(super) fn list_offsets(topics: &Partitions<i64>) -> Question {
    let mut question = Question::default();
    question.i32(NO_BROKER);
    write_partitions(&mut question, topics, |question, which| {
        question.i64(*which);
    });
    question
}

/// That a group is done with what comes before these offsets, says a member of a generation.
pub(super) fn offset_commit(
    group: &str,
    (generation, member): (i32, &str),
    topics: &Partitions<i64>,
) -> Question {
    let mut question = Question::default();
    question.text(group);
    question.i32(generation);
    question.text(member);
    // It is kept for as long as the broker likes.
    question.i64(-1);
    write_partitions(&mut question, topics, |question, offset| {
        question.i64(*offset);
        question.text("");
    });
    question
}

/// Records from these offsets on, for which the broker may wait so many milliseconds.
pub(super) fn fetch(topics: &Partitions<i64>, wait: i32) -> Question {
    let mut question = Question::default();
    question.i32(NO_BROKER);
    question.i32(wait);
    question.i32(1);
    question.i32(FETCHED);
    // Those of transactions that go on, too.
    question.i8(0);
    write_partitions(&mut question, topics, |question, offset| {
        question.i64(*offset);
        question.i32(FETCHED);
    });
    question
}

/// Batches to be written to these partitions of a topic, for which the broker may wait so many milliseconds until all
/// replicas that keep up have them.
pub(super) fn produce(topic: &str, batches: &BTreeMap<i32, &[u8]>, wait: i32) -> Question {
    const BY_ALL: i16 = -1;
    let mut question = Question::default();
    // No transaction.
    question.no_text();
    question.i16(BY_ALL);
    question.i32(wait);
    question.list([topic].iter(), |question, topic| {
        question.text(topic);
        question.list(batches.iter(), |question, (partition, batch)| {
            question.i32(*partition);
            question.bytes(batch);
        });
    });
    question
}

fn write_partitions<T>(
    question: &mut Question,
    topics: &Partitions<T>,
    write: impl Fn(&mut Question, &T),
) {
    question.list(topics.iter(), |question, (topic, partitions)| {
        question.text(topic);
        question.list(partitions.iter(), |question, (partition, value)| {
            question.i32(*partition);
            write(question, value);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_for_all_replicas() {
        let batches = BTreeMap::from([(0, &b"ab"[..]), (3, b"c")]);
        let expected = b"\xff\xff\xff\xff\x00\x00\x01\x02\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x02\
                         \x00\x00\x00\x00\x00\x00\x00\x02ab\x00\x00\x00\x03\x00\x00\x00\x01c";
        assert_eq!(produce("t", &batches, 258).written(), expected);
    }

    #[test]
    fn a_topic_is_made_only_if_that_is_wanted() {
        let topics = ["t".to_owned()];
        for (missing, made) in [(Missing::Stays, 0), (Missing::IsMade, 1)] {
            let expected = [0, 0, 0, 1, 0, 1, b't', made];
            assert_eq!(metadata(&topics, missing).written(), expected);
        }
    }
}
