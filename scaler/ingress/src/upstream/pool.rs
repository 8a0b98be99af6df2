//! The connections of one worker to one replica.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::time::Timestamp;
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};

use super::connect::{self, Http2Connection};
use super::http1::Connection;
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
    connection: Box<Connection>,
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
    pub(super) fn take(&self) -> Option<Box<Connection>> {
        let mut idle = self.idle.borrow_mut();
        loop {
            let Idle { connection, .. } = idle.pop()?;
            if connection.is_quiet() {
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
        let fresh =
            |idle: &Idle| now.since(idle.since) < IDLE_TIMEOUT && idle.connection.is_quiet();
        self.idle.borrow_mut().retain(fresh);
        let ended = self.replica.is_closed() && self.replica.in_flight() == 0;
        let forgotten = Arc::strong_count(&self.replica) == 1;
        !(ended || forgotten)
    }

    /// Takes a connection back that nobody uses for now.
    pub(super) fn put(&self, mut connection: Box<Connection>, now: Timestamp) {
        let mut idle = self.idle.borrow_mut();
        let is_wanted = idle.len() < IDLE_CONNECTIONS && !self.replica.is_closed();
        if is_wanted && connection.is_quiet() {
            connection.rest();
            idle.push(Idle {
                connection,
                since: now,
            });
        }
    }
}
