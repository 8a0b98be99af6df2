//! Sending a copy of a request, and reading its answer for nobody.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use http_body::Body as _;
use tokio::task::spawn_local;

use super::Place;
use crate::admission::Admission;
use crate::body::RequestBody;
use crate::meter::{Mirrored, RevisionMeter};
use crate::table::Backend;
use crate::upstream::{AnswerStream, Pool, send};
use crate::worker::Worker;

/// How long a copy may take in all.
const TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes of an answer that are read so that its connection can be used again.
const MOST_READ: usize = 1024 * 1024;

/// A copy that is ready to go.
pub(super) struct Copy {
    pub(super) request: Request<RequestBody>,
    pub(super) admission: Admission,
    pub(super) place: Place,
}

/// A place on a replica of `target`, if there is one now: who waits there comes before a copy, and a copy
/// wakes nothing.
pub(super) fn admit(worker: &Worker, target: &Arc<Backend>) -> Result<Admission, Mirrored> {
    let mut replicas = target.state.replicas().iter();
    if replicas.all(|replica| replica.is_closed()) {
        return Err(Mirrored::NoReplica);
    }
    if target.meter.waiting() > 0 {
        return Err(Mirrored::ReplicasBusy);
    }
    worker.choose(target, None).ok_or(Mirrored::ReplicasBusy)
}

impl Copy {
    /// Sends it by a task of its own, which the worker's `LocalSet` owns, and counts what became of it.
    pub(super) fn spawn(self, meter: Arc<RevisionMeter>) {
        spawn_local(async move {
            let worker = Rc::clone(&self.place.0);
            let outcome = self.send(&worker).await;
            meter.mirrored(worker.number, outcome);
        });
    }

    async fn send(self, worker: &Worker) -> Mirrored {
        let pool = worker.pool(self.admission.replica());
        let deadline = worker.deadlines.add(worker.now() + TIMEOUT, None);
        let exchange = pin!(exchange(worker, &pool, self.request));
        let outcome = deadline.limit(exchange).await;
        outcome.unwrap_or(Mirrored::TimedOut)
    }
}

async fn exchange(worker: &Worker, pool: &Rc<Pool>, mut request: Request<RequestBody>) -> Mirrored {
    let Ok(response) = send(pool, &mut request, None).await else {
        return Mirrored::Failed;
    };
    if response.status().is_informational() {
        return Mirrored::Failed;
    }
    let outcome = Mirrored::answered(response.status());
    let mut body = response.into_body();
    match read(&mut body).await {
        Read::All => {
            body.give_back(worker.now());
            outcome
        }
        Read::Enough => outcome,
        Read::Broken => Mirrored::Failed,
    }
}

/// How far an answer was read.
enum Read {
    All,
    /// There is more of it than anyone would want.
    Enough,
    Broken,
}

async fn read(body: &mut AnswerStream) -> Read {
    let mut bytes = 0;
    loop {
        match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
            None => return Read::All,
            Some(Err(_)) => return Read::Broken,
            Some(Ok(frame)) => bytes += frame.data_ref().map_or(0, bytes::Bytes::len),
        }
        if bytes > MOST_READ {
            return Read::Enough;
        }
    }
}
