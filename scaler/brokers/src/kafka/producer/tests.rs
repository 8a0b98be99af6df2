use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::kafka::api::{API_VERSIONS, METADATA, NEEDED, PRODUCE};
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

/// A broker that leads partition 0 of `orders`, and does one after the other when it is asked to write.
struct Broker {
    listener: TcpListener,
    address: Address,
    acts: std::vec::IntoIter<Act>,
    /// The values that it was asked to write.
    values: Vec<Vec<u8>>,
}

impl Broker {
    async fn new(acts: &[Act]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::parse(&listener.local_addr().unwrap().to_string());
        Self {
            listener,
            address: address.unwrap(),
            acts: acts.to_vec().into_iter(),
            values: Vec::new(),
        }
    }

    async fn serve(&mut self) {
        loop {
            let (mut stream, _) = self.listener.accept().await.unwrap();
            while self.answer(&mut stream).await {}
        }
    }

    /// Answers a question, and returns whether the connection stays.
    async fn answer(&mut self, stream: &mut TcpStream) -> bool {
        let Ok(length) = stream.read_i32().await else {
            return false;
        };
        let mut question = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut question).await.unwrap();
        let mut question = Answer::of(&question);
        let (key, version) = (question.i16().unwrap(), question.i16().unwrap());
        let number = question.i32().unwrap();
        question.text().unwrap();
        let mut answer = Question::default();
        answer.i32(number);
        let mut stays = true;
        if key == API_VERSIONS.key {
            versions(&mut answer);
        } else if key == METADATA.key {
            self.topics(&mut answer);
        } else {
            assert_eq!((key, version), (PRODUCE.key, PRODUCE.version));
            self.values.push(value(question));
            match self.acts.next().unwrap() {
                Act::Answers(error) => written(&mut answer, error),
                Act::Ends => {
                    written(&mut answer, FINE);
                    stays = false;
                }
                Act::Breaks => return false,
            }
        }
        let mut framed = Question::default();
        framed.bytes(answer.written());
        stream.write_all(framed.written()).await.unwrap();
        stays
    }

    fn topics(&self, answer: &mut Question) {
        let Address { host, port } = &self.address;
        answer.i32(0);
        answer.list([7].iter(), |answer, node| {
            answer.i32(*node);
            answer.text(host);
            answer.i32(i32::from(*port));
            answer.no_text();
        });
        answer.text("cluster");
        answer.i32(7);
        answer.list(["orders"].iter(), |answer, topic| {
            answer.i16(FINE);
            answer.text(topic);
            answer.i8(0);
            answer.list([0].iter(), |answer, partition| {
                answer.i16(FINE);
                answer.i32(*partition);
                answer.i32(7);
                answer.no_list();
                answer.no_list();
            });
        });
    }
}

fn versions(answer: &mut Question) {
    answer.i16(FINE);
    answer.list(NEEDED.iter(), |answer, api| {
        answer.i16(api.key);
        answer.i16(api.version);
        answer.i16(api.version);
    });
}

fn written(answer: &mut Question, error: i16) {
    answer.list(["orders"].iter(), |answer, topic| {
        answer.text(topic);
        answer.list([0].iter(), |answer, partition| {
            answer.i32(*partition);
            answer.i16(error);
            answer.i64(0);
            answer.i64(-1);
        });
    });
    answer.i32(0);
}

/// The value of the one record that is to be written.
fn value(mut question: Answer<'_>) -> Vec<u8> {
    question.text().unwrap();
    assert_eq!(question.i16(), Ok(-1), "all replicas");
    question.i32().unwrap();
    let topics = question.list(|question| {
        assert_eq!(question.text(), Ok("orders".to_owned()));
        question.list(|question| {
            assert_eq!(question.i32(), Ok(0));
            let mut batch = Answer::of(question.bytes()?);
            let first = batch.i64()?;
            let head = records::head(first, Answer::of(batch.bytes()?))?;
            Ok(head.records.read().unwrap()[0].value.to_vec())
        })
    });
    assert!(question.is_over());
    topics.unwrap().concat().concat()
}

/// What became of these values, one after the other, and those that the broker was asked to write.
async fn send(acts: &[Act], values: &[&str]) -> (Vec<Result<(), SendError>>, Vec<String>) {
    let mut broker = Broker::new(acts).await;
    let settings = Settings::new(vec![broker.address.clone()], None);
    let mut producer = Producer::new(Connect::anywhere(), settings, "orders");
    let sending = async {
        let shares = producer.find().await.unwrap();
        assert_eq!(shares, [BTreeSet::from([0])]);
        let mut all = Vec::new();
        for value in values {
            let message = Message {
                value: value.as_bytes().to_vec(),
                ..Message::default()
            };
            let messages = BTreeMap::from([(0, vec![message])]);
            all.push(producer.send(&messages).await.remove(&0).unwrap());
        }
        all
    };
    let sent = tokio::select! {
        sent = sending => sent,
        () = broker.serve() => unreachable!("it serves for as long as it is asked"),
    };
    let values = broker.values.iter();
    let values = values.map(|value| String::from_utf8_lossy(value).into_owned());
    (sent, values.collect())
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
        let (sent, found) = send(acts, values).await;
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
        let (sent, found) = send(&[act], &["a"]).await;
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
    let broker = Broker::new(&[]).await;
    let settings = Settings::new(vec![broker.address.clone()], None);
    let mut producer = Producer::new(Connect::anywhere(), settings, "orders");
    drop(broker);
    let error = producer.find().await.unwrap_err().to_string();
    assert!(
        error.starts_with("bootstrapServers: cannot connect to 127.0.0.1:"),
        "{error}"
    );
}
