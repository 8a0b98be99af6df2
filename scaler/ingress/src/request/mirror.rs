//! Copying a share of an app's requests to another revision. The client's request goes first and is
//! never kept waiting: a copy is sent once a replica has begun to answer it, by a task of its own.

mod send;

use std::rc::Rc;
use std::sync::Arc;

use bytes::Bytes;
use ebbtide_core::policy::{Mirror, MirrorMethods};
use http::header::{CONTENT_LENGTH, EXPECT, TRAILER};
use http::{HeaderValue, Request};
use http_body::Body as _;

use super::Outgoing;
use super::visit::Visit;
use crate::body::{BodyCopy, MOST_COPIED, NoCopy, RequestBody};
use crate::headers::{MIRROR, is_grpc};
use crate::meter::Mirrored;
use crate::table::Backend;
use crate::worker::Worker;

/// Copies that one worker has at a time, for the memory that their bodies take and the connections that
/// their answers hold.
const MOST: u32 = 64;

/// A place among the copies that a worker has, given back when it is dropped.
struct Place(Rc<Worker>);

impl Place {
    fn take(worker: &Rc<Worker>) -> Result<Self, Mirrored> {
        let count = worker.mirroring.get();
        if count == MOST {
            return Err(Mirrored::TooMany);
        }
        worker.mirroring.set(count + 1);
        Ok(Self(Rc::clone(worker)))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mirroring = &self.0.mirroring;
        mirroring.set(mirroring.get() - 1);
    }
}

/// The copy of a request that has not been answered yet.
pub(super) struct Draft {
    head: Request<()>,
    /// Its body, with the place that it takes; none if it has none.
    body: Option<(Rc<BodyCopy>, Place)>,
}

/// Begins a copy of a request if its app wants one.
pub(super) fn draft(visit: &Visit, outgoing: &mut Outgoing) -> Option<Box<Draft>> {
    let backend = visit.backend();
    let mirror = backend.policy.mirror.as_ref()?;
    let worker = visit.worker();
    let number = backend.meter.started(worker.number);
    if !mirror.draws(number) || is_for_itself(worker, backend, mirror) {
        return None;
    }
    match Draft::new(worker, mirror, outgoing) {
        Ok(draft) => Some(Box::new(draft)),
        Err(outcome) => {
            backend.meter.mirrored(worker.number, outcome);
            None
        }
    }
}

/// Whether copies would go to the revision that the requests are for.
fn is_for_itself(worker: &Worker, backend: &Backend, mirror: &Mirror) -> bool {
    let snapshot = worker.shared.published.snapshot();
    let target = snapshot.mirror_of(backend.revision.app(), &mirror.target);
    target.is_some_and(|target| target.revision == backend.revision)
}

impl Draft {
    fn new(
        worker: &Rc<Worker>,
        mirror: &Mirror,
        outgoing: &mut Outgoing,
    ) -> Result<Self, Mirrored> {
        let request = &mut outgoing.request;
        if mirror.methods == MirrorMethods::Safe && !request.method().is_safe() {
            return Err(Mirrored::UnsafeMethod);
        }
        if outgoing.upgrade.is_some() || is_grpc(request.headers()) {
            return Err(Mirrored::Stream);
        }
        if request.body().size_hint().lower() > MOST_COPIED as u64 {
            return Err(Mirrored::LargeBody);
        }
        let body = if outgoing.upload.is_some() {
            let place = Place::take(worker)?;
            let copy = Rc::new(BodyCopy::new());
            request.body_mut().is_copied_to(&copy);
            Some((copy, place))
        } else {
            None
        };
        let mut head = Request::new(());
        *head.method_mut() = request.method().clone();
        *head.uri_mut() = request.uri().clone();
        *head.headers_mut() = request.headers().clone();
        Ok(Self { head, body })
    }

    /// Sends it, now that a replica answers the request itself, which is the one of this `visit`.
    pub(super) fn send(self, visit: &Visit) {
        let backend = visit.backend();
        match self.finish(visit) {
            Ok(Some(copy)) => copy.spawn(Arc::clone(&backend.meter)),
            Ok(None) => {}
            Err(outcome) => backend.meter.mirrored(visit.worker().number, outcome),
        }
    }

    /// The copy, with a place on a replica; none if the request went to the revision that it is for.
    fn finish(self, visit: &Visit) -> Result<Option<send::Copy>, Mirrored> {
        let (worker, backend) = (visit.worker(), visit.backend());
        let Some(mirror) = &backend.policy.mirror else {
            return Ok(None);
        };
        let (body, place) = match self.body {
            Some((copy, place)) => (copy.whole()?, place),
            None => (Bytes::new(), Place::take(worker)?),
        };
        let snapshot = worker.shared.published.snapshot();
        let target = snapshot.mirror_of(backend.revision.app(), &mirror.target);
        let target = target.ok_or(Mirrored::NoTarget)?;
        if target.revision == backend.revision {
            return Ok(None);
        }
        let admission = send::admit(worker, target)?;
        let request = whole(self.head, body, backend);
        Ok(Some(send::Copy {
            request,
            admission,
            place,
        }))
    }
}

/// A request of a head and a body, with the mark that it is a copy of one to `backend`.
fn whole(head: Request<()>, body: Bytes, backend: &Backend) -> Request<RequestBody> {
    let length = body.len();
    let (head, ()) = head.into_parts();
    let mut request = Request::from_parts(head, RequestBody::Whole(body));
    let headers = request.headers_mut();
    headers.remove(EXPECT);
    headers.remove(TRAILER);
    if length > 0 {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    if let Ok(revision) = HeaderValue::from_str(backend.revision.as_str()) {
        headers.insert(MIRROR, revision);
    }
    request
}

impl From<NoCopy> for Mirrored {
    fn from(none: NoCopy) -> Self {
        match none {
            NoCopy::TooLarge => Self::LargeBody,
            NoCopy::Unfinished => Self::Stream,
        }
    }
}
