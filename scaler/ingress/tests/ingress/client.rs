//! A client that writes what it is told and reads what comes.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The whole head, header names in lowercase.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }
}

/// One connection.
pub(crate) struct Client(pub(crate) TcpStream);

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Connects from an address of this machine.
    pub(crate) async fn connect_from(source: &str, to: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(source.parse().unwrap()).unwrap();
        Self(socket.connect(to).await.unwrap())
    }

    pub(crate) async fn write(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).await.unwrap();
    }

    /// Sends a GET for `host` and reads the answer.
    pub(crate) async fn get(&mut self, host: &str) -> Reply {
        self.write(&format!("GET /path?query HTTP/1.1\r\nHost: {host}\r\n\r\n"))
            .await;
        self.reply().await
    }

    /// Reads the head of an answer.
    pub(crate) async fn head(&mut self) -> Reply {
        self.head_after(Vec::new()).await
    }

    async fn head_after(&mut self, mut head: Vec<u8>) -> Reply {
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.expect("an answer"));
        }
        let head = String::from_utf8(head).unwrap();
        let lines = head.lines().map(|line| match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}\r\n", name.to_lowercase()),
            None => format!("{line}\r\n"),
        });
        Reply {
            status: head[9..12].parse().unwrap(),
            head: lines.collect(),
            body: String::new(),
        }
    }

    /// Reads an answer, with a body that has a length or comes in chunks.
    pub(crate) async fn reply(&mut self) -> Reply {
        let head = self.head().await;
        self.body_of(head).await
    }

    /// The same if the answer's first byte has been read.
    pub(crate) async fn reply_after(&mut self, first: u8) -> Reply {
        let head = self.head_after(vec![first]).await;
        self.body_of(head).await
    }

    async fn body_of(&mut self, mut reply: Reply) -> Reply {
        if reply.header("transfer-encoding").is_some() {
            while let Some(chunk) = self.chunk().await {
                reply.body.push_str(&chunk);
            }
            return reply;
        }
        let length = reply
            .header("content-length")
            .map_or(0, |value| value.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await.unwrap();
        reply.body = String::from_utf8(body).unwrap();
        reply
    }

    /// Reads a chunk of a body; none if it was the last one.
    pub(crate) async fn chunk(&mut self) -> Option<String> {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(self.0.read_u8().await.expect("a chunk"));
        }
        let length = std::str::from_utf8(&line).unwrap().trim();
        let length = usize::from_str_radix(length, 16).unwrap();
        let mut chunk = vec![0; length + 2];
        self.0.read_exact(&mut chunk).await.unwrap();
        chunk.truncate(length);
        (length > 0).then(|| String::from_utf8(chunk).unwrap())
    }

    /// Reads to the end of the connection.
    pub(crate) async fn rest(&mut self) -> std::io::Result<String> {
        let mut rest = String::new();
        self.0.read_to_string(&mut rest).await.map(|_| rest)
    }
}

/// One GET over a connection of its own.
pub(crate) async fn get(address: SocketAddr, host: &str) -> Reply {
    Client::connect(address).await.get(host).await
}
