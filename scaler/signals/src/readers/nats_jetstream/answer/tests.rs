use serde_json::{Value, json};

use super::*;

/// An answer as a server that stands alone gives it.
fn alone() -> Value {
    json!({
        "account_details": [
            {"name": "OTHER", "id": "OTHER"},
            {"name": "SHOP", "id": "ABCDEF", "stream_detail": [{
                "name": "ORDERS",
                "state": {"messages": 5, "last_seq": 9},
                "consumer_detail": [
                    {
                        "name": "other", "num_pending": 1, "num_ack_pending": 1,
                        "ack_floor": {"stream_seq": 1}
                    },
                    {
                        "name": "workers", "num_pending": 3, "num_ack_pending": 2,
                        "ack_floor": {"consumer_seq": 4, "stream_seq": 4}, "config": {}
                    },
                ],
            }]},
        ],
    })
}

const CONSUMER_AT: &str = "/account_details/1/stream_detail/0/consumer_detail/1";

/// An answer in which one value is another.
fn with(pointer: &str, value: Value) -> JetStream {
    let mut answer = alone();
    *answer
        .pointer_mut(&format!("{CONSUMER_AT}{pointer}"))
        .unwrap() = value;
    serde_json::from_value(answer).unwrap()
}

fn wanted(account: &str, stream: &str, consumer: &str) -> Wanted {
    Wanted {
        account_key: ACCOUNT,
        account: account.to_owned(),
        stream: stream.to_owned(),
        consumer: consumer.to_owned(),
    }
}

fn read(answer: &JetStream) -> Result<Amount, String> {
    let found = answer.find(&wanted("SHOP", "ORDERS", "workers"));
    found
        .unwrap_or_else(|_| panic!("it is there"))
        .amount()
        .map_err(|error| error.to_string())
}

#[test]
fn what_is_left_to_do_is_what_waits_and_what_is_taken() {
    let expected = Amount {
        value: 5.0,
        activity: None,
        in_process: Some(2.0),
        arrivals: Some(Flow::Total(9.0)),
        completions: Some(Flow::Total(4.0)),
    };
    assert_eq!(read(&with("/name", json!("workers"))), Ok(expected));
    let unknown = Amount {
        arrivals: None,
        completions: None,
        ..expected
    };
    for config in [
        json!({"filter_subject": "orders.eu"}),
        json!({"filter_subjects": ["a", "b"]}),
        Value::Null,
    ] {
        assert_eq!(read(&with("/config", config)), Ok(unknown));
    }
}

#[test]
fn an_account_is_known_by_name_or_key() {
    let answer = with("/name", json!("workers"));
    for account in ["SHOP", "ABCDEF"] {
        assert!(answer.find(&wanted(account, "ORDERS", "workers")).is_ok());
    }
    let key = |name, id| account(name, id).map(|(key, _)| key);
    assert_eq!(key(Some("SHOP"), None), Some("account"));
    assert_eq!(key(Some("SHOP"), Some("ABC")), Some("accountID"));
    assert_eq!(key(None, None), None);
}

#[test]
fn what_is_missing_is_named() {
    let answer = with("/name", json!("workers"));
    for (account, stream, consumer, expected) in [
        (
            "NOPE",
            "ORDERS",
            "workers",
            "account: there is no account NOPE that has JetStream",
        ),
        (
            "SHOP",
            "NOPE",
            "workers",
            "stream: the account has no stream NOPE",
        ),
        (
            "SHOP",
            "ORDERS",
            "nope",
            "consumer: the stream has no consumer nope",
        ),
        (
            "OTHER",
            "ORDERS",
            "workers",
            "stream: the account has no stream ORDERS",
        ),
    ] {
        let wanted = wanted(account, stream, consumer);
        let missing = answer.find(&wanted).err().unwrap();
        assert_eq!(missing.of(&wanted).to_string(), expected);
    }
}

#[test]
fn what_is_no_count_is_not_taken_for_one() {
    for (at, number, shown) in [
        ("/num_pending", json!(-1), "num_pending is -1"),
        ("/num_ack_pending", json!(-3), "num_ack_pending is -3"),
        (
            "/num_pending",
            json!(u64::MAX),
            "num_pending is 18446744073709552000",
        ),
        ("/ack_floor/stream_seq", json!(-1), "ack_floor is -1"),
    ] {
        let error = read(&with(at, number)).unwrap_err();
        let expected = format!("consumer: the server says that {shown}, which is no count");
        assert_eq!(error, expected);
    }
}

#[test]
fn a_server_tells_who_leads_and_whether_there_are_others() {
    let answer = with("/name", json!("workers"));
    assert!(!answer.is_clustered());
    let found = answer
        .find(&wanted("SHOP", "ORDERS", "workers"))
        .ok()
        .unwrap();
    assert_eq!(found.leader(), None);
    let mut answer = alone();
    answer["meta_cluster"] = json!({"cluster_size": 3});
    answer.pointer_mut(CONSUMER_AT).unwrap()["cluster"] = json!({"leader": "n2"});
    let answer: JetStream = serde_json::from_value(answer).unwrap();
    assert!(answer.is_clustered());
    let found = answer
        .find(&wanted("SHOP", "ORDERS", "workers"))
        .ok()
        .unwrap();
    assert_eq!(found.leader(), Some("n2"));
}
