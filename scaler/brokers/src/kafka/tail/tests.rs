use std::sync::{Arc, Mutex};

use super::*;
use crate::kafka::answers::FINE;
use crate::kafka::api::{FETCH, LIST_OFFSETS};
use crate::kafka::records::{Message, batch};
use crate::kafka::stand_in::{self, Reply, StandIn, asked, of_partition};
use crate::kafka::wire::{Answer, Question};

/// What a broker does when it is asked for records.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// Has a batch of these values, the first of them at an offset.
    Has(i64, &'static [&'static str]),
    HasNothing,
    Refuses(i16),
    Breaks,
}

fn fetched(error: i16, first: i64, values: &[&str]) -> Question {
    let messages = values.iter().map(|value| Message {
        value: value.as_bytes().to_vec(),
        ..Message::default()
    });
    let messages: Vec<_> = messages.collect();
    let mut records = if messages.is_empty() {
        Vec::new()
    } else {
        batch(&messages)
    };
    if let Some(offset) = records.get_mut(..size_of::<i64>()) {
        offset.copy_from_slice(&first.to_be_bytes());
    }
    let mut answer = Question::default();
    answer.i32(0);
    of_partition(&mut answer, |answer| {
        answer.i16(error);
        answer.i64(0);
        answer.i64(0);
        answer.no_list();
        answer.bytes(&records);
    });
    answer
}

/// The offset that is asked for.
fn offset(mut question: Answer<'_>) -> i64 {
    question
        .take(4 * size_of::<i32>() + size_of::<i8>())
        .unwrap();
    asked(&mut question, |question| {
        let offset = question.i64().unwrap();
        question.i32().unwrap();
        offset
    })
}

/// A topic whose end is at 40, of a broker that does one after the other of these, and the offsets that it is asked for.
async fn tail(acts: Vec<Act>) -> (Tail, Arc<Mutex<Vec<i64>>>, StandIn) {
    let found: Arc<Mutex<Vec<i64>>> = Arc::default();
    let (kept, mut acts) = (Arc::clone(&found), acts.into_iter());
    let broker = stand_in::start(move |api, question| {
        if api == (LIST_OFFSETS.key, LIST_OFFSETS.version) {
            let mut answer = Question::default();
            of_partition(&mut answer, |answer| {
                answer.i16(FINE);
                answer.i64(-1);
                answer.i64(40);
            });
            return Reply::Answers(answer);
        }
        assert_eq!(api, (FETCH.key, FETCH.version));
        kept.lock().unwrap().push(offset(question));
        match acts.next() {
            Some(Act::Has(first, values)) => Reply::Answers(fetched(FINE, first, values)),
            Some(Act::HasNothing) => Reply::Answers(fetched(FINE, 0, &[])),
            Some(Act::Refuses(error)) => Reply::Answers(fetched(error, 0, &[])),
            Some(Act::Breaks) => Reply::Breaks,
            None => Reply::Waits,
        }
    });
    let broker = broker.await;
    let settings = Settings::new(vec![broker.address.clone()], None);
    let tail = Tail::open(Connect::anywhere(), settings, "orders").await;
    (tail.unwrap(), found, broker)
}

#[tokio::test]
async fn what_comes_after_the_end_is_read_and_nothing_twice_or_left_out_after_a_fault() {
    use Act::{Breaks, Has, HasNothing, Refuses};
    let acts = vec![
        HasNothing,
        // It begins before the end, where the topic was opened.
        Has(39, &["old", "a", "b"]),
        Breaks,
        Has(42, &["c"]),
        Refuses(6),
        // The broker has the batch from its beginning on.
        Has(42, &["c", "d"]),
    ];
    let (mut tail, asked, _broker) = tail(acts).await;
    let mut read = Vec::new();
    let mut faults = Vec::new();
    while read.len() < 4 {
        match tail.next().await {
            Ok(values) => read.extend(values),
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    assert_eq!(read, [b"a", b"b", b"c", b"d"]);
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(faults[0].contains("closes the connection when asked for Fetch"));
    assert!(
        faults[1].contains("the leader of a partition changes"),
        "{faults:?}"
    );
    assert_eq!(asked.lock().unwrap()[..6], [40, 40, 42, 42, 43, 43]);
}
