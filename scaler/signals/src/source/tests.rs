//! Sources whose server fails in each way there is, by real sockets.

use std::collections::BTreeMap;

use ebbtide_core::document::{RuleForm, ScaleRule};
use ebbtide_core::time::Clock;
use ebbtide_core::trigger::reach::Reach;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::*;
use crate::{Lookup, SourceKey, Sources, WallClock, Wanted};

struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::from_secs(1)
    }
}

impl WallClock for Stopped {
    fn wall_now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

struct Nothing;

impl Lookup for Nothing {
    fn secret(&self, name: &str) -> Result<String, String> {
        Err(format!("no {name}"))
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        Err(format!("no {name}"))
    }
}

/// The source of a rule that asks a Prometheus at this address.
fn source(address: &str) -> Arc<SourceKey> {
    let metadata = [
        ("serverAddress", address),
        ("query", "queue_length"),
        ("threshold", "10"),
    ];
    let rule = ScaleRule {
        name: "orders".to_owned(),
        form: RuleForm::Custom,
        scaler: "prometheus".to_owned(),
        metadata: BTreeMap::from(metadata.map(|(key, value)| (key.to_owned(), value.to_owned()))),
        auth: Vec::new(),
        identity: None,
    };
    let parameters = Parameters::resolve(&rule, &Nothing).unwrap().unwrap();
    Arc::new(SourceKey {
        parameters,
        is_bounded: false,
    })
}

const ANSWER: &str = r#"{"status":"success","data":{"resultType":"scalar","result":[1,"42"]}}"#;

/// What a server does with a connection once the request is there.
#[derive(Clone, Copy, Debug)]
enum Manner {
    Right,
    /// It answers nothing.
    Hang,
    /// It begins an answer and closes the connection.
    Cut,
    /// It sends a byte now and then, for longer than anyone waits.
    Slow,
    /// It answers something of 10 MB.
    Large,
    /// It speaks another protocol.
    Nonsense,
    /// A number that no queue has.
    Negative,
}

async fn serve(mut connection: TcpStream, manner: Manner) {
    let mut request = [0; 4096];
    while connection
        .read(&mut request)
        .await
        .is_ok_and(|read| read > 0)
    {
        let head = |length: usize| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
        let right = head(ANSWER.len()) + ANSWER;
        let written = match manner {
            Manner::Right => connection.write_all(right.as_bytes()).await,
            Manner::Hang => continue,
            Manner::Cut => {
                let _ = connection
                    .write_all(&right.as_bytes()[..right.len() - 9])
                    .await;
                return;
            }
            Manner::Slow => {
                for byte in right.into_bytes() {
                    if connection.write_all(&[byte]).await.is_err() {
                        return;
                    }
                    sleep(Duration::from_millis(500)).await;
                }
                continue;
            }
            Manner::Large => {
                let _ = connection.write_all(head(10 << 20).as_bytes()).await;
                connection.write_all(&vec![b'1'; 10 << 20]).await
            }
            Manner::Nonsense => connection.write_all(b"220 mail.example ESMTP\r\n").await,
            Manner::Negative => {
                let answer = ANSWER.replace("42", "-1");
                let answer = head(answer.len()) + &answer;
                connection.write_all(answer.as_bytes()).await
            }
        };
        if written.is_err() {
            return;
        }
    }
}

/// A server of this manner, and its address.
async fn server(tasks: &mut JoinSet<()>, manner: Manner) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tasks.spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((connection, _)) = listener.accept().await {
            connections.spawn(serve(connection, manner));
        }
    });
    address
}

fn sources() -> Sources {
    Sources::new(Arc::new(Stopped), Arc::new(Reach::default()), 7)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_fails_is_told_of_and_delays_no_other() {
    let mut servers = JoinSet::new();
    let cases = [
        (Manner::Right, ""),
        (Manner::Hang, "no answer within 5 s"),
        (Manner::Cut, "serverAddress: "),
        (Manner::Slow, "no answer within 5 s"),
        (Manner::Large, "more than 4 MiB"),
        (Manner::Nonsense, "serverAddress: "),
        (Manner::Negative, "-1 was read, which is not an amount"),
    ];
    let mut keys = Vec::new();
    for (manner, error) in cases {
        keys.push((source(&server(&mut servers, manner).await), manner, error));
    }
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusing = format!("http://{}", gone.local_addr().unwrap());
    drop(gone);
    keys.push((source(&refusing), Manner::Hang, "onnection refused"));
    let nowhere = source("http://nowhere.invalid");
    keys.push((
        nowhere,
        Manner::Hang,
        "host nowhere.invalid cannot be resolved",
    ));

    let mut all = sources();
    let second = Duration::from_secs(1);
    all.follow(
        keys.iter()
            .map(|(key, ..)| (Arc::clone(key), second))
            .collect(),
    );
    // A hundred reads of the server that answers, while the others fail as they do.
    let mut right = all.state(&keys[0].0).unwrap();
    let read = right
        .wait_for(|state| state.reads >= 100)
        .await
        .unwrap()
        .clone();
    assert_eq!((read.failures, read.error), (0, None));
    for (key, manner, error) in keys {
        let mut state = all.state(&key).unwrap();
        let state = state.wait_for(|state| state.reads > 0).await.unwrap();
        let said = state.error.as_ref().map(ToString::to_string);
        let said = said.unwrap_or_default();
        assert!(said.contains(error), "{manner:?}: {said}");
        let value = state.sample.map(|sample| sample.value);
        assert_eq!(value, error.is_empty().then_some(42.0), "{manner:?}");
    }
    all.shutdown().await;
}

#[tokio::test(start_paused = true)]
async fn rules_that_name_one_source_share_it_and_those_not_wanted_end() {
    let mut servers = JoinSet::new();
    let key = source(&server(&mut servers, Manner::Right).await);
    let mut all = sources();
    let wanted = |seconds| Wanted::from([(Arc::clone(&key), Duration::from_secs(seconds))]);
    all.follow(wanted(60));
    let mut state = all.state(&source(&key_address(&key))).unwrap();
    state.wait_for(|state| state.reads == 1).await.unwrap();
    // A shorter interval is taken up at once, and what is known stays.
    all.follow(wanted(1));
    state.wait_for(|state| state.reads == 4).await.unwrap();
    assert_eq!(all.count(), 1);
    all.follow(Wanted::new());
    assert_eq!(all.count(), 0);
    assert!(
        state.wait_for(|_| false).await.is_err(),
        "its task has ended"
    );
}

fn key_address(key: &SourceKey) -> String {
    key.parameters.text("serverAddress").unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn what_a_rule_may_not_reach_is_not_connected_to() {
    let mut servers = JoinSet::new();
    let mut key = Arc::unwrap_or_clone(source(&server(&mut servers, Manner::Right).await));
    key.is_bounded = true;
    let key = Arc::new(key);
    let mut all = sources();
    all.follow(Wanted::from([(Arc::clone(&key), Duration::from_secs(1))]));
    let mut state = all.state(&key).unwrap();
    let state = state.wait_for(|state| state.reads > 0).await.unwrap();
    let error = state.error.as_ref().unwrap().to_string();
    assert!(error.starts_with("serverAddress: "), "{error}");
    assert!(error.contains("--allow-address"), "{error}");
}

#[test]
fn failures_are_tried_again_later_and_later_up_to_a_bound() {
    let second = Duration::from_secs(1);
    let after = |failures| backoff(second, failures).as_secs();
    assert_eq!([0, 1, 2, 3, 5, 6, 99].map(after), [1, 1, 2, 4, 16, 30, 30]);
    assert_eq!(backoff(second * 300, 9), second * 300);
}

#[test]
fn jitter_is_small_and_differs() {
    let interval = Duration::from_secs(100);
    let pauses: Vec<u128> = (0..200)
        .map(|read| jittered(interval, 7, read).as_millis())
        .collect();
    assert!(
        pauses
            .iter()
            .all(|pause| (95_000..=105_000).contains(pause))
    );
    let mean = pauses.iter().sum::<u128>() / 200;
    assert!((99_000..=101_000).contains(&mean), "{mean}");
    assert_ne!(jittered(interval, 7, 0), jittered(interval, 8, 0));
}

#[test]
fn totals_become_rates_and_those_that_ran_back_do_not() {
    let total = |arrived, finished| Amount {
        arrivals: Some(Flow::Total(arrived)),
        completions: Some(Flow::Total(finished)),
        ..Amount::from(3.0)
    };
    let (then, now) = (Timestamp::from_secs(10), Timestamp::from_secs(14));
    let rates = work(&total(120.0, 40.0), now, Some((then, total(100.0, 60.0))));
    assert_eq!(rates.arrivals, Some(5.0));
    assert_eq!(rates.completions, None);
    assert_eq!(work(&total(1.0, 1.0), now, None).arrivals, None);
    let same = work(&total(120.0, 60.0), then, Some((then, total(100.0, 60.0))));
    assert_eq!(same.arrivals, None);
}
