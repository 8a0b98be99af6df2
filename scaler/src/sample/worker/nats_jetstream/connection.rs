//! A connection to a NATS server, for one question at a time.

use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The most of a message, in bytes; servers take less.
const LONGEST: usize = 64 << 20;

/// A connection that has subscribed to answers.
pub(super) struct Connection {
    stream: BufReader<TcpStream>,
    /// The line that is being read, which is kept when reading is given up.
    line: Vec<u8>,
    /// The subject of answers.
    inbox: String,
}

/// What came as an answer.
pub(super) struct Message {
    /// Why there is no message, if there is none.
    pub(super) status: Option<u16>,
    /// Where an answer to it goes.
    pub(super) reply: Option<String>,
    /// What it says.
    pub(super) body: Vec<u8>,
}

#[derive(Deserialize)]
struct Information {
    server_id: String,
    client_id: u64,
}

impl Connection {
    /// Connects and logs in.
    pub(super) async fn open(
        address: &str,
        login: Option<(String, String)>,
    ) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await;
        let stream = stream.with_context(|| format!("cannot connect to {address}"))?;
        // What is published before an answer is asked for would wait for an acknowledgement of TCP.
        stream.set_nodelay(true)?;
        let mut connection = Self {
            stream: BufReader::new(stream),
            line: Vec::new(),
            inbox: String::new(),
        };
        let first = connection.line().await?;
        let information = first.strip_prefix("INFO ");
        let information = information.context("whoever listens there is no NATS server")?;
        let information: Information = serde_json::from_str(information)?;
        let Information {
            server_id,
            client_id,
        } = information;
        // Nobody else has both.
        let inbox = format!("_INBOX.{server_id}.{client_id}");
        let (user, password) = login.unzip();
        let options = json!({
            "verbose": false, "headers": true, "no_responders": true,
            "name": "ebbtide sample-worker", "user": user, "pass": password,
        });
        let hello = format!("CONNECT {options}\r\nSUB {inbox} 1\r\nPING\r\n");
        connection.send(&hello).await?;
        while connection.line().await? != "PONG" {}
        connection.inbox = inbox;
        Ok(connection)
    }

    /// Sends a message.
    pub(super) async fn publish(&mut self, subject: &str, body: &str) -> anyhow::Result<()> {
        let length = body.len();
        self.send(&format!("PUB {subject} {length}\r\n{body}\r\n"))
            .await
    }

    /// Sends a message and waits for the answer.
    pub(super) async fn request(&mut self, subject: &str, body: &str) -> anyhow::Result<Message> {
        let (length, inbox) = (body.len(), &self.inbox);
        let message = format!("PUB {subject} {inbox} {length}\r\n{body}\r\n");
        self.send(&message).await?;
        loop {
            if let Some(message) = self.next().await? {
                return Ok(message);
            }
        }
    }

    /// Waits, and answers when the server asks whether somebody is there.
    pub(super) async fn idle(&mut self, time: Duration) -> anyhow::Result<()> {
        let waiting = async {
            loop {
                self.next().await?;
            }
        };
        match timeout(time, waiting).await {
            Ok(ended) => ended,
            Err(_) => Ok(()),
        }
    }

    /// What a line brings: a message, or nothing.
    async fn next(&mut self) -> anyhow::Result<Option<Message>> {
        let line = self.line().await?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let (reply, head, length) = match words.as_slice() {
            ["MSG", _, _, reply @ .., length] => (reply, "0", length),
            ["HMSG", _, _, reply @ .., head, length] => (reply, *head, length),
            _ => return Ok(None),
        };
        let (head, length): (usize, usize) = (head.parse()?, length.parse()?);
        if length > LONGEST || head > length {
            bail!("NATS announces a message of {length} bytes");
        }
        let mut body = vec![0; length + 2];
        self.stream.read_exact(&mut body).await?;
        Ok(Some(Message {
            status: status(&String::from_utf8_lossy(&body[..head])),
            reply: reply.first().map(|reply| (*reply).to_owned()),
            body: body[head..length].to_vec(),
        }))
    }

    /// The next line but those that ask whether somebody is there.
    async fn line(&mut self) -> anyhow::Result<String> {
        loop {
            self.stream.read_until(b'\n', &mut self.line).await?;
            if !self.line.ends_with(b"\n") {
                bail!("the server has closed the connection");
            }
            let line = String::from_utf8(std::mem::take(&mut self.line))?;
            match line.trim_end() {
                "PING" => self.send("PONG\r\n").await?,
                line => match line.strip_prefix("-ERR ") {
                    Some(error) => bail!("NATS refuses: {error}"),
                    None => return Ok(line.to_owned()),
                },
            }
        }
    }

    async fn send(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.stream.get_mut().write_all(text.as_bytes()).await?)
    }
}

/// The status in a head that has one, `NATS/1.0 408 Request Timeout`.
fn status(head: &str) -> Option<u16> {
    let first = head.lines().next()?.strip_prefix("NATS/1.0")?;
    first.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn a_head_may_have_a_status() {
        for (head, expected) in [
            (
                "NATS/1.0 408 Request Timeout\r\nNats-Pending: 1\r\n\r\n",
                Some(408),
            ),
            ("NATS/1.0\r\nkey: 404\r\n\r\n", None),
            ("", None),
        ] {
            assert_eq!(status(head), expected, "{head}");
        }
    }

    /// What a connection hears when the server says this after it let it in, and what it said.
    async fn told(script: &str) -> (Result<Message, String>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let hello = "INFO {\"server_id\":\"S\",\"client_id\":5}\r\nPONG\r\n";
        let serve = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let all = format!("{hello}{script}");
            stream.write_all(all.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
            let mut heard = String::new();
            stream.read_to_string(&mut heard).await.unwrap();
            heard
        };
        let ask = async {
            let mut connection = Connection::open(&address, None).await.unwrap();
            let answer = connection.request("next", "{}").await;
            answer.map_err(|error| error.to_string())
        };
        tokio::join!(ask, serve)
    }

    #[tokio::test]
    async fn an_answer_comes_in_lines_between_others() {
        let (answer, heard) = told("PING\r\n+OK\r\nMSG orders 1 reply.to 3\r\na\r\n\r\n").await;
        let answer = answer.unwrap();
        assert_eq!(
            (answer.status, answer.reply.as_deref()),
            (None, Some("reply.to"))
        );
        let (greeting, rest) = heard.split_once("SUB _INBOX.S.5 1\r\nPING\r\n").unwrap();
        assert!(greeting.starts_with("CONNECT {"), "{greeting}");
        assert_eq!(rest, "PUB next _INBOX.S.5 2\r\n{}\r\nPONG\r\n");
        let (answer, _) = told("HMSG i 1 16 16\r\nNATS/1.0 404\r\n\r\n\r\n").await;
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.reply), (Some(404), None));
    }

    #[tokio::test]
    async fn what_is_no_answer_is_an_error() {
        for (script, expected) in [
            ("", "the server has closed the connection"),
            ("-ERR 'Slow Consumer'\r\n", "NATS refuses: 'Slow Consumer'"),
            (
                "MSG i 1 99999999999\r\n",
                "NATS announces a message of 99999999999 bytes",
            ),
            ("HMSG i 1 9 5\r\n", "NATS announces a message of 5 bytes"),
        ] {
            let (answer, _) = told(script).await;
            assert_eq!(answer.err().unwrap(), expected);
        }
    }
}
