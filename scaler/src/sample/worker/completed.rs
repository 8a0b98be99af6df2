//! Markers of messages: who measures a queue puts one on each message, and wants it back when the message is done.

use std::env::var;

/// What markers of `loadgen` begin with, whatever their version.
const PREFIX: &str = "loadgen";

/// Where markers are given back, if anywhere.
pub(super) struct Completed {
    /// The list or queue of the broker that the messages are of: no message can name another place.
    to: Option<String>,
    /// What follows a marker: who has completed the message.
    who: String,
}

impl Completed {
    /// To a list or queue with this name, by the replica that the environment tells of.
    pub(super) fn new(to: Option<String>) -> Self {
        let names = ["CONTAINER_APP_REVISION", "CONTAINER_APP_REPLICA_NAME"];
        let names = names.map(|name| var(name).ok().filter(|name| is_word(name)));
        let who = match names {
            [Some(revision), Some(replica)] => format!(" {revision} {replica}"),
            [Some(revision), None] => format!(" {revision}"),
            _ => String::new(),
        };
        Self { to, who }
    }

    /// Where markers are given back, if anywhere.
    pub(super) fn to(&self) -> Option<&str> {
        self.to.as_deref()
    }

    /// Where the marker of a message goes and what goes there, if it has one and is to be given back. The marker is the
    /// first word of `text`.
    pub(super) fn of(&self, text: &[u8]) -> Option<(&str, String)> {
        let to = self.to()?;
        let first = text.split(u8::is_ascii_whitespace).next()?;
        let marker = std::str::from_utf8(first).ok()?;
        marker
            .starts_with(PREFIX)
            .then(|| (to, format!("{marker}{}", self.who)))
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_given_back_if_it_is_a_marker() {
        let completed = |to: Option<&str>| Completed {
            to: to.map(str::to_owned),
            who: " web--a r1".to_owned(),
        };
        let marker = "loadgen1:00000000000000ab:1:2";
        let given_back = format!("{marker} web--a r1");
        for text in [
            marker.to_owned(),
            format!("{marker} order"),
            format!("{marker}\norder"),
        ] {
            let done = completed(Some("done"));
            let expected = ("done", given_back.clone());
            assert_eq!(done.of(text.as_bytes()), Some(expected), "{text}");
            assert_eq!(completed(None).of(text.as_bytes()), None);
        }
        for text in [&b"an order"[..], b"", b" loadgen1:", b"\xff"] {
            assert_eq!(completed(Some("done")).of(text), None);
        }
    }
}
