//! Admitting a request to a replica, and the waiting room where it waits for one.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderValue, Request};

use super::refusal::Refusal;
use super::visit::{Visit, Waited, Waits};
use crate::admission::{Admission, Wanted, choose_wanted};
use crate::body::RequestBody;
use crate::connection::Peer;
use crate::line::{Entrant, Place};
use crate::replica::Replica;
use crate::stream::ClientWatch;
use crate::table::{Backend, BackendState, Found, host};
use crate::worker::Worker;
use crate::worker::deadlines::Passed;

/// What leads to an app.
#[derive(Clone, Copy)]
pub(super) enum Way<'a> {
    /// A host, as it was written.
    Host(&'a HeaderValue),
    /// A port of its own.
    Port(u16),
}

/// What a request asks of its admission.
pub(super) struct Asking<'a> {
    /// What led it to its app.
    pub(super) way: Way<'a>,
    /// Its head, which is all of it that waits here. A connection to a TCP app has none.
    pub(super) request: Option<&'a Request<RequestBody>>,
    /// Whether nobody else sees meanwhile that its client goes away.
    pub(super) has_body: bool,
    /// A replica that did not take it, so that another one is better.
    pub(super) avoid: Option<u64>,
}

/// Gets the request a place on a replica of its revision. Waits while there is none, for as long as
/// the waiting room allows.
pub(super) async fn admit(
    peer: &Peer,
    visit: &mut Visit,
    asking: &Asking<'_>,
) -> Result<Arc<Replica>, Refusal> {
    let client = peer.watch.clone().filter(|_| asking.has_body);
    admit_to(&peer.worker, client, visit, asking).await
}

/// The same, with the client to be watched meanwhile.
pub(super) async fn admit_to(
    worker: &Worker,
    client: Option<ClientWatch>,
    visit: &mut Visit,
    asking: &Asking<'_>,
) -> Result<Arc<Replica>, Refusal> {
    if asking.avoid.is_some() {
        // Some time has passed since the request was routed.
        route_again(worker, visit, asking.way)?;
    }
    if let Some(admission) = look(worker, visit, asking.avoid)? {
        return Ok(visit.admitted(admission, None));
    }
    let began = visit.now();
    let timeout = worker.shared.options.waiting_room.timeout;
    let deadline = worker.deadlines.add(began + timeout, client);
    let is_cold = !has_replica(visit.backend());
    let admission = match deadline.limit(Box::pin(wait(worker, visit, asking))).await {
        Ok(admission) => admission?,
        Err(Passed::ClientGone) => return Err(Refusal::ClientGone),
        Err(Passed::TimedOut) => {
            let revision = visit.backend().revision.clone();
            return Err(if has_replica(visit.backend()) {
                Refusal::BusyTooLong { revision, timeout }
            } else {
                Refusal::WaitedTooLong { revision, timeout }
            });
        }
    };
    let waited = visit.look().since(began);
    Ok(visit.admitted(admission, Some(Waited { waited, is_cold })))
}

/// Stands in line until a replica admits the request, and looks at every publication meanwhile.
async fn wait(
    worker: &Worker,
    visit: &mut Visit,
    asking: &Asking<'_>,
) -> Result<Admission, Refusal> {
    let mut place: Option<Place> = None;
    loop {
        // Made before the look, so that a publication after the look is not missed.
        let changed = worker.shared.published.changes(worker.number).notified();
        route_again(worker, visit, asking.way)?;
        let backend = visit.backend();
        if let BackendState::Failed { because } = &backend.state {
            return Err(failed(backend, because));
        }
        let place = match &mut place {
            Some(place) if place.is_for(backend) => place,
            other => other.insert(enter(worker, visit, asking)?),
        };
        // A replica may have become free since the look that found none.
        backend.meter.line().serve(backend);
        // With replicas, how many more are wanted is a question of load.
        if !has_replica(backend) && place.raises_activation() {
            worker.activate(&backend.revision);
        }
        tokio::select! {
            biased;
            Some(admission) = place.admitted() => return Ok(admission),
            () = changed => {}
        }
    }
}

/// Follows the request's revision into the present table, or its app to another revision if that
/// one is gone.
fn route_again(worker: &Worker, visit: &mut Visit, way: Way<'_>) -> Result<(), Refusal> {
    let snapshot = worker.shared.published.snapshot();
    let found = match way {
        Way::Host(host) => {
            let key = host::key(host.to_str().unwrap_or_default())?;
            snapshot.find(&key, Some(visit.backend()))
        }
        Way::Port(port) => snapshot.find_port(port, Some(visit.backend())),
    };
    match found {
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

/// A replica that admits the request at once, unless others wait for one. One that belongs to a session
/// goes to the session's replica, while that is there.
fn look(worker: &Worker, visit: &Visit, avoid: Option<u64>) -> Result<Option<Admission>, Refusal> {
    let backend = visit.backend();
    if let BackendState::Failed { because } = &backend.state {
        return Err(failed(backend, because));
    }
    if backend.meter.waiting() > 0 {
        return Ok(None);
    }
    let wanted = visit.wants().filter(|id| avoid != Some(*id));
    match wanted.map(|id| choose_wanted(backend, id)) {
        Some(Wanted::Admitted(admission)) => Ok(Some(admission)),
        Some(Wanted::Full) => Ok(None),
        Some(Wanted::Gone) | None => Ok(worker.choose(backend, avoid)),
    }
}

fn failed(backend: &Backend, because: &str) -> Refusal {
    Refusal::Failed {
        revision: backend.revision.clone(),
        because: because.to_owned(),
    }
}

/// Whether there is a replica that would admit requests if it had fewer.
fn has_replica(backend: &Backend) -> bool {
    let mut replicas = backend.state.replicas().iter();
    replicas.any(|replica| !replica.is_closed())
}

/// Takes a place in the waiting room.
fn enter(worker: &Worker, visit: &Visit, asking: &Asking<'_>) -> Result<Place, Refusal> {
    let backend = visit.backend();
    let entrant = Entrant {
        wants: visit.wants().filter(|id| asking.avoid != Some(*id)),
        avoid: asking.avoid,
        bytes: asking.request.map_or(0, head_bytes),
    };
    let place = Place::take(backend, &worker.shared.options.waiting_room, entrant);
    place.map_err(|full| Refusal::WaitingRoomFull {
        revision: backend.revision.clone(),
        full,
    })
}

/// What the head of a request takes, about.
fn head_bytes(request: &Request<RequestBody>) -> usize {
    let target = request
        .uri()
        .path_and_query()
        .map_or(0, |it| it.as_str().len());
    let fields = request.headers().iter();
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len());
    target + fields.sum::<usize>()
}

/// How long a request waited and for what, for `Server-Timing`.
pub(super) fn server_timing(waits: &Waits) -> Option<HeaderValue> {
    if waits.cold.is_none() && waits.busy.is_none() {
        return None;
    }
    let timing = |name: &str, waited: Option<Duration>| {
        let milliseconds = waited?.as_secs_f64() * 1000.0;
        Some(format!("{name};dur={milliseconds:.1}"))
    };
    let timings = [timing("coldstart", waits.cold), timing("queue", waits.busy)];
    let timings: Vec<_> = timings.into_iter().flatten().collect();
    HeaderValue::try_from(timings.join(", ")).ok()
}
