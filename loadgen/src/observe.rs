//! Follows an autoscaler during a run.
//!
//! It does so on a thread of its own, so that it takes no time of those that send. [`start`] returns once the first
//! state is known, before the run; [`Follower::finish`] has what was seen, in the time of the run.

mod collect;
mod ebbtide;
mod error;
#[cfg(feature = "kubernetes")]
mod kubernetes;
pub(crate) mod model;
mod stream;
#[cfg(test)]
mod tests;

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{oneshot, watch};
use tokio::time::timeout;

use self::collect::Collector;
use self::ebbtide::Ebbtide;
pub(crate) use self::error::ObserveError;
use self::model::Observation;
use crate::clock::{self, RunClock};
use crate::scenario::Observed;

/// How long after the last answer the first replica may be told of.
const UNDER_WAY: Duration = Duration::from_secs(5);

/// To say, once, that the first state is known, or why it cannot be.
type Ready = Option<oneshot::Sender<Result<(), ObserveError>>>;

/// The time since it began to follow, and what that is in days and hours.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    clock: RunClock,
    started: Timestamp,
}

impl Clocks {
    fn start() -> Self {
        Self {
            clock: RunClock::start(),
            started: clock::now(),
        }
    }

    fn elapsed(self) -> Duration {
        self.clock.elapsed()
    }

    fn at(self, time: Timestamp) -> SignedDuration {
        time.duration_since(self.started)
    }
}

/// Follows an autoscaler until it is finished. If it is dropped instead, what was seen is lost.
#[derive(Debug)]
pub(crate) struct Follower {
    clocks: Clocks,
    seen: watch::Receiver<Observation>,
    /// Dropped to end the thread.
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Observation>>,
}

/// What a thread follows.
enum Source {
    Ebbtide(Box<Ebbtide>),
    #[cfg(feature = "kubernetes")]
    Kubernetes(kubernetes::Deployment),
}

/// Begins to follow. Of an Ebbtide that are the apps that `hosts` lead to: hosts of the run's targets, as in `Host`,
/// or names of apps; all apps, if they lead to none.
///
/// # Errors
/// The autoscaler is not there, is something else or says no: it says what would be right.
pub(crate) async fn start(what: &Observed, hosts: &[String]) -> Result<Follower, ObserveError> {
    let clocks = Clocks::start();
    let (name, source) = source(what, hosts, clocks)?;
    let observation = Observation {
        source: name,
        ..Observation::default()
    };
    let seen = watch::Sender::new(observation);
    let watching = seen.subscribe();
    let (ready, is_ready) = oneshot::channel();
    let (stop, stopped) = oneshot::channel();
    let thread = std::thread::Builder::new()
        .name("observe".to_owned())
        .spawn(move || thread(source, Collector::new(seen), ready, stopped, clocks))
        .map_err(ObserveError::Thread)?;
    // Made before the wait: who gives up waiting ends the thread.
    let follower = Follower {
        clocks,
        seen: watching,
        stop: Some(stop),
        thread: Some(thread),
    };
    let ended = |_| ObserveError::Thread(io::Error::other("its thread ended early"));
    is_ready.await.map_err(ended)??;
    Ok(follower)
}

fn source(
    what: &Observed,
    hosts: &[String],
    clocks: Clocks,
) -> Result<(String, Source), ObserveError> {
    match what {
        Observed::Ebbtide(url) => {
            let ebbtide = Ebbtide::new(url, hosts, clocks)?;
            Ok((url.clone(), Source::Ebbtide(Box::new(ebbtide))))
        }
        #[cfg(feature = "kubernetes")]
        Observed::Kubernetes {
            namespace,
            deployment,
        } => {
            let name = format!("Deployment {namespace}/{deployment}");
            let deployment = kubernetes::Deployment::new(namespace, deployment, clocks);
            Ok((name, Source::Kubernetes(deployment)))
        }
        #[cfg(not(feature = "kubernetes"))]
        Observed::Kubernetes { .. } => Err(ObserveError::WithoutKubernetes),
    }
}

fn thread(
    source: Source,
    mut collector: Collector,
    ready: oneshot::Sender<Result<(), ObserveError>>,
    stopped: oneshot::Receiver<()>,
    clocks: Clocks,
) -> Observation {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(async {
            tokio::select! {
                _ = stopped => {}
                () = source.follow(&mut collector, Some(ready)) => {}
            }
        }),
        Err(error) => {
            let _ = ready.send(Err(ObserveError::Thread(error)));
        }
    }
    collector.finish(clocks.elapsed())
}

impl Source {
    async fn follow(self, collector: &mut Collector, ready: Ready) {
        match self {
            Self::Ebbtide(ebbtide) => ebbtide.follow(collector, ready).await,
            #[cfg(feature = "kubernetes")]
            Self::Kubernetes(deployment) => deployment.follow(collector, ready).await,
        }
    }
}

impl Follower {
    /// What was seen so far, for a view of the run. Its times count from when it began to follow.
    pub(crate) fn watch(&self) -> watch::Receiver<Observation> {
        self.seen.clone()
    }

    /// Waits until there is no replica any more and none is to be there, but not longer than this. If this is
    /// dropped, it goes on following.
    pub(crate) async fn until_zero(&self, at_most: Duration) {
        let mut seen = self.seen.clone();
        // It may not come to that, which the report says by having no time to zero.
        let _ = timeout(at_most, async {
            // That there is none may be of before the requests.
            let _ = timeout(UNDER_WAY, seen.wait_for(Observation::had_a_replica)).await;
            let _ = seen.wait_for(Observation::is_at_zero).await;
        })
        .await;
    }

    /// Ends it. `run` is the clock of the run, from whose start on times are counted.
    ///
    /// # Errors
    /// Its thread has failed.
    pub(crate) fn finish(mut self, run: RunClock) -> Result<Observation, ObserveError> {
        self.stop = None;
        let observation = self.thread.take().map(JoinHandle::join);
        match observation {
            Some(Ok(seen)) => Ok(seen.counted_from(run.started_after(self.clocks.clock))),
            _ => Err(ObserveError::Thread(io::Error::other("its thread failed"))),
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It ends at once; what it has seen nobody wants.
            let _ = thread.join();
        }
    }
}
