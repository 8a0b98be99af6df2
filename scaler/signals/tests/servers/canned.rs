//! An HTTP server that answers each request alike, and tells what it was asked.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// A server that ends when this is dropped.
pub(crate) struct Canned {
    url: String,
    asked: mpsc::UnboundedReceiver<String>,
    _task: JoinSet<()>,
}

impl Canned {
    /// One that answers with a status line's end, as in `200 OK`, and a body.
    pub(crate) async fn answering(status: &str, body: &str) -> Self {
        let length = body.len();
        Self::saying(format!(
            "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        ))
        .await
    }

    /// One that says this.
    pub(crate) async fn saying(answer: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, asked) = mpsc::unbounded_channel();
        let mut task = JoinSet::new();
        task.spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                // One that goes away early has its reasons.
                if let Some(head) = exchange(connection, &answer).await {
                    drop(sender.send(head));
                }
            }
        });
        Self {
            url,
            asked,
            _task: task,
        }
    }

    /// Where it is: `http://127.0.0.1:PORT`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The head of the next request.
    pub(crate) async fn asked(&mut self) -> String {
        self.asked.recv().await.expect("a request")
    }
}

async fn exchange(mut connection: TcpStream, answer: &str) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.ok()?);
    }
    drop(connection.write_all(answer.as_bytes()).await);
    String::from_utf8(head).ok()
}
