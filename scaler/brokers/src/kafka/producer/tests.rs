use std::sync::{Arc, Mutex};

use super::*;
use crate::kafka::api::PRODUCE;
use crate::kafka::stand_in::{self, Reply, asked, of_partition};
use crate::kafka::wire::{Answer, Question};

/// What a broker does when it is asked to write.
#[derive(Clone, Copy, Debug)]
enum Act {
    Answers(i16),
    /// Answers, and closes the connection.
    Ends,
    /// Closes the connection without an answer.
    Breaks,
}

fn reply(act: Act) -> Reply {
    let written = |error| {
        let mut answer = Question::default();
        of_partition(&mut answer, |answer| {
            answer.i16(error);
            answer.i64(0);
            answer.i64(-1);
        });
        answer.i32(0);
        answer
    };
    match act {
        Act::Answers(error) => Reply::Answers(written(error)),
        Act::Ends => Reply::Ends(written(FINE)),
        Act::Breaks => Reply::Breaks,
    }
}

/// The value of the one record that is to be written.
fn value(mut question: Answer<'_>) -> String {
    question.text().unwrap();
    assert_eq!(question.i16(), Ok(-1), "all replicas");
    question.i32().unwrap();
    asked(&mut question, |question| {
        let mut batch = Answer::of(question.bytes().unwrap());
        let first = batch.i64().unwrap();
        let head = records::head(first, Answer::of(batch.bytes().unwrap()));
        let records = head.ok().unwrap().records;
        let record = records.read().unwrap().remove(0);
        String::from_utf8_lossy(record.value).into_owned()
    })
}

/// What became of these values, one after the other, and those that the broker was asked to write while it did one
/// after the other of these.
async fn send(acts: Vec<Act>, values: &[&str]) -> (Vec<Result<(), SendError>>, Vec<String>) {
    let found: Arc<Mutex<Vec<String>>> = Arc::default();
    let (kept, mut acts) = (Arc::clone(&found), acts.into_iter());
    let broker = stand_in::start(move |api, question| {
        assert_eq!(api, (PRODUCE.key, PRODUCE.version));
        kept.lock().unwrap().push(value(question));
        reply(acts.next().unwrap())
    });
    let broker = broker.await;
    let settings = Settings::new(vec![broker.address.clone()], None);
    let mut producer = Producer::new(Connect::anywhere(), settings, "orders");
    let shares = producer.find().await.unwrap();
    assert_eq!(shares, [BTreeSet::from([0])]);
    let mut sent = Vec::new();
    for value in values {
        let message = Message {
            value: value.as_bytes().to_vec(),
            ..Message::default()
        };
        let messages = BTreeMap::from([(0, vec![message])]);
        sent.push(producer.send(&messages).await.remove(&0).unwrap());
    }
    let found = found.lock().unwrap().clone();
    (sent, found)
}

#[tokio::test]
async fn what_is_certain_not_to_be_there_is_written_again() {
    use Act::{Answers, Ends};
    for (acts, values, asked) in [
        (&[Answers(FINE), Answers(FINE)][..], &["a", "b"][..], "ab"),
        (&[Answers(OTHER_LEADER), Answers(FINE)], &["a"], "aa"),
        (&[Answers(TOO_FEW_REPLICAS), Answers(FINE)], &["a"], "aa"),
        // The connection is closed in between.
        (&[Ends, Answers(FINE)], &["a", "b"], "ab"),
    ] {
        let (sent, found) = send(acts.to_vec(), values).await;
        assert_eq!(sent, vec![Ok(()); values.len()], "{acts:?}");
        assert_eq!(found.concat(), asked, "{acts:?}");
    }
}

#[tokio::test]
async fn what_may_be_there_or_is_refused_is_not() {
    for (act, expected) in [
        (
            Act::Breaks,
            "bootstrapServers: ADDRESS closes the connection when asked for Produce; are tls and sasl \
             what they should be?",
        ),
        (Act::Answers(29), "topic: the user may not write to orders"),
        (
            Act::Answers(10),
            "topic: a record, or all that go with it, is longer than orders takes (max.message.bytes)",
        ),
        (
            Act::Answers(20),
            "topic: not all replicas of orders that keep up have written a record",
        ),
        (
            Act::Answers(77),
            "topic: the broker answers with the error 77 for orders",
        ),
    ] {
        let (sent, found) = send(vec![act], &["a"]).await;
        assert_eq!(found, ["a"], "{act:?}");
        let error = sent[0].clone().unwrap_err();
        assert_eq!(
            matches!(error, SendError::Unanswered(_)),
            matches!(act, Act::Breaks)
        );
        let words = error.to_string();
        let address = words.split(' ').find(|word| word.starts_with("127.0.0.1:"));
        let words = address.map_or(words.clone(), |address| words.replace(address, "ADDRESS"));
        assert_eq!(words, expected);
    }
}

#[tokio::test]
async fn a_broker_that_is_gone_is_said() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    drop(listener);
    let settings = Settings::new(vec![address], None);
    let mut producer = Producer::new(Connect::anywhere(), settings, "orders");
    let error = producer.find().await.unwrap_err().to_string();
    let expected = "bootstrapServers: cannot connect to 127.0.0.1:";
    assert!(error.starts_with(expected), "{error}");
}
