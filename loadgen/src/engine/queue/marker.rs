//! What marks a message, so that its completion can be told: `loadgen1:RUN:POSITION:MICROSECONDS`.
//!
//! The run is 16 hexadecimal digits, so that what is left of another run is not taken for this one's. The position is
//! the message's in the run, and the last number is its intended time from the start of the run. It has no spaces: a
//! worker that does not know more than this takes the first word, or the header, and gives it back as it is.

use std::fmt;
use std::time::Duration;

/// What every marker begins with. The number is the version of its form.
const PREFIX: &str = "loadgen1:";

/// Of one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marker {
    /// Of the run.
    pub(super) run: u64,
    /// Of the message in the run, from 0.
    pub(super) position: u64,
    /// From the start of the run, to the microsecond.
    pub(super) intended: Duration,
}

/// A marker that a worker gave back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Completion<'a> {
    pub(super) marker: Marker,
    /// The worker's revision, if it says so.
    pub(super) revision: Option<&'a str>,
    /// The worker's replica, if it says so.
    pub(super) replica: Option<&'a str>,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.intended.as_micros();
        write!(f, "{PREFIX}{:016x}:{}:{micros}", self.run, self.position)
    }
}

impl Marker {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix(PREFIX)?.split(':');
        let (run, position, micros) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() || run.len() != 16 {
            return None;
        }
        // The standard library reads a sign too.
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if ![run, position, micros].into_iter().all(digits) {
            return None;
        }
        Some(Self {
            run: u64::from_str_radix(run, 16).ok()?,
            position: position.parse().ok()?,
            intended: Duration::from_micros(micros.parse().ok()?),
        })
    }
}

impl<'a> Completion<'a> {
    /// Reads what a worker gave back: a marker, and after it, if it likes, its revision and its replica.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        Some(Self {
            marker: Marker::parse(words.next()?)?,
            revision: words.next(),
            replica: words.next(),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_marker_is_one_word() {
        let marker = Marker {
            run: 0xAB,
            position: 41,
            intended: Duration::from_millis(1500),
        };
        let text = "loadgen1:00000000000000ab:41:1500000";
        assert_eq!(marker.to_string(), text);
        let completion = |revision, replica| Completion {
            marker,
            revision,
            replica,
        };
        for (text, expected) in [
            (text.to_owned(), completion(None, None)),
            (format!("{text}\n"), completion(None, None)),
            (
                format!("{text} web--a r1"),
                completion(Some("web--a"), Some("r1")),
            ),
        ] {
            assert_eq!(Completion::parse(&text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_marker_is_none() {
        for text in [
            "",
            " ",
            "an order",
            "loadgen1:",
            "loadgen2:00000000000000ab:1:1",
            "loadgen1:ab:1:1",
            "loadgen1:+0000000000000ab:1:1",
            "loadgen1:00000000000000ab:-1:1",
            "loadgen1:00000000000000ab:+1:1",
            "loadgen1:00000000000000ab:1",
            "loadgen1:00000000000000ab:1:1:1",
            "loadgen1:00000000000000ab:99999999999999999999:1",
        ] {
            assert_eq!(Completion::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            run: u64, position: u64, micros: u64, revision in "[a-z-]{1,9}", replica in "[a-z0-9]{1,9}",
        ) {
            let intended = Duration::from_micros(micros);
            let marker = Marker { run, position, intended };
            let text = format!("{marker} {revision} {replica}");
            let completion = Completion {
                marker,
                revision: Some(&revision),
                replica: Some(&replica),
            };
            prop_assert_eq!(Completion::parse(&text), Some(completion));
        }

        #[test]
        fn no_text_panics(text in "(loadgen1:)?([0-9a-f]{16})?[:0-9 +-]{0,20}\\PC{0,9}") {
            if let Some(completion) = Completion::parse(&text) {
                let run = format!("loadgen1:{:016x}:", completion.marker.run);
                let is_of_run = text.trim_start().starts_with(&run);
                prop_assert!(is_of_run, "{}", text);
            }
        }
    }
}
