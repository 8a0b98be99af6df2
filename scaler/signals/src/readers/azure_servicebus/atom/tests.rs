use super::*;

fn entry(title: &str, kind: &str, active: &str) -> String {
    format!(
        "<entry xmlns=\"http://www.w3.org/2005/Atom\"><title type=\"text\">{title}</title>\
         <content type=\"application/xml\"><{kind} xmlns=\"http://schemas.example/connect\">\
         <MessageCount>99</MessageCount><CountDetails xmlns:d=\"http://schemas.example/2011\">\
         <d:ActiveMessageCount>{active}</d:ActiveMessageCount>\
         <d:DeadLetterMessageCount>7</d:DeadLetterMessageCount></CountDetails></{kind}></content></entry>"
    )
}

fn feed(entries: &str) -> String {
    format!(
        "\u{feff}<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>Queues</title>{entries}</feed>"
    )
}

#[test]
fn one_entity_is_described_or_missing_or_another() {
    let queue = entry("orders", "QueueDescription", "12");
    let subscription = entry("mail", "SubscriptionDescription", "0");
    for (text, kind, expected) in [
        (&queue, Kind::Queue, Described::Active(12)),
        (&subscription, Kind::Subscription, Described::Active(0)),
        (&queue, Kind::Subscription, Described::Other),
        (
            &entry("events", "TopicDescription", "0"),
            Kind::Queue,
            Described::Other,
        ),
        (&feed(""), Kind::Queue, Described::Missing),
    ] {
        assert_eq!(described(text.as_bytes(), kind), Ok(expected), "{text}");
    }
}

#[test]
fn a_list_has_names_and_numbers() {
    let queues = ["12", "0"].map(|active| entry("q", "QueueDescription", active));
    let two = feed(&queues.concat());
    let expected = vec![("q".to_owned(), 12), ("q".to_owned(), 0)];
    assert_eq!(listed(two.as_bytes(), Kind::Queue), Ok(expected));
    assert_eq!(listed(feed("").as_bytes(), Kind::Queue), Ok(vec![]));
    let error = listed(two.as_bytes(), Kind::Subscription).unwrap_err();
    assert_eq!(error, "an entry has no title or no SubscriptionDescription");
    let error = listed(queues[0].as_bytes(), Kind::Queue).unwrap_err();
    assert!(error.contains("no description in ATOM"), "{error}");
}

#[test]
fn what_is_no_number_of_messages_is_an_error() {
    for (active, expected) in [
        ("-1", "is not a number of messages"),
        ("1.5", "is not a number of messages"),
        ("99999999999", "is not a number of messages"),
        ("", "has no ActiveMessageCount"),
    ] {
        let text = entry("orders", "QueueDescription", active);
        let error = described(text.as_bytes(), Kind::Queue).unwrap_err();
        assert!(error.contains(expected), "{active}: {error}");
    }
    for nonsense in [
        "",
        "{}",
        "<entry>",
        "<html></html>",
        "<!DOCTYPE e [<!ENTITY a \"12\">]><entry>&a;</entry>",
    ] {
        let error = described(nonsense.as_bytes(), Kind::Queue).unwrap_err();
        assert!(
            error.contains("no description in ATOM"),
            "{nonsense}: {error}"
        );
    }
    assert!(described(b"\xff", Kind::Queue).is_err());
}
