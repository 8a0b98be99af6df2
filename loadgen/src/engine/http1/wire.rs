//! What the worker and the task of a connection share.

use std::cell::RefCell;
use std::io;
use std::task::{Context, Waker};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use rustix::net::{RecvFlags, recv};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::AbortHandle;

use crate::engine::flights::FlightId;

/// A connection that was idle for so long may have been closed by now without our knowing.
const QUIET: Duration = Duration::from_millis(1);

/// A connection, from the worker's side.
#[derive(Debug, Default)]
pub(crate) struct Wire(RefCell<State>);

#[derive(Debug, Default)]
struct State {
    closed: bool,
    /// The task that reads.
    task: Option<AbortHandle>,
    /// What requests are written to at once; none with TLS, whose task writes too.
    writer: Option<OwnedWriteHalf>,
    /// The request on it.
    flight: Option<FlightId>,
    /// When the first byte of that was written.
    sent: Option<Duration>,
    /// What is left to write of it.
    unsent: Bytes,
    /// It has carried a request before this one.
    used: bool,
    idle_since: Duration,
    waker: Option<Waker>,
}

/// The request on a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Carried {
    pub(super) flight: FlightId,
    /// When its first byte was written; none if none was.
    pub(super) sent: Option<Duration>,
    /// All of it was written.
    pub(super) complete: bool,
    /// The connection has carried another before.
    pub(super) used: bool,
}

impl Wire {
    /// The task that drives it.
    pub(super) fn set_task(&self, task: AbortHandle) {
        self.0.borrow_mut().task = Some(task);
    }

    /// What requests are written to, now that it is open.
    pub(super) fn set_writer(&self, writer: OwnedWriteHalf) {
        self.0.borrow_mut().writer = Some(writer);
    }

    /// What is written to, once nothing more is.
    pub(super) fn take_writer(&self) -> Option<OwnedWriteHalf> {
        self.0.borrow_mut().writer.take()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.borrow().closed
    }

    /// Nothing more is sent on it. Says whether that was so before.
    pub(super) fn close(&self) -> bool {
        let mut state = self.0.borrow_mut();
        state.unsent = Bytes::new();
        state.flight = None;
        std::mem::replace(&mut state.closed, true)
    }

    /// Ends its task as well.
    pub(super) fn abort(&self) {
        let task = self.0.borrow_mut().task.take();
        if let Some(task) = task {
            task.abort();
        }
    }

    /// Hands a request to it. Fails if not a byte of it can be sent, ever.
    pub(super) fn send(&self, flight: FlightId, bytes: Bytes, now: Duration) -> io::Result<()> {
        let mut state = self.0.borrow_mut();
        if state.closed {
            return Err(io::ErrorKind::NotConnected.into());
        }
        let written = match &state.writer {
            None => 0,
            Some(writer) => {
                let idle = now.saturating_sub(state.idle_since);
                if state.used && idle >= QUIET {
                    refuse_closed(writer.as_ref())?;
                }
                match writer.try_write(&bytes) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
                    written => written?,
                }
            }
        };
        state.flight = Some(flight);
        state.sent = (written > 0).then_some(now);
        state.unsent = bytes;
        state.unsent.advance(written);
        if !state.unsent.is_empty()
            && let Some(waker) = &state.waker
        {
            waker.wake_by_ref();
        }
        Ok(())
    }

    /// The request on it.
    pub(super) fn carried(&self) -> Option<Carried> {
        let state = self.0.borrow();
        Some(Carried {
            flight: state.flight?,
            sent: state.sent,
            complete: state.unsent.is_empty(),
            used: state.used,
        })
    }

    /// The request on it has ended, and nothing of it is left.
    pub(super) fn done(&self, now: Duration) {
        let mut state = self.0.borrow_mut();
        state.flight = None;
        state.used = true;
        state.idle_since = now;
    }

    pub(super) fn has_unsent(&self) -> bool {
        !self.0.borrow().unsent.is_empty()
    }

    /// What is left to write.
    pub(super) fn unsent(&self) -> Bytes {
        self.0.borrow().unsent.clone()
    }

    /// So much of it was written.
    pub(super) fn wrote(&self, length: usize, now: Duration) {
        let mut state = self.0.borrow_mut();
        state.unsent.advance(length);
        state.sent.get_or_insert(now);
    }

    /// Who is woken when something is left to write.
    pub(super) fn wake_later(&self, context: &Context<'_>) {
        let mut state = self.0.borrow_mut();
        match &mut state.waker {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
    }

    /// Does something with what is written to, if it is not the task's own.
    pub(super) fn with_writer<T>(&self, act: impl FnOnce(&mut OwnedWriteHalf) -> T) -> Option<T> {
        self.0.borrow_mut().writer.as_mut().map(act)
    }
}

/// Looks whether the server has closed a connection, or said something unasked, since it was read last.
fn refuse_closed(stream: &TcpStream) -> io::Result<()> {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    match recv(stream, &mut [0], flags) {
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Err(io::ErrorKind::NotConnected.into()),
    }
}
