//! The connections of one worker to one replica.

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::time::Timestamp;
use http::StatusCode;
use http::response::Parts;
use hyper::upgrade::OnUpgrade;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit, oneshot};

use super::connect::{self, Http1Connection, Http2Connection, Upgraded};
use crate::replica::Replica;

/// Idle connections kept at most.
const IDLE_CONNECTIONS: usize = 1024;

/// How long an idle connection is kept.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// How many connections may be new at a time: opened and not yet known to be accepted. A system's
/// queue of connections that the replica has not accepted yet is short (128 is usual, 5 for some),
/// and what comes when it is full waits a second.
const NEW_CONNECTIONS: usize = 64;

/// The connections of one worker to one replica.
pub(crate) struct Pool {
    replica: Arc<Replica>,
    /// HTTP/1.1: the one used last is on top, so that those not needed grow old.
    idle: RefCell<Vec<Idle>>,
    new: Semaphore,
    /// HTTP/2.
    shared: Mutex<Option<Http2Connection>>,
}

struct Idle {
    connection: Http1Connection,
    since: Timestamp,
}

impl Pool {
    pub(crate) fn new(replica: Arc<Replica>) -> Self {
        Self {
            replica,
            idle: RefCell::default(),
            new: Semaphore::new(NEW_CONNECTIONS),
            shared: Mutex::new(None),
        }
    }

    /// The replica that the connections are to.
    pub(super) fn replica(&self) -> &Replica {
        &self.replica
    }

    /// The idle connection that was used last.
    pub(super) fn take(&self) -> Option<Http1Connection> {
        let mut idle = self.idle.borrow_mut();
        loop {
            let Idle { connection, .. } = idle.pop()?;
            if connection.is_ready() {
                return Some(connection);
            }
        }
    }

    /// Waits until a further new connection may be opened.
    pub(super) async fn permit(&self) -> io::Result<SemaphorePermit<'_>> {
        self.new.acquire().await.map_err(io::Error::other)
    }

    /// The HTTP/2 connection, opened if there is none. Who comes meanwhile waits for the same one.
    pub(super) async fn shared(&self) -> io::Result<Http2Connection> {
        let mut shared = self.shared.lock().await;
        let open = shared.as_ref().filter(|one| !one.sender.is_closed());
        if let Some(connection) = open {
            return Ok(connection.clone());
        }
        let connection = connect::http2(self.replica.address()).await?;
        *shared = Some(connection.clone());
        Ok(connection)
    }

    /// Closes connections that have been idle for long. Says whether the pool is still of use.
    pub(crate) fn tidy(&self, now: Timestamp) -> bool {
        let fresh = |idle: &Idle| {
            now.since(idle.since) < IDLE_TIMEOUT && !idle.connection.sender.is_closed()
        };
        self.idle.borrow_mut().retain(fresh);
        let ended = self.replica.is_closed() && self.replica.in_flight() == 0;
        let forgotten = Arc::strong_count(&self.replica) == 1;
        !(ended || forgotten)
    }

    fn put(&self, connection: Http1Connection, now: Timestamp) {
        let mut idle = self.idle.borrow_mut();
        let wanted = idle.len() < IDLE_CONNECTIONS && !self.replica.is_closed();
        if wanted && connection.is_ready() {
            idle.push(Idle {
                connection,
                since: now,
            });
        }
    }
}

/// What a replica that has switched protocols is spoken to by.
pub(crate) enum Switched {
    /// HTTP/1.1: the connection, once its last head has been read.
    Connection(oneshot::Receiver<Upgraded>),
    /// HTTP/2: the request's stream.
    Stream(OnUpgrade),
}

/// The use of a connection by one request. Dropped, it ends the connection; given back, another
/// request can use it.
pub(crate) enum Lease {
    /// HTTP/1.1: the request has it for itself.
    Http1(Rc<Pool>, Http1Connection),
    /// HTTP/2: a stream of the shared connection, which ends with its body.
    Http2,
}

impl Lease {
    /// The answer has been read to its end.
    pub(crate) fn give_back(self, now: Timestamp) {
        if let Self::Http1(pool, connection) = self {
            pool.put(connection, now);
        }
    }

    /// The connection itself, or the stream, if the replica has switched protocols by this answer.
    pub(crate) fn into_switched(self, head: &mut Parts) -> Result<Switched, Self> {
        let stream = head.extensions.remove::<OnUpgrade>();
        match (self, stream) {
            (Self::Http1(_, connection), _) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                Ok(Switched::Connection(connection.upgraded))
            }
            (Self::Http2, Some(stream)) => Ok(Switched::Stream(stream)),
            (lease, _) => Err(lease),
        }
    }
}
