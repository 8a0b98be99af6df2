//! A connection to one server.

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::FutureExt as _;
use redis::{Cmd, ServerError, Value, ValueCodec};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_util::codec::Decoder as _;

use super::answer::Failed;
use super::login::Login;
use super::place::Place;
use super::settings::Way;
use ebbtide_brokers::error::ReadError;

/// How long TLS may take to begin: what does not speak it may wait for more.
const HANDSHAKE: Duration = Duration::from_secs(4);
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 4 << 20;

/// A connection that has logged in.
pub(super) struct Connection {
    /// Where the server is.
    pub(super) place: Place,
    key: &'static str,
    is_tls: bool,
    stream: Box<dyn Stream>,
    codec: ValueCodec,
    received: BytesMut,
}

trait Stream: AsyncRead + AsyncWrite + Send + Sync + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Sync + Unpin> Stream for S {}

impl Connection {
    /// Connects and logs in.
    ///
    /// # Errors
    /// There is no server, or it does not let in.
    pub(super) async fn open(way: &Way, place: Place, login: &Login) -> Result<Self, ReadError> {
        let (host, port) = (place.host.as_str(), place.port);
        let stream: Box<dyn Stream> = match &way.security {
            Some(security) => {
                let secured = way.connect.secured(way.key, (host, port), security);
                let secured = timeout(HANDSHAKE, secured).await;
                Box::new(secured.unwrap_or_else(|_| Err(without_tls(way.key, &place)))?)
            }
            None => Box::new(way.connect.tcp(way.key, host, port).await?),
        };
        let mut connection = Self {
            place,
            key: way.key,
            is_tls: way.security.is_some(),
            stream,
            codec: ValueCodec::default(),
            received: BytesMut::new(),
        };
        if let Some(command) = login.authenticate() {
            let answer = connection.ask(&command).await;
            connection.done(answer, |error| login.not_let_in(error))?;
        }
        if let Some(command) = login.select() {
            let answer = connection.ask(&command).await;
            connection.done(answer, |error| login.not_selected(error))?;
        }
        Ok(connection)
    }

    /// Nothing, if a command was carried out.
    fn done(
        &self,
        answer: Result<Value, Failed>,
        refused: impl FnOnce(&ServerError) -> ReadError,
    ) -> Result<(), ReadError> {
        match answer {
            Ok(Value::Okay) => Ok(()),
            Ok(_) => Err(self.nonsense()),
            Err(Failed::Refused(error)) => Err(refused(&error)),
            Err(Failed::TooLong) => Err(self.too_long()),
            Err(Failed::Lost(error)) => Err(error),
        }
    }

    /// Itself, unless the server has closed it, as servers do with connections that nobody uses, or has
    /// said what nobody asked for.
    pub(super) fn unless_over(mut self) -> Option<Self> {
        let mut byte = [0];
        let is_over = self.stream.read(&mut byte).now_or_never().is_some();
        (!is_over).then_some(self)
    }

    /// The answer to a command.
    ///
    /// # Errors
    /// There is none. After any but [`Failed::Refused`] the connection is of no more use.
    pub(super) async fn ask(&mut self, command: &Cmd) -> Result<Value, Failed> {
        let sent = self.send(command).await;
        sent.map_err(|error| self.broken(&error))?;
        let mut length = 0;
        loop {
            let decoded = self.codec.decode(&mut self.received);
            // What it says of an answer that is none has parts of it.
            match decoded.map_err(|_| self.nonsense())? {
                Some(Value::ServerError(error)) => return Err(Failed::Refused(error)),
                Some(value) => return Ok(value),
                None if length > LONGEST_ANSWER => return Err(Failed::TooLong),
                None => {}
            }
            match self.stream.read_buf(&mut self.received).await {
                Ok(0) => return Err(self.closed().into()),
                Ok(more) => length += more,
                Err(error) => return Err(self.broken(&error).into()),
            }
        }
    }

    async fn send(&mut self, command: &Cmd) -> io::Result<()> {
        self.stream.write_all(&command.get_packed_command()).await?;
        self.stream.flush().await
    }

    /// What is said of an answer that was not read.
    pub(super) fn too_long(&self) -> ReadError {
        let most = LONGEST_ANSWER >> 20;
        let message = format!(
            "{} answers more than {most} MiB, which is not read",
            self.place
        );
        ReadError::of(self.key, message)
    }

    /// What is said of an answer that is not Redis's.
    pub(super) fn nonsense(&self) -> ReadError {
        let message = format!("what {} answers is not what Redis does", self.place);
        ReadError::of(self.key, message)
    }

    fn closed(&self) -> ReadError {
        let hint = if self.is_tls {
            ""
        } else {
            "; if it speaks TLS, give enableTLS"
        };
        let message = format!("{} closed the connection{hint}", self.place);
        ReadError::of(self.key, message)
    }

    fn broken(&self, error: &io::Error) -> ReadError {
        use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
        if matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof) {
            return self.closed();
        }
        let message = format!("the connection to {} failed: {error}", self.place);
        ReadError::of(self.key, message)
    }
}

/// What is said of a place at which TLS does not begin.
fn without_tls(key: &'static str, place: &Place) -> ReadError {
    let seconds = HANDSHAKE.as_secs();
    let hint = "if it does not speak TLS, leave enableTLS out";
    ReadError::of(
        key,
        format!("{place} begins no TLS within {seconds} s; {hint}"),
    )
}
