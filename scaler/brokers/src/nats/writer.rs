//! The way to a server, which several may share.

use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::encode::{self, PONG};
use crate::error::ReadError;

/// So many messages may wait to be written.
const WAITING: usize = 1024;
/// How much is written at once, in bytes, and the last message.
const AT_ONCE: usize = 64 << 10;

/// Where what is to be sent goes. Clones share it. Whoever gives up leaves no half message behind.
#[derive(Clone)]
pub struct Writer(mpsc::Sender<Vec<u8>>);

impl Writer {
    /// A way to the server, and what writes what comes on it.
    pub(super) fn new(
        stream: impl AsyncWrite + Send + Unpin,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (writer, waiting) = mpsc::channel(WAITING);
        (Self(writer), write_all(stream, waiting))
    }

    /// Sends a message, whose answer goes to another subject if one is wanted. It returns when the message will be
    /// written next to others; what becomes of it is not known then.
    ///
    /// # Errors
    /// What is no subject, or the connection was closed.
    pub async fn publish(
        &self,
        subject: &str,
        reply: Option<&str>,
        body: &[u8],
    ) -> Result<(), ReadError> {
        self.send(encode::publish(subject, reply, body)?).await
    }

    pub(super) async fn send(&self, bytes: Vec<u8>) -> Result<(), ReadError> {
        let sent = self.0.send(bytes).await;
        sent.map_err(|_| ReadError::new("NATS has closed the connection"))
    }

    /// Answers that somebody is there, if there is room for that.
    pub(super) fn try_pong(&self) -> bool {
        self.0.try_send(PONG.to_vec()).is_ok()
    }

    /// The same, when there is room. That never comes where nothing can be written any more: then nothing is read
    /// either, and that is what is said.
    pub(super) async fn pong(&self) {
        match self.0.reserve().await {
            Ok(room) => room.send(PONG.to_vec()),
            Err(_) => std::future::pending().await,
        }
    }
}

async fn write_all(
    mut stream: impl AsyncWrite + Send + Unpin,
    mut waiting: mpsc::Receiver<Vec<u8>>,
) {
    while let Some(mut bytes) = waiting.recv().await {
        while bytes.len() < AT_ONCE
            && let Ok(more) = waiting.try_recv()
        {
            bytes.extend_from_slice(&more);
        }
        // Whoever reads is told so too.
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}
