use super::*;

fn counts(text: &str) -> Result<Option<Counts>, String> {
    let queue: Queue = serde_json::from_str(text).map_err(|error| error.to_string())?;
    queue.counts()
}

#[test]
fn a_description_has_counts_or_not_yet() {
    let full = r#"{
        "name": "orders", "messages": 8, "messages_ready": 5, "messages_unacknowledged": 3,
        "message_stats": {
            "publish": 90, "publish_details": {"rate": 2.5}, "deliver_get_details": {"rate": 4.0},
            "ack_details": {"rate": 1.0}, "deliver_no_ack_details": {"rate": 0.5},
            "get_no_ack_details": {"rate": 0.25}
        }
    }"#;
    let expected = Counts {
        messages: 8.0,
        ready: 5.0,
        unacknowledged: Some(3.0),
        published: 2.5,
        delivered: 4.0,
        arrivals: Some(2.5),
        completions: Some(1.75),
    };
    assert_eq!(counts(full), Ok(Some(expected)));
    let idle = Counts {
        unacknowledged: Some(0.0),
        arrivals: Some(0.0),
        completions: Some(0.0),
        ..Counts::default()
    };
    let empty = r#"{"messages": 0, "messages_ready": 0, "messages_unacknowledged": 0}"#;
    assert_eq!(counts(empty), Ok(Some(idle)));
    for text in ["{}", r#"{"name": "orders", "state": "running"}"#] {
        assert_eq!(counts(text), Ok(None), "{text}");
    }
}

#[test]
fn nonsense_is_an_error() {
    for (text, expected) in [
        (
            r#"{"messages": -1, "messages_ready": 0}"#,
            "the server answered -1, which is no count",
        ),
        (
            r#"{"messages": 1, "messages_ready": 1, "message_stats": {"ack_details": {"rate": -0.5}}}"#,
            "the server answered -0.5, which is no count",
        ),
        (r#"{"messages": "8"}"#, "invalid type: string"),
        (r#"{"messages": 1e999}"#, "number out of range"),
        ("<html>", "expected value"),
    ] {
        let error = counts(text).unwrap_err();
        assert!(error.starts_with(expected), "{text}: {error}");
    }
}

#[test]
fn several_queues_are_combined_as_keda_does() {
    let queue = |messages: f64, ready: f64, published: f64| Counts {
        messages,
        ready,
        unacknowledged: Some(messages - ready),
        published,
        delivered: 2.0 * published,
        arrivals: Some(published),
        completions: Some(published / 2.0),
    };
    let queues = [
        queue(8.0, 5.0, 1.0),
        queue(1.0, 1.0, 4.0),
        queue(1.0, 0.0, 0.0),
    ];
    let of = |numbers: [f64; 4], flows: Option<(f64, f64)>, unacknowledged: f64| Counts {
        messages: numbers[0],
        ready: numbers[1],
        published: numbers[2],
        delivered: numbers[3],
        unacknowledged: Some(unacknowledged),
        arrivals: flows.map(|(arrivals, _)| arrivals),
        completions: flows.map(|(_, completions)| completions),
    };
    for (operation, queues, expected) in [
        (
            Operation::Sum,
            &queues[..],
            of([10.0, 6.0, 5.0, 10.0], Some((5.0, 2.5)), 4.0),
        ),
        (Operation::Max, &queues, of([8.0, 5.0, 4.0, 8.0], None, 4.0)),
        (
            Operation::Avg,
            &queues[..2],
            of([4.0, 3.0, 2.5, 5.0], None, 3.0),
        ),
        (Operation::Sum, &[], of([0.0; 4], Some((0.0, 0.0)), 0.0)),
        (Operation::Max, &[], of([0.0; 4], None, 0.0)),
        (Operation::Avg, &[], of([0.0; 4], None, 0.0)),
    ] {
        assert_eq!(operation.combined(queues), expected, "{operation:?}");
    }
}
