use std::collections::BTreeMap;
use std::sync::Arc;

use ebbtide_core::document::{RuleForm, ScaleRule};
use ebbtide_core::time::{Clock, Timestamp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::yield_now;

use crate::amount::Amount;
use crate::clock::WallClock;
use crate::parameters::{Lookup, Parameters};
use crate::readers::{Context, open};
use ebbtide_brokers::connect::Connect;

struct Nothing;

impl Clock for Nothing {
    fn now(&self) -> Timestamp {
        Timestamp::from_nanos(0)
    }
}

impl WallClock for Nothing {
    fn wall_now(&self) -> jiff::Timestamp {
        jiff::Timestamp::UNIX_EPOCH
    }
}

impl Lookup for Nothing {
    fn secret(&self, name: &str) -> Result<String, String> {
        Err(name.to_owned())
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        Err(name.to_owned())
    }
}

fn parameters(scaler: &str, metadata: &[(&str, &str)]) -> Parameters {
    let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    let rule = ScaleRule {
        name: scaler.to_owned(),
        form: RuleForm::Custom,
        scaler: scaler.to_owned(),
        metadata: metadata.iter().map(owned).collect::<BTreeMap<_, _>>(),
        auth: Vec::new(),
        identity: None,
    };
    Parameters::resolve(&rule, &Nothing).unwrap().unwrap()
}

fn context() -> Context {
    Context {
        connect: Connect::anywhere(),
        clock: Arc::new(Nothing),
    }
}

#[tokio::test]
async fn a_connection_is_kept_until_the_server_closes_it() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let parameters = parameters("redis", &[("address", &address), ("listName", "orders")]);
    let mut reader = open(&parameters, &context()).unwrap();
    for _ in 0..2 {
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = [0; 1024];
            for _ in 0..2 {
                for answer in ["+list\r\n", ":3\r\n"] {
                    assert!(stream.read(&mut asked).await.unwrap() > 0);
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            }
        };
        let read = async {
            for _ in 0..2 {
                assert_eq!(reader.read().await, Ok(Amount::from(3.0)));
            }
        };
        tokio::join!(serve, read);
        // What the system knows of the connection is looked at between tasks.
        yield_now().await;
    }
}

#[test]
fn places_come_from_the_first_key_that_is_given() {
    for (keys, expected) in [
        (
            vec![
                ("address", "a:1"),
                ("addresses", "b:2"),
                ("host", "c"),
                ("port", "3"),
            ],
            Ok(("address", vec!["a:1"])),
        ),
        (
            vec![("addresses", "b:2, c:3"), ("hosts", "d"), ("ports", "4")],
            Ok(("addresses", vec!["b:2", "c:3"])),
        ),
        (
            vec![("host", "c"), ("port", "3")],
            Ok(("host", vec!["c:3"])),
        ),
        (
            vec![("hosts", "c, d"), ("ports", "3, 4")],
            Ok(("hosts", vec!["c:3", "d:4"])),
        ),
        (
            vec![("hosts", "c,d"), ("ports", "3")],
            Err("ports: has to be as many as hosts, one for each"),
        ),
        (
            vec![("addresses", "b:2,c")],
            Err("addresses: is not HOST:PORT"),
        ),
        (
            vec![("hosts", "c"), ("ports", "x")],
            Err("hosts: has no host and port that can be"),
        ),
        (vec![], Err("address: is missing")),
    ] {
        let all = [&[("listName", "orders")], &keys[..]].concat();
        let found = super::place::places(&parameters("redis-cluster", &all));
        let found = found.map(|(key, places)| {
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            (key, places)
        });
        let found = found.map_err(|error| error.to_string());
        let expected = expected.map_err(str::to_owned).map(|(key, places)| {
            (
                key,
                places.into_iter().map(str::to_owned).collect::<Vec<_>>(),
            )
        });
        assert_eq!(found, expected);
    }
}

#[test]
fn a_length_beside_a_group_says_nothing() {
    let fixed = [("address", "a:1"), ("stream", "orders")];
    for (keys, is_right) in [
        (vec![("streamLength", "50")], true),
        (vec![("consumerGroup", "g"), ("streamLength", "50")], false),
        (
            vec![
                ("consumerGroup", "g"),
                ("streamLength", "50"),
                ("lagCount", "5"),
            ],
            true,
        ),
        (
            vec![
                ("consumerGroup", "g"),
                ("streamLength", "50"),
                ("pendingEntriesCount", "5"),
            ],
            true,
        ),
        (vec![("consumerGroup", "g")], true),
    ] {
        let all = [&fixed, &keys[..]].concat();
        let opened = open(&parameters("redis-streams", &all), &context());
        assert_eq!(opened.is_ok(), is_right, "{keys:?}");
    }
}
