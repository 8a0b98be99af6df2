//! As much of a NATS client as puts messages and takes them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::harness::SOON;

/// Where answers come to: the subject that it listens to.
const INBOX: &str = "_INBOX.tests";

/// A connection that has one request under way at a time.
pub(super) struct Client {
    reader: BufReader<TcpStream>,
}

/// A message that came.
pub(super) struct Message {
    /// The subject to answer to, if it wants an answer.
    pub(super) answer_to: Option<String>,
    /// What it says.
    pub(super) payload: String,
}

impl Client {
    /// Connects and listens to its inbox.
    pub(super) fn connect(port: u16, user: &str, password: &str) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("NATS listens");
        stream
            .set_read_timeout(Some(SOON))
            .expect("it is a positive time");
        let mut client = Self {
            reader: BufReader::new(stream),
        };
        let information = client.line();
        assert!(information.starts_with("INFO "), "{information}");
        let who = json!({
            "user": user, "pass": password, "verbose": false, "pedantic": true,
        });
        client.send(&format!("CONNECT {who}\r\nSUB {INBOX} 1\r\nPING\r\n"));
        let pong = client.line();
        assert_eq!(pong, "PONG");
        client
    }

    /// Sends a message, and returns what the answer says.
    pub(super) fn request(&mut self, subject: &str, payload: &str) -> String {
        self.request_message(subject, payload).payload
    }

    /// Sends a message, and returns the answer.
    pub(super) fn request_message(&mut self, subject: &str, payload: &str) -> Message {
        let length = payload.len();
        self.send(&format!("PUB {subject} {INBOX} {length}\r\n{payload}\r\n"));
        loop {
            let line = self.line();
            if line == "PING" {
                self.send("PONG\r\n");
                continue;
            }
            let words: Vec<&str> = line.split(' ').collect();
            let (answer_to, length) = match words[..] {
                ["MSG", _, _, answer_to, length] => (Some(answer_to.to_owned()), length),
                ["MSG", _, _, length] => (None, length),
                _ => panic!("not an answer to {subject}: {line}"),
            };
            let length: usize = length.parse().expect("the length of the message");
            let mut payload = vec![0; length + 2];
            self.reader
                .read_exact(&mut payload)
                .expect("the message comes whole");
            payload.truncate(length);
            let payload = String::from_utf8(payload).expect("it is text");
            return Message { answer_to, payload };
        }
    }

    fn send(&mut self, text: &str) {
        let stream = self.reader.get_mut();
        stream.write_all(text.as_bytes()).expect("NATS reads");
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("NATS answers");
        line.trim_end().to_owned()
    }
}
