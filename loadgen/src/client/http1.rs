//! HTTP/1.1 connections: one request at a time on each, kept open and used again.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use tokio::time::timeout;

use super::Body;
use super::dial::Dialer;
use crate::clock::RunClock;
use crate::outcome::Failure;

/// One end of a connection.
pub(super) type Sender = SendRequest<Body>;

/// How long a connection may take to be ready again after an answer. It takes none, unless the
/// server answered before it had read the request.
const READY_AGAIN: Duration = Duration::from_secs(1);

/// The idle connections. There are at most as many as requests were in flight at once.
#[derive(Default)]
pub(super) struct Pool {
    idle: Mutex<Vec<Sender>>,
}

/// A request that got the head of its answer.
pub(super) struct Sent {
    pub(super) response: Response<Incoming>,
    pub(super) sender: Sender,
    /// When it was handed to the connection.
    pub(super) at: Duration,
}

impl Pool {
    /// Sends a request on an idle connection, or on a new one if none is idle.
    ///
    /// An idle connection may turn out to be closed. A request of which not a byte was sent then
    /// goes to another connection; any other has failed.
    pub(super) async fn send(
        &self,
        dialer: &Dialer,
        clock: RunClock,
        mut request: Request<Body>,
    ) -> Result<Sent, Failure> {
        loop {
            let idle = self.take_idle();
            let reused = idle.is_some();
            let mut sender = match idle {
                Some(sender) => sender,
                None => open(dialer).await?,
            };
            let at = clock.elapsed();
            let mut error = match sender.try_send_request(request).await {
                Ok(response) => {
                    return Ok(Sent {
                        response,
                        sender,
                        at,
                    });
                }
                Err(error) => error,
            };
            request = match error.take_message() {
                Some(unsent) if reused => unsent,
                _ => return Err(error.into_error().into()),
            };
        }
    }

    /// Keeps a connection whose answer was read to the end, unless it is closing.
    pub(super) async fn give_back(&self, mut sender: Sender) {
        if let Ok(Ok(())) = timeout(READY_AGAIN, sender.ready()).await {
            self.idle().push(sender);
        }
    }

    /// The connection that was used last, so that those that are not needed close from idleness.
    fn take_idle(&self) -> Option<Sender> {
        let mut idle = self.idle();
        std::iter::from_fn(|| idle.pop()).find(Sender::is_ready)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Sender>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn open(dialer: &Dialer) -> Result<Sender, Failure> {
    let (sender, connection) = http1::handshake(dialer.connect().await?).await?;
    dialer.drive(connection);
    Ok(sender)
}
