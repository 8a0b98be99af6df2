//! NATS's client protocol, as far as it is needed: <https://docs.nats.io/reference/reference-protocols/nats-protocol>.

use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_local};

use crate::plan::Secret;

/// The most of a message, in bytes; servers take less.
const LONGEST: usize = 64 << 20;
/// The most of a line, in bytes; what servers say of themselves is shorter.
const LONGEST_LINE: u64 = 64 << 10;

/// A message that came.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) subject: String,
    /// Of an answer that is only that.
    pub(super) status: Option<u16>,
    pub(super) body: Vec<u8>,
}

/// A connection that is logged in.
pub(super) struct Link {
    read: BufReader<OwnedReadHalf>,
    write: Writer,
    /// A subject that nobody else has.
    pub(super) inbox: String,
    writing: AbortHandle,
}

/// Where what is to be sent goes: whoever gives up meanwhile leaves no half message behind. As much may wait as
/// messages of a run may be outstanding.
pub(super) type Writer = mpsc::UnboundedSender<Vec<u8>>;

#[derive(Deserialize)]
struct Information {
    server_id: String,
    client_id: u64,
}

impl Link {
    /// Connects and logs in.
    pub(super) async fn open(url: &Secret) -> Result<Self, String> {
        let place = Place::parse(url.reveal())?;
        let stream = TcpStream::connect(&place.address).await;
        let stream = stream.map_err(|error| format!("NATS: {}: {error}", place.address))?;
        stream.set_nodelay(true).map_err(|error| broken(&error))?;
        let (read, write) = stream.into_split();
        let (writer, waiting) = mpsc::unbounded_channel();
        let mut link = Self {
            read: BufReader::new(read),
            write: writer,
            inbox: String::new(),
            writing: spawn_local(write_all(write, waiting)).abort_handle(),
        };
        let first = link.line().await?;
        let information = first.strip_prefix("INFO ");
        let information: Option<Information> =
            information.and_then(|text| serde_json::from_str(text).ok());
        let information = information.ok_or("NATS: whoever listens there is no NATS server")?;
        let options = json!({
            "verbose": false, "headers": true, "no_responders": true, "name": "loadgen",
            "user": place.user, "pass": place.password,
        });
        link.send(format!("CONNECT {options}\r\nPING\r\n"));
        while link.line().await? != "PONG" {}
        let Information {
            server_id,
            client_id,
        } = information;
        link.inbox = format!("_INBOX.{server_id}.{client_id}");
        Ok(link)
    }

    /// Asks for the messages of a subject, and waits until the server knows that.
    pub(super) async fn subscribe(&mut self, subject: &str) -> Result<(), String> {
        self.send(format!("SUB {subject} 1\r\nPING\r\n"));
        while self.line().await? != "PONG" {}
        Ok(())
    }

    /// Where messages for the server go.
    pub(super) fn writer(&self) -> Writer {
        self.write.clone()
    }

    /// The next message.
    pub(super) async fn next(&mut self) -> Result<Message, String> {
        loop {
            let line = self.line().await?;
            let Some(announced) = Announced::parse(&line) else {
                continue;
            };
            let Announced {
                subject,
                head,
                length,
            } = announced;
            if length > LONGEST || head > length {
                return Err(format!("NATS announces a message of {length} bytes"));
            }
            let mut body = vec![0; length + 2];
            let read = self.read.read_exact(&mut body).await;
            read.map_err(|error| broken(&error))?;
            body.truncate(length);
            let status = status(&body[..head]);
            body.drain(..head);
            return Ok(Message {
                subject,
                status,
                body,
            });
        }
    }

    /// The next line but those that ask whether somebody is there.
    async fn line(&mut self) -> Result<String, String> {
        loop {
            let mut line = Vec::new();
            let mut read = (&mut self.read).take(LONGEST_LINE);
            let read = read.read_until(b'\n', &mut line).await;
            read.map_err(|error| broken(&error))?;
            if !line.ends_with(b"\n") {
                return Err("NATS has closed the connection".to_owned());
            }
            let line = String::from_utf8_lossy(&line).trim_end().to_owned();
            if line == "PING" {
                self.send("PONG\r\n".to_owned());
            } else if let Some(error) = line.strip_prefix("-ERR ") {
                return Err(format!("NATS refuses: {error}"));
            } else {
                return Ok(line);
            }
        }
    }

    fn send(&self, text: String) {
        // If nothing can be written any more, nothing comes either, and that is said.
        let _ = self.write.send(text.into_bytes());
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.writing.abort();
    }
}

/// A message for a subject, whose answer goes to another one.
pub(super) fn message(subject: &str, reply: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let mut message = format!("PUB {subject} {reply} {length}\r\n").into_bytes();
    message.extend_from_slice(body);
    message.extend_from_slice(b"\r\n");
    message
}

async fn write_all(mut write: OwnedWriteHalf, mut waiting: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(mut bytes) = waiting.recv().await {
        while let Ok(more) = waiting.try_recv() {
            bytes.extend_from_slice(&more);
        }
        // The reader is told so too.
        if write.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// What the line before a message says of it.
#[derive(Debug, PartialEq, Eq)]
struct Announced {
    subject: String,
    /// Bytes of its head, which are the first.
    head: usize,
    length: usize,
}

impl Announced {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let (subject, head, length) = match words.as_slice() {
            ["MSG", subject, _, length] | ["MSG", subject, _, _, length] => (subject, "0", length),
            ["HMSG", subject, _, head, length] | ["HMSG", subject, _, _, head, length] => {
                (subject, *head, length)
            }
            _ => return None,
        };
        Some(Self {
            subject: (*subject).to_owned(),
            head: head.parse().ok()?,
            length: length.parse().ok()?,
        })
    }
}

/// The status in a head that has one, `NATS/1.0 503`.
fn status(head: &[u8]) -> Option<u16> {
    let head = std::str::from_utf8(head).ok()?;
    let first = head.lines().next()?.strip_prefix("NATS/1.0")?;
    first.split_ascii_whitespace().next()?.parse().ok()
}

/// What a URL says: `nats://USER:PASSWORD@HOST:PORT`.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    address: String,
    user: Option<String>,
    password: Option<String>,
}

impl Place {
    fn parse(url: &str) -> Result<Self, String> {
        let rest = url.strip_prefix("nats://").unwrap_or(url);
        let rest = rest.trim_end_matches('/');
        let (login, address) = match rest.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, rest),
        };
        if address.is_empty() || address.contains(['/', ' ']) {
            return Err("NATS: its URL is not nats://USER:PASSWORD@HOST:PORT".to_owned());
        }
        let has_port = address
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let address = if has_port {
            address.to_owned()
        } else {
            format!("{address}:4222")
        };
        let login = login.map(|login| login.split_once(':').unwrap_or((login, "")));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = login
            .map(|(user, password)| (decoded(user), decoded(password)))
            .unzip();
        Ok(Self {
            address,
            user,
            password,
        })
    }
}

fn broken(error: &std::io::Error) -> String {
    format!("NATS: {error}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_says_where_and_who() {
        for (url, address, login) in [
            ("nats://127.0.0.1:4333", "127.0.0.1:4333", None),
            ("nats://localhost/", "localhost:4222", None),
            ("nats://a:b%40c@h:1", "h:1", Some(("a", "b@c"))),
            ("nats://a@[::1]", "[::1]:4222", Some(("a", ""))),
        ] {
            let place = Place {
                address: address.to_owned(),
                user: login.map(|login| login.0.to_owned()),
                password: login.map(|login| login.1.to_owned()),
            };
            assert_eq!(Place::parse(url), Ok(place), "{url}");
        }
        assert!(Place::parse("nats://").is_err());
        assert!(Place::parse("nats://a b").is_err());
    }

    #[test]
    fn a_line_announces_a_message() {
        let announced = |head, length| {
            Some(Announced {
                subject: "a.b".to_owned(),
                head,
                length,
            })
        };
        for (line, expected) in [
            ("MSG a.b 1 5", announced(0, 5)),
            ("MSG a.b 1 reply 5", announced(0, 5)),
            ("HMSG a.b 1 16 16", announced(16, 16)),
            ("HMSG a.b 1 reply 16 20", announced(16, 20)),
            ("MSG a.b 1 -5", None),
            ("+OK", None),
            ("", None),
        ] {
            assert_eq!(Announced::parse(line), expected, "{line}");
        }
        assert_eq!(status(b"NATS/1.0 503\r\n\r\n"), Some(503));
        assert_eq!(status(b"NATS/1.0\r\na: 503\r\n\r\n"), None);
        assert_eq!(message("a", "b.1", b"xy"), b"PUB a b.1 2\r\nxy\r\n");
    }

    proptest! {
        #[test]
        fn no_line_panics(line in "(H?MSG )?[a-z. 0-9-]{0,30}\\PC{0,5}") {
            let _ = Announced::parse(&line);
            let _ = status(line.as_bytes());
            let _ = Place::parse(&line);
        }
    }
}
