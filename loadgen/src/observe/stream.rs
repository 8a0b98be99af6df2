//! Server-sent events, read from bytes as they come (WHATWG HTML, section 9.2.6).

use std::mem;

use thiserror::Error;

/// The longest event that is read, in bytes: the list of thousands of apps.
pub(super) const LONGEST: usize = 64 * 1024 * 1024;

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerEvent {
    /// Its type; `message` if it names none.
    pub(super) name: String,
    pub(super) data: String,
}

/// An event is longer than is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("it sent an event of more than {0} bytes")]
pub(crate) struct TooLong(usize);

/// Finds events in what comes, wherever it is cut. Numbers of events and times to reconnect are not used.
#[derive(Debug)]
pub(super) struct Parser {
    longest: usize,
    line: Vec<u8>,
    name: String,
    /// The lines of data, each with a line end.
    data: String,
    /// Whether the last byte was a carriage return, whose line feed may follow.
    after_return: bool,
    /// Whether no line has ended yet: the first may begin with a byte order mark.
    first: bool,
}

impl Parser {
    pub(super) fn new(longest: usize) -> Self {
        Self {
            longest,
            line: Vec::new(),
            name: String::new(),
            data: String::new(),
            after_return: false,
            first: true,
        }
    }

    /// Takes in what came next. Appends the events that are complete with it.
    ///
    /// # Errors
    /// An event is too long; nothing after it can be read.
    pub(super) fn push(
        &mut self,
        mut bytes: &[u8],
        events: &mut Vec<ServerEvent>,
    ) -> Result<(), TooLong> {
        while let Some(&next) = bytes.first() {
            if mem::take(&mut self.after_return) && next == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let length = end.unwrap_or(bytes.len());
            if self.line.len() + self.data.len() + length > self.longest {
                return Err(TooLong(self.longest));
            }
            self.line.extend_from_slice(&bytes[..length]);
            let Some(end) = end else { break };
            self.after_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            events.extend(self.end_line());
        }
        Ok(())
    }

    fn end_line(&mut self) -> Option<ServerEvent> {
        let line = mem::take(&mut self.line);
        let mut line = line.as_slice();
        if mem::take(&mut self.first) {
            line = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line);
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let text = String::from_utf8_lossy(line);
        let (field, value) = text.split_once(':').unwrap_or((&text, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => {
                self.data.push_str(value);
                self.data.push('\n');
            }
            // Comments have no field's name; those that keep the connection alive are such.
            _ => {}
        }
        None
    }

    fn dispatch(&mut self) -> Option<ServerEvent> {
        let name = mem::take(&mut self.name);
        let mut data = mem::take(&mut self.data);
        data.pop()?;
        Some(ServerEvent {
            name: if name.is_empty() {
                "message".to_owned()
            } else {
                name
            },
            data,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(longest: usize, parts: &[&[u8]]) -> Result<Vec<ServerEvent>, TooLong> {
        let mut parser = Parser::new(longest);
        let mut events = Vec::new();
        for part in parts {
            parser.push(part, &mut events)?;
        }
        Ok(events)
    }

    fn words(text: &str) -> Vec<(String, String)> {
        let events = parse(1000, &[text.as_bytes()]).unwrap();
        (events.into_iter())
            .map(|event| (event.name, event.data))
            .collect()
    }

    #[test]
    fn events_are_read_as_the_standard_says() {
        let cases: [(&str, &[(&str, &str)]); 12] = [
            ("event: apps\ndata: {}\n\n", &[("apps", "{}")]),
            ("event:apps\ndata:{}\n\n", &[("apps", "{}")]),
            ("data:  two spaces\n\n", &[("message", " two spaces")]),
            ("data: a\r\ndata: b\r\n\r\n", &[("message", "a\nb")]),
            ("data: a\rdata: b\r\r", &[("message", "a\nb")]),
            ("\u{feff}data: a\n\n", &[("message", "a")]),
            (": keep alive\n\n:\n\ndata: a\n\n", &[("message", "a")]),
            ("event: nothing\n\ndata: a\n\n", &[("message", "a")]),
            ("data\n\n", &[("message", "")]),
            (
                "id: 7\nretry: 5\nother: x\ndata: a\n\n",
                &[("message", "a")],
            ),
            ("data: not ended\n", &[]),
            (
                "data: a:b\n\ndata: c\n\n",
                &[("message", "a:b"), ("message", "c")],
            ),
        ];
        for (text, expected) in cases {
            let expected: Vec<_> = (expected.iter())
                .map(|(name, data)| ((*name).to_owned(), (*data).to_owned()))
                .collect();
            assert_eq!(words(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_event_has_at_most_so_many_bytes() {
        assert!(parse(8, &[b"data: 12\n\n"]).is_ok());
        assert_eq!(parse(8, &[b"data: 123\n\n"]), Err(TooLong(8)));
        assert_eq!(parse(8, &[b"data: 123"]), Err(TooLong(8)));
        let lines = b"data: 1\ndata: 2\ndata: 3\n\n";
        assert_eq!(parse(10, &[lines]), Err(TooLong(10)));
        assert!(parse(12, &[lines]).is_ok());
        assert!(parse(8, &[b":\n\n".repeat(100).as_slice()]).is_ok());
    }

    proptest! {
        #[test]
        fn wherever_the_bytes_are_cut_the_events_are_the_same(
            text in "(data|event|id|:|é| |\r|\n|\r\n|\n\n|x){0,40}",
            cuts in proptest::collection::vec(0_usize..200, 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let parts: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            for longest in [1000, 20] {
                prop_assert_eq!(parse(longest, &parts), parse(longest, &[bytes]));
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = parse(100, &[&bytes]);
        }
    }
}
