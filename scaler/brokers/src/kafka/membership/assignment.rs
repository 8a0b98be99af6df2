//! What members tell each other through their group's broker, which does not look into it: the topics
//! that they want, and the partitions that they get. Kafka's own consumers read and write the same.

use std::collections::BTreeSet;

use super::super::Named;
use super::super::wire::{Answer, Nonsense, Question};

/// The name of the way in which partitions are assigned.
pub(super) const PROTOCOL: &str = "range";

/// The form that has the least, which all can read; later ones only add something at the end.
const FORM: i16 = 0;

/// Which topics a member wants.
pub(super) fn subscription(topics: &[String]) -> Question {
    let mut message = Question::default();
    message.i16(FORM);
    message.list(topics.iter(), |message, topic| message.text(topic));
    // Nothing of its own.
    message.no_list();
    message
}

pub(super) fn subscribed(mut message: Answer<'_>) -> Result<BTreeSet<String>, Nonsense> {
    form(&mut message)?;
    let topics = message.list(Answer::text)?;
    Ok(topics.into_iter().collect())
}

/// Which partitions a member gets.
pub(super) fn assignment(partitions: &Named) -> Question {
    let mut message = Question::default();
    message.i16(FORM);
    message.list(partitions.iter(), |message, (topic, partitions)| {
        message.text(topic);
        message.list(partitions.iter(), |message, partition| {
            message.i32(*partition);
        });
    });
    message.no_list();
    message
}

/// A leader may have said nothing at all of a member that gets nothing.
pub(super) fn assigned(mut message: Answer<'_>) -> Result<Named, Nonsense> {
    if message.is_over() {
        return Ok(Named::new());
    }
    form(&mut message)?;
    let topics = message.list(|message| {
        let topic = message.text()?;
        let partitions = message.list(Answer::i32)?;
        Ok((topic, partitions.into_iter().collect()))
    })?;
    Ok(topics.into_iter().collect())
}

fn form(message: &mut Answer<'_>) -> Result<(), Nonsense> {
    if message.i16()? < FORM {
        return Err(Nonsense);
    }
    Ok(())
}

/// What each member gets: of each topic that it wants a run of partitions, in the order of the members'
/// names, of which the first ones get one more where it does not come out even.
pub(super) fn by_range(
    members: &[(String, BTreeSet<String>)],
    topics: &Named,
) -> Vec<(String, Named)> {
    let mut shares: Vec<_> = members
        .iter()
        .map(|(member, _)| (member.clone(), Named::new()))
        .collect();
    for (topic, partitions) in topics {
        let wants = |place: &usize| members.get(*place).is_some_and(|one| one.1.contains(topic));
        let mut takers: Vec<usize> = (0..members.len()).filter(wants).collect();
        takers.sort_by_key(|place| members.get(*place).map(|(member, _)| member));
        let mut left = partitions.iter().copied();
        for (before, place) in takers.iter().enumerate() {
            let count = left.len().div_ceil(takers.len() - before);
            let share: BTreeSet<i32> = left.by_ref().take(count).collect();
            if let Some((_, named)) = shares.get_mut(*place).filter(|_| !share.is_empty()) {
                named.insert(topic.clone(), share);
            }
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kafka::answers::tests::read;

    fn named(topics: &[(&str, &[i32])]) -> Named {
        let topics = topics.iter().map(|(topic, partitions)| {
            let partitions = partitions.iter().copied().collect();
            ((*topic).to_owned(), partitions)
        });
        topics.collect()
    }

    #[test]
    fn a_subscription_is_one_of_kafkas_consumers() {
        let message = subscription(&["orders".to_owned(), "a".to_owned()]);
        let expected = b"\x00\x00\x00\x00\x00\x02\x00\x06orders\x00\x01a\xff\xff\xff\xff";
        assert_eq!(message.written(), expected);
        let topics = BTreeSet::from(["a".to_owned(), "orders".to_owned()]);
        assert_eq!(subscribed(Answer::of(expected)), Ok(topics.clone()));
        // The third form, with partitions that it had, a generation and a rack.
        let mut later = expected.to_vec();
        later[1] = 3;
        later.extend(b"\x00\x00\x00\x00\x00\x00\x00\x05\x00\x01r");
        assert_eq!(subscribed(Answer::of(&later)), Ok(topics));
        later[0] = 0xff;
        assert_eq!(subscribed(Answer::of(&later)), Err(Nonsense));
    }

    #[test]
    fn an_assignment_is_one_of_kafkas_consumers() {
        let partitions = named(&[("a", &[1]), ("b", &[0, 2])]);
        let message = assignment(&partitions);
        let expected = b"\x00\x00\x00\x00\x00\x02\
                         \x00\x01a\x00\x00\x00\x01\x00\x00\x00\x01\
                         \x00\x01b\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x02\
                         \xff\xff\xff\xff";
        assert_eq!(message.written(), expected);
        assert_eq!(assigned(Answer::of(expected)), Ok(partitions));
        assert_eq!(assigned(Answer::of(b"")), Ok(Named::new()));
        assert_eq!(assigned(Answer::of(&expected[..20])), Err(Nonsense));
        let nothing = assignment(&Named::new());
        assert_eq!(assigned(Answer::of(nothing.written())), Ok(Named::new()));
    }

    fn shares(members: &[(&str, &[&str])], topics: &Named) -> Vec<Named> {
        let members: Vec<_> = members
            .iter()
            .map(|(member, topics)| {
                let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
                ((*member).to_owned(), topics)
            })
            .collect();
        let shares = by_range(&members, topics);
        let order = shares.iter().map(|(member, _)| member);
        assert!(order.eq(members.iter().map(|(member, _)| member)));
        shares.into_iter().map(|(_, share)| share).collect()
    }

    #[test]
    fn members_get_runs_of_partitions_in_the_order_of_their_names() {
        let all: [&str; 1] = ["a"];
        let of = |partitions: &[i32]| named(&[("a", partitions)]);
        let four = of(&[0, 1, 2, 3]);
        for (members, expected) in [
            (&["x"][..], vec![of(&[0, 1, 2, 3])]),
            (&["x", "y"], vec![of(&[0, 1]), of(&[2, 3])]),
            (&["y", "x"], vec![of(&[2, 3]), of(&[0, 1])]),
            (&["z", "y", "x"], vec![of(&[3]), of(&[2]), of(&[0, 1])]),
            (
                &["v", "w", "x", "y", "z"],
                vec![of(&[0]), of(&[1]), of(&[2]), of(&[3]), Named::new()],
            ),
        ] {
            let members: Vec<_> = members.iter().map(|one| (*one, &all[..])).collect();
            assert_eq!(shares(&members, &four), expected, "{members:?}");
        }
    }

    #[test]
    fn members_get_only_what_they_want() {
        let topics = named(&[("a", &[0, 1, 2]), ("b", &[0, 1])]);
        let members: [(&str, &[&str]); 3] = [("x", &["a"]), ("y", &["b", "a"]), ("z", &["gone"])];
        let expected = vec![
            named(&[("a", &[0, 1])]),
            named(&[("a", &[2]), ("b", &[0, 1])]),
            Named::new(),
        ];
        assert_eq!(shares(&members, &topics), expected);
    }

    #[test]
    fn a_message_that_is_cut_is_nonsense() {
        // Without what comes after the topics, which is not looked at.
        let mut message = Question::default();
        message.i16(FORM);
        message.list(["orders"].iter(), |message, topic| message.text(topic));
        let topics = read(&message, subscribed);
        assert_eq!(topics, BTreeSet::from(["orders".to_owned()]));
    }
}
