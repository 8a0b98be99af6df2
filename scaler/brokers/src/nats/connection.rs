//! A connection that is logged in.

use std::collections::VecDeque;

use tokio::io::{AsyncRead, AsyncWrite, split};
use tokio::task::JoinSet;

use super::decoder::{Decoder, Operation};
use super::encode::{self, PING};
use super::greeting::{read, refusal};
use super::{Client, Greeting, Message, Writer};
use crate::error::ReadError;

/// So many messages may come before the server answers to what they come for; that is what it does next.
const EARLY: usize = 1024;

/// A connection that is logged in, with at most one subscription.
///
/// What it waits for may be given up at any time, and nothing is lost.
pub struct Connection {
    stream: Box<dyn AsyncRead + Send + Sync + Unpin>,
    decoder: Decoder,
    write: Writer,
    inbox: String,
    /// Messages that came before the server said that it knows of the subscription.
    early: VecDeque<Message>,
    /// How often the server is yet to be told that somebody is there.
    pongs: u32,
    _writing: JoinSet<()>,
}

impl Connection {
    /// Logs in, on the stream of the greeting or what secures it. Where the server
    /// [requires TLS](Greeting::requires_tls), there has to be some.
    ///
    /// # Errors
    /// The server does not take who logs in, or does not speak NATS's protocol.
    pub async fn login<S>(
        stream: S,
        greeting: Greeting,
        client: &Client<'_>,
    ) -> Result<Self, ReadError>
    where
        S: AsyncRead + AsyncWrite + Send + Sync + Unpin + 'static,
    {
        let inbox = greeting.inbox();
        let (stream, write) = split(stream);
        let (write, writes) = Writer::new(write);
        let mut writing = JoinSet::new();
        writing.spawn(writes);
        let mut connection = Self {
            stream: Box::new(stream),
            decoder: greeting.decoder,
            write,
            inbox,
            early: VecDeque::new(),
            pongs: 0,
            _writing: writing,
        };
        connection.settle(encode::connect(client)).await?;
        Ok(connection)
    }

    /// A subject that no other connection has.
    pub fn inbox(&self) -> &str {
        &self.inbox
    }

    /// Asks for the messages of a subject, and waits until the server knows that.
    ///
    /// # Errors
    /// What is no subject, or the connection is of no use any more.
    pub async fn subscribe(&mut self, subject: &str) -> Result<(), ReadError> {
        self.settle(encode::subscribe(subject)?).await
    }

    /// Where messages for the server go.
    pub fn writer(&self) -> Writer {
        self.write.clone()
    }

    /// Sends a message that asks for an answer to the [inbox](Self::inbox), and returns what comes next. So there has
    /// to be a subscription of that, and nothing else may be asked meanwhile.
    ///
    /// # Errors
    /// What is no subject, or the connection is of no use any more.
    pub async fn request(&mut self, subject: &str, body: &[u8]) -> Result<Message, ReadError> {
        let published = self.write.publish(subject, Some(&self.inbox), body);
        published.await?;
        self.next().await
    }

    /// The next message. Meanwhile the server is told that somebody is there, when it asks.
    ///
    /// # Errors
    /// The connection is of no use any more.
    pub async fn next(&mut self) -> Result<Message, ReadError> {
        loop {
            if let Some(message) = self.early.pop_front() {
                return Ok(message);
            }
            if let Operation::Message(message) = self.operation().await? {
                return Ok(message);
            }
        }
    }

    /// Says something, and waits until the server has heard it.
    async fn settle(&mut self, said: Vec<u8>) -> Result<(), ReadError> {
        self.write.send([&said, PING].concat()).await?;
        loop {
            match self.operation().await? {
                Operation::Pong => return Ok(()),
                Operation::Message(_) if self.early.len() == EARLY => {
                    return Err(ReadError::new("NATS does not answer a PING"));
                }
                Operation::Message(message) => self.early.push_back(message),
                _ => {}
            }
        }
    }

    /// What the server says next, but for what is answered here.
    async fn operation(&mut self) -> Result<Operation, ReadError> {
        loop {
            match self.decoder.operation()? {
                Some(Operation::Ping) if self.write.try_pong() => {}
                Some(Operation::Ping) => self.pongs = self.pongs.saturating_add(1),
                Some(Operation::Err(why)) => return Err(refusal(&why)),
                Some(operation) => return Ok(operation),
                None => self.read().await?,
            }
        }
    }

    async fn read(&mut self) -> Result<(), ReadError> {
        tokio::select! {
            read = read(&mut *self.stream, &mut self.decoder) => read?,
            () = self.write.pong(), if self.pongs > 0 => self.pongs -= 1,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
