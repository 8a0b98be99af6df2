//! The task of a connection: it reads answers, and writes what the worker could not.

use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead as _, AsyncReadExt as _, AsyncWrite as _, ReadBuf};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::task::spawn_local;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use super::answer::{Progress, Reading};
use super::pool::Pool;
use super::wire::{Carried, Wire};
use crate::engine::worker::Worker;

/// How long a server that said it closes a connection has for that. Who closes first has to keep the port.
const CLOSING: Duration = Duration::from_secs(1);

/// What a connection is read from, and with TLS written to.
pub(super) enum Io {
    Plain(OwnedReadHalf),
    Tls(Box<TlsStream<TcpStream>>),
    /// It was handed on.
    Gone,
}

/// A connection, until it is closed.
pub(super) struct Connection {
    pool: Rc<Pool>,
    wire: Rc<Wire>,
    io: Io,
    reading: Reading,
    /// Why nothing more can be written. There may still be an answer: a server need not read all of a request.
    broken: Option<io::Error>,
}

impl Future for Connection {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let connection = self.get_mut();
        let Some(worker) = connection.pool.worker() else {
            return Poll::Ready(());
        };
        while !connection.wire.is_closed() {
            connection.poll_write(context);
            ready!(connection.poll_answer(&worker, context));
        }
        Poll::Ready(())
    }
}

impl Connection {
    pub(super) fn new(pool: Rc<Pool>, wire: Rc<Wire>, io: Io) -> Self {
        let mut reading = Reading::new();
        reading.next(&pool.rules);
        Self {
            pool,
            wire,
            io,
            reading,
            broken: None,
        }
    }

    /// Writes what is left of a request, as far as that is possible now.
    fn poll_write(&mut self, context: &mut Context<'_>) {
        while self.broken.is_none() && self.wire.has_unsent() {
            let unsent = self.wire.unsent();
            match self.poll_write_some(&unsent, context) {
                Poll::Pending => return,
                Poll::Ready(Ok(length)) if length > 0 => {
                    self.wire.wrote(length, self.pool.now().unwrap_or_default());
                }
                Poll::Ready(Ok(_)) => self.broken = Some(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Err(error)) => self.broken = Some(error),
            }
        }
    }

    fn poll_write_some(
        &mut self,
        unsent: &[u8],
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Io::Tls(stream) = &mut self.io {
            return Pin::new(stream).poll_write(context, unsent);
        }
        let write = |writer: &mut OwnedWriteHalf| Pin::new(writer).poll_write(context, unsent);
        let written = self.wire.with_writer(write);
        written.unwrap_or(Poll::Ready(Err(io::ErrorKind::NotConnected.into())))
    }

    /// Reads once, and takes what was read.
    fn poll_answer(&mut self, worker: &Rc<Worker>, context: &mut Context<'_>) -> Poll<()> {
        let mut read = worker.read.borrow_mut();
        let length = match self.poll_read(context, &mut read) {
            Poll::Ready(Ok(length)) if length > 0 => length,
            Poll::Ready(end) => {
                drop(read);
                self.ended(end.err());
                return Poll::Ready(());
            }
            Poll::Pending => {
                self.wire.wake_later(context);
                return Poll::Pending;
            }
        };
        let now = worker.now();
        let Some(carried) = self.wire.carried() else {
            drop(read);
            self.pool.closed_idle(&self.wire);
            return Poll::Ready(());
        };
        let (rules, to_head) = (&self.pool.rules, self.pool.to_head);
        let progress = self.reading.feed(rules, to_head, &read[..length], now);
        drop(read);
        match progress {
            Ok(Progress::More) => {}
            Ok(Progress::Complete) => {
                self.reading.keeps &= self.is_quiet(worker, context);
                self.answered(carried, now);
            }
            Err(error) => self.pool.nonsense(&self.wire, carried.flight, error),
        }
        Poll::Ready(())
    }

    /// Whether neither the end of the connection nor anything unasked has come with the answer. It costs no call of
    /// the system if nothing has.
    fn is_quiet(&mut self, worker: &Rc<Worker>, context: &mut Context<'_>) -> bool {
        let mut read = worker.read.borrow_mut();
        self.reading.keeps && self.poll_read(context, &mut read).is_pending()
    }

    fn poll_read(&mut self, context: &mut Context<'_>, read: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut read = ReadBuf::new(read);
        match &mut self.io {
            Io::Plain(reader) => ready!(Pin::new(reader).poll_read(context, &mut read))?,
            Io::Tls(stream) => {
                // TLS holds back what it was given until it is flushed.
                if Pin::new(&mut *stream).poll_flush(context).is_pending() {
                    self.wire.wake_later(context);
                }
                ready!(Pin::new(stream).poll_read(context, &mut read))?;
            }
            Io::Gone => {}
        }
        Poll::Ready(Ok(read.filled().len()))
    }

    fn answered(&mut self, carried: Carried, now: Duration) {
        let closes = self.reading.closes;
        let keeps = self.pool.answered(&self.wire, carried, &self.reading, now);
        self.reading.next(&self.pool.rules);
        if !keeps && closes {
            self.wait_for_close();
        }
    }

    /// The connection has ended, with an error or without.
    fn ended(&mut self, error: Option<io::Error>) {
        let Some(carried) = self.wire.carried() else {
            return self.pool.closed_idle(&self.wire);
        };
        if error.is_none() && self.reading.close() == Progress::Complete {
            let now = self.pool.now().unwrap_or_default();
            return self.answered(carried, now);
        }
        let place = if self.reading.is_untouched() {
            "the connection ended before a byte of the answer came"
        } else {
            "the connection ended within the answer"
        };
        let detail = match self.broken.take().or(error) {
            Some(error) => format!("{place}: {error}"),
            None => place.to_owned(),
        };
        self.pool.broken(&self.wire, carried, detail);
    }

    /// Lets the server close the connection, as it said it does.
    fn wait_for_close(&mut self) {
        let mut io = std::mem::replace(&mut self.io, Io::Gone);
        let writer = self.wire.take_writer();
        spawn_local(async move {
            let mut rest = [0; 512];
            let closed = async {
                match &mut io {
                    Io::Plain(reader) => while matches!(reader.read(&mut rest).await, Ok(1..)) {},
                    Io::Tls(stream) => while matches!(stream.read(&mut rest).await, Ok(1..)) {},
                    Io::Gone => {}
                }
            };
            // One that does not is closed by us.
            let _ = timeout(CLOSING, closed).await;
            if let Some(writer) = writer {
                writer.forget();
            }
        });
    }
}
