//! A connection to a port for TCP: it counts as one request, waits for a replica as one, and is then passed on
//! as it is.

use std::cell::Cell;
use std::future::pending;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use ebbtide_core::time::Timestamp;
use http::StatusCode;
use tokio::net::TcpStream;

use super::admit::{Asking, Way, admit_to};
use super::refusal::Refusal;
use super::visit::Visit;
use crate::connection::Accepted;
use crate::limits::gate::Limit;
use crate::replica::Replica;
use crate::table::{Backend, Found};
use crate::tunnel::{Counted, splice};
use crate::upstream;
use crate::worker::Worker;

/// How many replicas a connection is tried on.
const ATTEMPTS: usize = 3;

/// Serves a connection that came to `port` until it ends.
pub(crate) async fn serve(worker: Rc<Worker>, accepted: Accepted, port: u16) {
    // It has left the table since the connection came.
    let Some(found) = find(&worker, &accepted, port) else {
        return;
    };
    let (backend, to) = match found {
        Ok(found) => found,
        Err(refusal) => return worker.shared.gate.answers(refusal.reason()),
    };
    let now = worker.now();
    let mut visit = Visit::begin(Rc::clone(&worker), backend, now);
    visit.is_told(worker.access.begin_connection(accepted.address, now), None);
    // In a box, as what is needed to begin is not needed after that.
    match Box::pin(connect(&worker, &mut visit, to)).await {
        Ok(replica) => pass_on(&worker, visit, accepted.stream, replica).await,
        Err(refusal) => {
            worker.shared.gate.answers(refusal.reason());
            visit.refused(refusal.status(), refusal.reason(), 0);
        }
    }
}

/// Where a connection is to go.
#[derive(Clone, Copy)]
struct To {
    /// The port it came to.
    port: u16,
    /// The additional target port that this stands for.
    target: Option<u16>,
}

/// The revision that a connection is for, if its app wants its client.
fn find(
    worker: &Worker,
    accepted: &Accepted,
    port: u16,
) -> Option<Result<(Arc<Backend>, To), Refusal>> {
    let snapshot = worker.shared.published.snapshot();
    let target = snapshot.target_port(port);
    let backend = match snapshot.find_port(port, None) {
        Found::Backend(backend) => backend,
        Found::NoRevision(app) => return Some(Err(Refusal::NoRevision(app.clone()))),
        Found::Nothing => return None,
    };
    let mut access = backend.policy.access.iter();
    let is_wanted = access.all(|access| access.admits(accepted.address));
    Some(if is_wanted {
        Ok((Arc::clone(backend), To { port, target }))
    } else {
        Err(Refusal::Forbidden(accepted.address))
    })
}

/// Connects with a replica, once there is one.
async fn connect(worker: &Worker, visit: &mut Visit, to: To) -> Result<TcpStream, Refusal> {
    let mut asking = Asking {
        way: Way::Port(to.port),
        request: None,
        has_body: false,
        avoid: None,
    };
    let mut attempt = 1;
    loop {
        let replica = admit_to(worker, None, visit, &asking).await?;
        let reached = reach(&replica, to).await;
        // How it fares is a question of the port that all its requests come to.
        if to.target.is_none() {
            visit.count_outcome(&replica, reached.is_ok());
        }
        let error = match reached {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        tracing::debug!(replica = %replica.name(), %error, "cannot reach a replica");
        if attempt == ATTEMPTS || !visit.retries_elsewhere(&replica) {
            return Err(Refusal::Unreachable {
                revision: visit.backend().revision.clone(),
                replica: replica.name().clone(),
                cause: error,
            });
        }
        attempt += 1;
        asking.avoid = Some(replica.id());
        visit.withdraw();
    }
}

async fn reach(replica: &Replica, to: To) -> io::Result<TcpStream> {
    let address = match to.target {
        None => Some(replica.address()),
        Some(target) => replica.additional_address(target),
    };
    match address {
        Some(address) => upstream::tcp(address).await,
        // It was started before its app had the port, and is about to be replaced.
        None => Err(io::Error::from(io::ErrorKind::AddrNotAvailable)),
    }
}

/// Passes bytes on until both sides have ended, one has broken, or nothing came for the idle time.
async fn pass_on(worker: &Worker, mut visit: Visit, client: TcpStream, replica: TcpStream) {
    visit.answered(StatusCode::OK);
    let last = Cell::new(worker.now());
    let client = Counted::noting(client, &visit, &last);
    tokio::select! {
        passed = splice(client, &[], replica, &[]) => if let Err(error) = passed {
            tracing::debug!(%error, "a connection to a TCP app broke");
        },
        () = idle(worker, &last) => tracing::debug!("a connection to a TCP app was idle"),
    }
}

/// Returns once nothing has come for the idle time.
async fn idle(worker: &Worker, last: &Cell<Timestamp>) {
    let timeout = worker.shared.options.limits.idle_timeout;
    loop {
        let seen = last.get();
        let deadline = worker.deadlines.add(seen + timeout, None);
        // Over only when the time is.
        let _passed = deadline.limit(pin!(pending::<()>())).await;
        if last.get() == seen {
            return worker.shared.gate.reached(Limit::IdleTime);
        }
    }
}
