//! A broker for tests, which leads partition 0 of the topic `orders`.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Address;
use super::answers::FINE;
use super::api::{API_VERSIONS, METADATA, NEEDED};
use super::wire::{Answer, Question};

/// What is done about a question.
pub(super) enum Reply {
    Answers(Question),
    /// Answers, and closes the connection.
    Ends(Question),
    /// Closes the connection without an answer.
    Breaks,
    /// Says nothing.
    Waits,
}

/// A running one, which ends when it is dropped.
pub(super) struct StandIn {
    pub(super) address: Address,
    _serving: JoinSet<()>,
}

/// Starts one, for as many connections as are made. It says itself which versions it knows and where topics are; what
/// else it is asked, and in which version, `reply` answers.
pub(super) async fn start(
    reply: impl FnMut((i16, i16), Answer<'_>) -> Reply + Send + 'static,
) -> StandIn {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::parse(&listener.local_addr().unwrap().to_string()).unwrap();
    let reply = Arc::new(Mutex::new(reply));
    let own = address.clone();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            connections.spawn(serve(stream, own.clone(), Arc::clone(&reply)));
        }
    });
    StandIn {
        address,
        _serving: serving,
    }
}

async fn serve<R>(mut stream: TcpStream, own: Address, reply: Arc<Mutex<R>>)
where
    R: FnMut((i16, i16), Answer<'_>) -> Reply,
{
    while let Ok(length) = stream.read_i32().await {
        let mut question = vec![0; usize::try_from(length).unwrap()];
        stream.read_exact(&mut question).await.unwrap();
        let mut question = Answer::of(&question);
        let (key, version) = (question.i16().unwrap(), question.i16().unwrap());
        let number = question.i32().unwrap();
        question.text().unwrap();
        let reply = if key == API_VERSIONS.key {
            Reply::Answers(versions())
        } else if key == METADATA.key {
            Reply::Answers(topics(&own))
        } else {
            let mut reply = reply.lock().unwrap();
            reply((key, version), question)
        };
        let (answer, stays) = match reply {
            Reply::Answers(answer) => (answer, true),
            Reply::Ends(answer) => (answer, false),
            Reply::Breaks => return,
            Reply::Waits => std::future::pending().await,
        };
        let mut framed = Question::default();
        framed.length(size_of::<i32>() + answer.written().len());
        framed.i32(number);
        framed.raw(answer.written());
        stream.write_all(framed.written()).await.unwrap();
        if !stays {
            return;
        }
    }
}

fn versions() -> Question {
    let mut answer = Question::default();
    answer.i16(FINE);
    answer.list(NEEDED.iter(), |answer, api| {
        answer.i16(api.key);
        answer.i16(api.version);
        answer.i16(api.version);
    });
    answer
}

fn topics(own: &Address) -> Question {
    let Address { host, port } = own;
    let mut answer = Question::default();
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
    answer
}

/// What an answer says of partition 0 of `orders`.
pub(super) fn of_partition(answer: &mut Question, write: impl Fn(&mut Question)) {
    answer.list(["orders"].iter(), |answer, topic| {
        answer.text(topic);
        answer.list([0].iter(), |answer, partition| {
            answer.i32(*partition);
            write(answer);
        });
    });
}

/// What a question has of partition 0 of `orders`.
pub(super) fn asked<'a, T>(
    question: &mut Answer<'a>,
    mut read: impl FnMut(&mut Answer<'a>) -> T,
) -> T {
    let topics = question.list(|question| {
        assert_eq!(question.text(), Ok("orders".to_owned()));
        question.list(|question| {
            assert_eq!(question.i32(), Ok(0));
            Ok(read(question))
        })
    });
    let mut all: Vec<T> = topics.unwrap().into_iter().flatten().collect();
    assert_eq!((all.len(), question.is_over()), (1, true));
    all.remove(0)
}
