use std::sync::Arc;

use super::*;
use crate::broker::{DeadLetter, NEVER, Tokens};

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pairs = pairs.iter().map(|(name, value)| {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        (HeaderName::from_static(name), value)
    });
    pairs.collect()
}

fn properties(json: &str) -> Result<Message, Refused> {
    read(&headers(&[("brokerproperties", json)]), Bytes::new())
}

#[test]
fn what_a_sender_may_say() {
    let at = |second| Some(Timestamp::from_second(second).unwrap());
    let cases = [
        ("{}", Message::default()),
        (
            r#"{"MessageId":"a","Label":"größe","Unknown":3,"To":null}"#,
            Message {
                identifier: Some("a".to_owned()),
                properties: vec![("Label", "größe".to_owned())],
                ..Message::default()
            },
        ),
        (
            r#"{"TimeToLive":4.5}"#,
            Message {
                time_to_live: Some(Duration::from_millis(4500)),
                ..Message::default()
            },
        ),
        (
            r#"{"ScheduledEnqueueTimeUtc":"Fri, 15 Jan 2027 08:00:00 GMT"}"#,
            Message {
                scheduled: at(1_800_000_000),
                ..Message::default()
            },
        ),
        (
            r#"{"ScheduledEnqueueTimeUtc":"Fri, 15 Jan 2027 09:00:00 +0100"}"#,
            Message {
                scheduled: at(1_800_000_000),
                ..Message::default()
            },
        ),
        (
            r#"{"ScheduledEnqueueTimeUtc":"2027-01-15T08:00:00Z"}"#,
            Message {
                scheduled: at(1_800_000_000),
                ..Message::default()
            },
        ),
    ];
    for (json, message) in cases {
        assert_eq!(properties(json).unwrap(), message, "{json}");
    }
    let wrong = [
        ("[]", "no JSON object"),
        (
            r#"{"Label":3}"#,
            "Label of BrokerProperties is 3, and has to be a string",
        ),
        (
            r#"{"TimeToLive":-1}"#,
            "TimeToLive of BrokerProperties is -1",
        ),
        (r#"{"TimeToLive":"1"}"#, "a number of seconds"),
        (
            r#"{"ScheduledEnqueueTimeUtc":"tomorrow"}"#,
            r#"is "tomorrow", and has to be a date"#,
        ),
    ];
    for (json, part) in wrong {
        let refused = properties(json).unwrap_err().to_string();
        assert!(refused.contains(part), "{json}: {refused}");
    }
}

#[test]
fn headers_of_the_senders_own_come_back_and_others_do_not() {
    let sent = [
        ("host", "localhost"),
        ("authorization", "secret"),
        ("user-agent", "test"),
        ("x-ms-retrypolicy", "NoRetry"),
        ("content-type", "text/plain"),
        ("priority", "\"high\""),
    ];
    let message = read(&headers(&sent), Bytes::from("body")).unwrap();
    assert_eq!(
        message.custom,
        [("priority".to_owned(), "\"high\"".to_owned())]
    );

    let mut tokens = Tokens::new(0);
    let message = Message {
        identifier: Some("a".to_owned()),
        properties: vec![("Label", "größe 𝄞".to_owned())],
        ..message
    };
    let at = Timestamp::from_second(1_800_000_000).unwrap();
    let received = Received {
        sequence: 3,
        enqueued_sequence: 0,
        enqueued: at,
        time_to_live: NEVER,
        deliveries: 2,
        lock: Some((tokens.mint(), at)),
        dead_letter: Some(DeadLetter {
            reason: "TTLExpiredException",
            description: "over".to_owned(),
        }),
        message: Arc::new(message),
    };
    let mut answer = HeaderMap::new();
    write(&received, &mut answer).unwrap();
    let value = |name: &str| answer[name].to_str().unwrap();
    let broker: Value = serde_json::from_str(value("brokerproperties")).unwrap();
    assert_eq!(
        broker,
        json!({
            "MessageId": "a", "Label": "größe 𝄞", "DeliveryCount": 2, "SequenceNumber": 3,
            "EnqueuedSequenceNumber": 0, "EnqueuedTimeUtc": "Fri, 15 Jan 2027 08:00:00 GMT",
            "LockToken": "00000000-0000-0000-0000-000000000001", "State": "Active",
            "LockedUntilUtc": "Fri, 15 Jan 2027 08:00:00 GMT", "TimeToLive": NEVER.as_secs_f64(),
        })
    );
    assert_eq!(
        (value("priority"), value("content-type")),
        ("\"high\"", "text/plain")
    );
    assert_eq!(value("deadletterreason"), "\"TTLExpiredException\"");
    assert_eq!(answer.len(), 5);
}
