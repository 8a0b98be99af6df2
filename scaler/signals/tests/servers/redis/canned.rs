//! What is not Redis, or not as it should be.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// A server that ends when this is dropped.
pub(super) struct Canned {
    pub(super) address: String,
    _serving: JoinSet<()>,
}

impl Canned {
    /// One that answers the messages of a connection with these, one by one, and then closes it.
    /// `ADDRESS` in an answer is its own.
    pub(super) async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let answers = answers.into_iter().map(|answer| with(answer, &address));
        let answers: Vec<Vec<u8>> = answers.collect();
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                open.spawn(converse(stream, answers.clone()));
            }
        });
        Self {
            address,
            _serving: serving,
        }
    }
}

fn with(answer: Vec<u8>, address: &str) -> Vec<u8> {
    match String::from_utf8(answer) {
        Ok(text) => text.replace("ADDRESS", address).into_bytes(),
        Err(error) => error.into_bytes(),
    }
}

async fn converse(mut stream: TcpStream, answers: Vec<Vec<u8>>) {
    let mut asked = [0; 1024];
    for answer in answers {
        // The client hangs up on what is too long.
        let is_asked = stream.read(&mut asked).await.is_ok_and(|length| length > 0);
        if !is_asked || stream.write_all(&answer).await.is_err() {
            return;
        }
    }
    // Closing with something unread would be a reset.
    drop(stream.shutdown().await);
    while stream.read(&mut asked).await.is_ok_and(|length| length > 0) {}
}

/// An answer of so many bytes.
pub(super) fn long(bytes: usize) -> Vec<u8> {
    let mut answer = format!("${bytes}\r\n").into_bytes();
    answer.resize(answer.len() + bytes, b'x');
    answer
}
