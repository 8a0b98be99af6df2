//! Admitting a request to a replica, and the waiting room where it waits for one.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;

use super::refusal::Refusal;
use super::visit::Visit;
use crate::connection::Peer;
use crate::replica::Admission;
use crate::table::{Backend, BackendState, Found, host};
use crate::worker::Worker;
use crate::worker::deadlines::Passed;

/// A place in a revision's waiting room, given up when this is dropped.
struct Place(Arc<Backend>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.meter.leave_waiting_room();
    }
}

/// Gets the request a place on a replica of its revision, other than `avoid` if possible. Waits
/// while there is none, for as long as the waiting room allows.
pub(super) async fn admit(
    peer: &Peer,
    visit: &mut Visit,
    host: &HeaderValue,
    has_body: bool,
    avoid: Option<u64>,
) -> Result<(), Refusal> {
    let worker = &*peer.worker;
    if avoid.is_some() {
        // Some time has passed since the request was routed.
        route_again(worker, visit, host)?;
    }
    if let Some(admission) = look(worker, visit.backend(), avoid)? {
        visit.admitted(admission, None);
        return Ok(());
    }
    let began = visit.now();
    let timeout = worker.shared.options.waiting_room.timeout;
    let client = peer.watch.clone().filter(|_| has_body);
    let deadline = worker.deadlines.add(began + timeout, client);
    let admission = match deadline.limit(wait(worker, visit, host, avoid)).await {
        Ok(admission) => admission?,
        Err(Passed::ClientGone) => return Err(Refusal::ClientGone),
        Err(Passed::TimedOut) => {
            let revision = visit.backend().revision.clone();
            return Err(Refusal::WaitedTooLong { revision, timeout });
        }
    };
    let waited = visit.look().since(began);
    visit.admitted(admission, Some(waited));
    Ok(())
}

/// Looks at every publication until a replica admits the request.
async fn wait(
    worker: &Worker,
    visit: &mut Visit,
    host: &HeaderValue,
    avoid: Option<u64>,
) -> Result<Admission, Refusal> {
    let mut place: Option<Place> = None;
    loop {
        // Made before the look, so that a publication after the look is not missed.
        let changed = worker.shared.published.changes(worker.number).notified();
        route_again(worker, visit, host)?;
        if let Some(admission) = look(worker, visit.backend(), avoid)? {
            return Ok(admission);
        }
        let stays = place
            .as_ref()
            .is_some_and(|place| place.is_for(visit.backend()));
        if !stays {
            place = Some(enter(worker, visit.backend())?);
        }
        changed.await;
    }
}

impl Place {
    fn is_for(&self, backend: &Backend) -> bool {
        Arc::ptr_eq(&self.0.meter, &backend.meter)
    }
}

/// Follows the request's revision into the present table, or its app to another revision if that
/// one is gone.
fn route_again(worker: &Worker, visit: &mut Visit, host: &HeaderValue) -> Result<(), Refusal> {
    let key = host::key(host.to_str().unwrap_or_default())?;
    let snapshot = worker.shared.published.snapshot();
    match snapshot.find(&key, Some(visit.backend())) {
        Found::Backend(backend) => {
            visit.move_to(backend);
            Ok(())
        }
        Found::NoRevision(app) => Err(Refusal::NoRevision(app.clone())),
        Found::Nothing => Err(Refusal::AppGone {
            revision: visit.backend().revision.clone(),
        }),
    }
}

fn look(
    worker: &Worker,
    backend: &Backend,
    avoid: Option<u64>,
) -> Result<Option<Admission>, Refusal> {
    match &backend.state {
        BackendState::Serving(replicas) => Ok(worker.choose(replicas, avoid)),
        BackendState::Failed { because } => Err(Refusal::Failed {
            revision: backend.revision.clone(),
            because: because.clone(),
        }),
    }
}

/// Takes a place in the waiting room. Whoever takes the first one raises activation.
fn enter(worker: &Worker, backend: &Arc<Backend>) -> Result<Place, Refusal> {
    let places = worker.shared.options.waiting_room.requests;
    let Some(taken) = backend.meter.enter_waiting_room(places) else {
        let revision = backend.revision.clone();
        return Err(Refusal::WaitingRoomFull { revision, places });
    };
    if taken == 0 {
        worker.activate(&backend.revision);
    }
    Ok(Place(Arc::clone(backend)))
}

/// How long a request waited, for `Server-Timing`.
pub(super) fn server_timing(waited: Duration) -> Option<HeaderValue> {
    let milliseconds = waited.as_secs_f64() * 1000.0;
    HeaderValue::try_from(format!("coldstart;dur={milliseconds:.1}")).ok()
}
