//! NATS's client protocol, as far as it is needed: <https://docs.nats.io/reference/reference-protocols/nats-protocol>.

use serde::Deserialize;
use serde_json::json;
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
    split,
};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_local};

use super::super::connect::{secured, tcp};
use super::place::Place;
use crate::plan::{QueueTls, Secret};

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
    read: BufReader<Reads>,
    write: Writer,
    /// A subject that nobody else has.
    pub(super) inbox: String,
    writing: AbortHandle,
}

type Reads = Box<dyn AsyncRead + Unpin>;
type Writes = Box<dyn AsyncWrite + Unpin>;

/// Where what is to be sent goes: whoever gives up meanwhile leaves no half message behind. As much may wait as
/// messages of a run may be outstanding.
pub(super) type Writer = mpsc::UnboundedSender<Vec<u8>>;

#[derive(Deserialize)]
struct Information {
    server_id: String,
    client_id: u64,
    #[serde(default)]
    tls_required: bool,
}

impl Link {
    /// Connects and logs in.
    pub(super) async fn open(url: &Secret, tls: &QueueTls) -> Result<Self, String> {
        let place = Place::parse(url.reveal())?;
        let (information, read, write) = begin(&place, tls).await?;
        let (writer, waiting) = mpsc::unbounded_channel();
        let mut link = Self {
            read: BufReader::new(read),
            write: writer,
            inbox: String::new(),
            writing: spawn_local(write_all(write, waiting)).abort_handle(),
        };
        let options = json!({
            "verbose": false, "headers": true, "no_responders": true, "name": "loadgen",
            "user": place.user, "pass": place.password,
        });
        link.send(format!("CONNECT {options}\r\nPING\r\n"));
        while link.line().await? != "PONG" {}
        let Information {
            server_id,
            client_id,
            ..
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
            let line = line(&mut self.read).await?;
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

/// Connects, and hears what the server says of itself. That comes before TLS, of which it tells.
async fn begin(place: &Place, tls: &QueueTls) -> Result<(Information, Reads, Writes), String> {
    let of_nats = |why| format!("NATS: {why}");
    let stream = tcp(&place.host, place.port).await.map_err(of_nats)?;
    let mut stream = BufReader::new(stream);
    let first = line(&mut stream).await?;
    let information = first.strip_prefix("INFO ");
    let information: Option<Information> =
        information.and_then(|text| serde_json::from_str(text).ok());
    let information = information.ok_or("NATS: whoever listens there is no NATS server")?;
    let is_silent = stream.buffer().is_empty();
    let stream = stream.into_inner();
    if !place.is_secured {
        if information.tls_required {
            return Err("NATS: the server wants TLS: its URL begins with tls://".to_owned());
        }
        let (read, write) = stream.into_split();
        return Ok((information, Box::new(read), Box::new(write)));
    }
    if !is_silent {
        return Err("NATS: the server goes on without TLS".to_owned());
    }
    let stream = secured(stream, &place.host, tls).await.map_err(of_nats)?;
    let (read, write) = split(stream);
    Ok((information, Box::new(read), Box::new(write)))
}

/// The next line.
async fn line<R: AsyncRead + Unpin>(read: &mut BufReader<R>) -> Result<String, String> {
    let mut line = Vec::new();
    let mut read = read.take(LONGEST_LINE);
    let read = read.read_until(b'\n', &mut line).await;
    read.map_err(|error| broken(&error))?;
    if !line.ends_with(b"\n") {
        return Err("NATS has closed the connection".to_owned());
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
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

async fn write_all(mut write: Writes, mut waiting: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(mut bytes) = waiting.recv().await {
        while let Ok(more) = waiting.try_recv() {
            bytes.extend_from_slice(&more);
        }
        // The reader is told so too.
        if write.write_all(&bytes).await.is_err() || write.flush().await.is_err() {
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

fn broken(error: &std::io::Error) -> String {
    format!("NATS: {error}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
