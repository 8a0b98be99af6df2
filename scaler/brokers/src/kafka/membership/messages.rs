//! What a member and its group's broker say to each other.

use std::collections::BTreeSet;
use std::time::Duration;

use super::super::Named;
use super::super::answers::fine;
use super::super::wire::{Answer, Nonsense, Question};
use super::assignment::{self, PROTOCOL};

/// What kind of group it is: Kafka's own consumers can be in it too.
const KIND: &str = "consumer";
/// How long a member may be silent before its partitions are given to others.
const SESSION: Duration = Duration::from_secs(10);

/// For how long a group waits for a member.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// Until it says something.
    session: Duration,
    /// Until it joins again, once there is a rebalance.
    pub(super) rebalance: Duration,
}

impl Terms {
    pub(super) fn of(rebalance: Duration) -> Self {
        Self {
            session: SESSION,
            rebalance,
        }
    }
}

/// By what a member is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    /// The name that the group's broker has given it, empty if it has none yet.
    pub(super) id: String,
    /// The number of the rebalance that it has taken part in.
    pub(super) generation: i32,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            id: String::new(),
            generation: -1,
        }
    }
}

/// What one is told who has joined.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) member: Member,
    /// Whether it is the one that assigns partitions.
    pub(super) is_leader: bool,
    /// All members and the topics that each wants, if it is the one.
    pub(super) members: Vec<(String, BTreeSet<String>)>,
}

pub(super) fn join(group: &str, member: &Member, terms: Terms, subscription: &[u8]) -> Question {
    let milliseconds = |time: Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    let mut question = Question::default();
    question.text(group);
    question.i32(milliseconds(terms.session));
    question.i32(milliseconds(terms.rebalance));
    question.text(&member.id);
    question.text(KIND);
    question.list([PROTOCOL].iter(), |question, protocol| {
        question.text(protocol);
        question.bytes(subscription);
    });
    question
}

pub(super) fn joined(mut answer: Answer<'_>) -> Result<Result<Joined, i16>, Nonsense> {
    answer.i32()?;
    let error = answer.i16()?;
    let generation = answer.i32()?;
    answer.text()?;
    let leader = answer.text()?;
    let id = answer.text()?;
    let members = answer.list(|answer| {
        let id = answer.text()?;
        let topics = assignment::subscribed(Answer::of(answer.bytes()?))?;
        Ok((id, topics))
    })?;
    let joined = Joined {
        is_leader: leader == id,
        member: Member { id, generation },
        members,
    };
    Ok(fine(error, joined))
}

/// What each member is assigned, if this one is the leader; otherwise nothing.
pub(super) fn sync(group: &str, member: &Member, shares: &[(String, Named)]) -> Question {
    let mut question = of_member(group, member);
    question.list(shares.iter(), |question, (id, share)| {
        question.text(id);
        question.bytes(assignment::assignment(share).written());
    });
    question
}

pub(super) fn synced(mut answer: Answer<'_>) -> Result<Result<Named, i16>, Nonsense> {
    answer.i32()?;
    let error = answer.i16()?;
    let assigned = assignment::assigned(Answer::of(answer.bytes()?))?;
    Ok(fine(error, assigned))
}

pub(super) fn heartbeat(group: &str, member: &Member) -> Question {
    of_member(group, member)
}

pub(super) fn leave(group: &str, member: &Member) -> Question {
    let mut question = Question::default();
    question.text(group);
    question.text(&member.id);
    question
}

/// What is said to a heartbeat and to one who leaves.
pub(super) fn done(mut answer: Answer<'_>) -> Result<Result<(), i16>, Nonsense> {
    answer.i32()?;
    Ok(fine(answer.i16()?, ()))
}

fn of_member(group: &str, member: &Member) -> Question {
    let mut question = Question::default();
    question.text(group);
    question.i32(member.generation);
    question.text(&member.id);
    question
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kafka::answers::FINE;
    use crate::kafka::answers::tests::read;

    fn member() -> Member {
        Member {
            id: "m-2".to_owned(),
            generation: 7,
        }
    }

    fn share() -> Named {
        Named::from([("orders".to_owned(), BTreeSet::from([0, 3]))])
    }

    #[test]
    fn who_joins_says_how_long_it_may_be_waited_for() {
        let terms = Terms::of(Duration::from_millis(258));
        let question = join("g", &Member::default(), terms, b"ab");
        let expected = b"\x00\x01g\x00\x00\x27\x10\x00\x00\x01\x02\x00\x00\x00\x08consumer\
                         \x00\x00\x00\x01\x00\x05range\x00\x00\x00\x02ab";
        assert_eq!(question.written(), expected);
    }

    #[test]
    fn a_member_is_known_by_its_name_and_generation() {
        let expected = b"\x00\x01g\x00\x00\x00\x07\x00\x03m-2";
        assert_eq!(heartbeat("g", &member()).written(), expected);
        assert_eq!(leave("g", &member()).written(), b"\x00\x01g\x00\x03m-2");
        let shares = [("m-2".to_owned(), share())];
        let question = sync("g", &member(), &shares);
        let share = assignment::assignment(&share());
        let mut all = expected.to_vec();
        all.extend(b"\x00\x00\x00\x01\x00\x03m-2\x00\x00\x00");
        all.push(u8::try_from(share.written().len()).unwrap());
        all.extend(share.written());
        assert_eq!(question.written(), all);
    }

    fn answer_to_join(error: i16, leader: &str, members: &[&str]) -> Question {
        let mut answer = Question::default();
        answer.i32(0);
        answer.i16(error);
        answer.i32(7);
        answer.text(PROTOCOL);
        answer.text(leader);
        answer.text("m-2");
        answer.list(members.iter(), |answer, member| {
            answer.text(member);
            let topics = ["orders".to_owned()];
            answer.bytes(assignment::subscription(&topics).written());
        });
        answer
    }

    #[test]
    fn only_the_leader_is_told_who_the_members_are() {
        let orders = BTreeSet::from(["orders".to_owned()]);
        let all = ["m-1", "m-2"].map(|id| (id.to_owned(), orders.clone()));
        for (leader, members, is_leader, expected) in [
            ("m-2", &["m-1", "m-2"][..], true, all.to_vec()),
            ("m-1", &[], false, Vec::new()),
        ] {
            let joined = read(&answer_to_join(FINE, leader, members), joined);
            let expected = Joined {
                member: member(),
                is_leader,
                members: expected,
            };
            assert_eq!(joined, Ok(expected));
        }
        assert_eq!(read(&answer_to_join(25, "", &[]), joined), Err(25));
    }

    #[test]
    fn an_answer_is_what_was_assigned_or_an_error() {
        for (error, assigned, expected) in
            [(FINE, share(), Ok(share())), (27, Named::new(), Err(27))]
        {
            let mut answer = Question::default();
            answer.i32(0);
            answer.i16(error);
            answer.bytes(assignment::assignment(&assigned).written());
            assert_eq!(read(&answer, synced), expected);
            let mut answer = Question::default();
            answer.i32(0);
            answer.i16(error);
            assert_eq!(read(&answer, done), expected.map(drop));
        }
    }

    proptest! {
        /// Whatever a broker or another member sends, it is read or nonsense, and takes no more memory
        /// than it has bytes.
        #[test]
        fn anything_may_be_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let answer = || Answer::of(&bytes);
            if let Ok(Ok(joined)) = joined(answer()) {
                prop_assert!(joined.members.len() <= bytes.len());
            }
            if let Ok(Ok(assigned)) = synced(answer()) {
                prop_assert!(assigned.values().map(BTreeSet::len).sum::<usize>() <= bytes.len());
            }
            prop_assert_eq!(done(answer()).is_ok(), bytes.len() >= 6);
        }
    }
}
