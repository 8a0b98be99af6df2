use super::messages;

#[test]
fn messages_that_were_peeked_at_are_counted() {
    let one = "<QueueMessage><MessageText>&lt;QueueMessage&gt;</MessageText></QueueMessage>";
    for (number, expected) in [(0, 0), (1, 1), (31, 31)] {
        let text = one.repeat(number);
        let text = format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><QueueMessagesList>{text}</QueueMessagesList>"
        );
        assert_eq!(messages(text.as_bytes()), Ok(expected));
    }
    for nonsense in [
        "",
        "[]",
        "<QueueMessagesList>",
        "<html><QueueMessage/></html>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><QueueMessagesList>&b;</QueueMessagesList>",
        "\u{0}",
    ] {
        let error = messages(nonsense.as_bytes()).unwrap_err();
        assert!(error.contains("no list of messages"), "{nonsense}: {error}");
    }
    assert!(messages(b"\xff\xfe").is_err());
}
