//! Messages of a storage account's queues, as XML: <https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api>.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use roxmltree::{Document, Node};

/// A message that was taken, and that nobody else sees for a while.
#[derive(Debug, PartialEq, Eq)]
pub struct QueueMessage {
    /// Which one it is.
    pub id: String,
    /// What proves that it was taken.
    pub receipt: String,
    /// What it says: Base64 is decoded, as clients of the service have it, and other text is left as it is.
    pub text: Vec<u8>,
}

impl QueueMessage {
    /// The messages of a list.
    ///
    /// # Errors
    /// It is something else, as a sentence.
    pub fn list(xml: &[u8]) -> Result<Vec<Self>, String> {
        let no_list = || "the answer is no list of messages".to_owned();
        let xml = std::str::from_utf8(xml).map_err(|_| no_list())?;
        let document = Document::parse(xml.trim_start_matches('\u{feff}'));
        let document = document.map_err(|_| no_list())?;
        let root = document.root_element();
        if !root.has_tag_name("QueueMessagesList") {
            return Err(no_list());
        }
        let messages = root
            .children()
            .filter(|node| node.has_tag_name("QueueMessage"));
        messages.map(Self::read).collect()
    }

    fn read(message: Node<'_, '_>) -> Result<Self, String> {
        let child = |name: &str| {
            let found = message.children().find(|node| node.has_tag_name(name));
            let text = found.map(|node| node.text().unwrap_or_default().to_owned());
            text.ok_or_else(|| format!("a message has no {name}"))
        };
        let text = child("MessageText")?;
        let decoded = STANDARD.decode(text.trim());
        Ok(Self {
            id: child("MessageId")?,
            receipt: child("PopReceipt")?,
            text: decoded.unwrap_or_else(|_| text.into_bytes()),
        })
    }

    /// What puts a message with this text into a queue: Base64, in which any bytes are possible.
    pub fn to_put(text: &[u8]) -> String {
        let text = STANDARD.encode(text);
        format!("<QueueMessage><MessageText>{text}</MessageText></QueueMessage>")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(messages: &str) -> Result<Vec<QueueMessage>, String> {
        let head = "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>";
        let list = format!("{head}<QueueMessagesList>{messages}</QueueMessagesList>");
        QueueMessage::list(list.as_bytes())
    }

    fn message(id: &str, text: &str) -> String {
        format!(
            "<QueueMessage><MessageId>{id}</MessageId><PopReceipt>b+/=</PopReceipt>\
             <MessageText>{text}</MessageText></QueueMessage>"
        )
    }

    #[test]
    fn messages_have_an_identifier_a_receipt_and_a_text() {
        assert_eq!(list("").unwrap(), []);
        for (text, expected) in [
            ("YW4gb3JkZXI=", "an order"),
            ("\nYW4gb3JkZXI=\n", "an order"),
            ("an order &amp; more", "an order & more"),
            (
                "loadgen1:00000000000000ab:1:2",
                "loadgen1:00000000000000ab:1:2",
            ),
            ("", ""),
        ] {
            let expected = |id: &str| QueueMessage {
                id: id.to_owned(),
                receipt: "b+/=".to_owned(),
                text: expected.as_bytes().to_vec(),
            };
            let found = list(&(message("a", text) + &message("b", text)));
            assert_eq!(found.unwrap(), [expected("a"), expected("b")], "{text}");
        }
    }

    #[test]
    fn what_is_no_list_of_messages_is_said() {
        for (messages, expected) in [
            (
                "<QueueMessage><MessageText/></QueueMessage>",
                "a message has no MessageId",
            ),
            (
                "<QueueMessage><MessageId>a</MessageId><MessageText>b</MessageText></QueueMessage>",
                "a message has no PopReceipt",
            ),
            ("<QueueMessage/>", "a message has no MessageText"),
            ("<", "the answer is no list of messages"),
        ] {
            assert_eq!(list(messages).unwrap_err(), expected, "{messages}");
        }
        for nonsense in [&b"nonsense"[..], b"<Error/>", b"\xff"] {
            assert!(QueueMessage::list(nonsense).is_err());
        }
    }

    proptest! {
        #[test]
        fn what_was_put_is_taken(text: Vec<u8>) {
            let put = QueueMessage::to_put(&text);
            let put = put.replace("<QueueMessage>", "<QueueMessage><MessageId>a</MessageId><PopReceipt>b</PopReceipt>");
            prop_assert_eq!(&list(&put).map_err(TestCaseError::fail)?[0].text, &text);
        }

        #[test]
        fn no_answer_panics(xml in "(<QueueMessagesList>)?\\PC{0,40}(</QueueMessagesList>)?") {
            let _ = QueueMessage::list(xml.as_bytes());
        }
    }
}
