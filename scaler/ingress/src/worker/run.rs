//! A worker's thread: accepting connections, ticking, draining.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet, LocalSet, yield_now};
use tokio::time::{Interval, MissedTickBehavior};

use super::{Shared, Worker};
use crate::connection;

/// How often deadlines are looked at.
const TICK: Duration = Duration::from_millis(100);

/// How long accepting pauses when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the workers are to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// Take connections.
    Serving,
    /// Take no more, and end when those there are have ended.
    Draining,
    /// End now.
    Ended,
}

/// Runs a worker until it is told to end. One that panics is started again with its listener; its
/// connections are lost, those of the others are not.
pub(crate) fn run(
    number: usize,
    shared: &Shared,
    listener: StdListener,
    phase: &watch::Receiver<Phase>,
) {
    let mut listener = Some(listener);
    loop {
        let attempt = || run_once(number, shared.clone(), &mut listener, phase.clone());
        match catch_unwind(AssertUnwindSafe(attempt)) {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::error!(worker = number, %error, "an ingress worker cannot run");
                return;
            }
            Err(_) => tracing::error!(worker = number, "an ingress worker panicked; restarting it"),
        }
    }
}

fn run_once(
    number: usize,
    shared: Shared,
    listener: &mut Option<StdListener>,
    phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let tasks = LocalSet::new();
    let worker = Rc::new(Worker::new(number, shared));
    let served = tasks.block_on(&runtime, serve(worker, listener, phase));
    // The tasks that are left (upstream connections) end before the runtime they need.
    drop(tasks);
    served
}

async fn serve(
    worker: Rc<Worker>,
    listener: &mut Option<StdListener>,
    mut phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let mut connections = JoinSet::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if let Some(listener) = &*listener {
        let listener = TcpListener::from_std(listener.try_clone()?)?;
        accept(&worker, &listener, &mut connections, &mut tick, &mut phase).await;
        // Lets the runtime ask the system what is there.
        yield_now().await;
        accept_queued(&worker, &listener, &mut connections);
    }
    // Both handles of the listener are closed now, so that the address is free.
    *listener = None;
    worker.drain.begin();
    drain(&worker, &mut connections, &mut tick, &mut phase).await;
    connections.abort_all();
    while let Some(ended) = connections.join_next().await {
        report(ended);
    }
    Ok(())
}

/// Takes connections while the phase is [`Phase::Serving`].
async fn accept(
    worker: &Rc<Worker>,
    listener: &TcpListener,
    connections: &mut JoinSet<()>,
    tick: &mut Interval,
    phase: &mut watch::Receiver<Phase>,
) {
    while *phase.borrow_and_update() == Phase::Serving {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, address)) => spawn(worker, connections, stream, address),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(ended) = connections.join_next() => report(ended),
            _ = tick.tick() => worker.sweep(),
            changed = phase.changed() => if changed.is_err() { return },
        }
    }
}

/// Takes the connections that the system has accepted already: it would reset them otherwise.
fn accept_queued(worker: &Rc<Worker>, listener: &TcpListener, connections: &mut JoinSet<()>) {
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Ok((stream, address))) = listener.poll_accept(&mut context) {
        spawn(worker, connections, stream, address);
    }
}

/// Waits for the connections to end while the phase is [`Phase::Draining`].
async fn drain(
    worker: &Worker,
    connections: &mut JoinSet<()>,
    tick: &mut Interval,
    phase: &mut watch::Receiver<Phase>,
) {
    while *phase.borrow_and_update() != Phase::Ended {
        tokio::select! {
            ended = connections.join_next() => match ended {
                Some(ended) => report(ended),
                None => return,
            },
            _ = tick.tick() => worker.sweep(),
            changed = phase.changed() => if changed.is_err() { return },
        }
    }
}

fn spawn(
    worker: &Rc<Worker>,
    connections: &mut JoinSet<()>,
    stream: TcpStream,
    address: SocketAddr,
) {
    // One too many ends here: nothing is known yet of what it speaks.
    if let Some(place) = worker.shared.gate.enter(address.ip()) {
        let served = connection::serve(Rc::clone(worker), stream, address);
        connections.spawn_local(async move {
            served.await;
            drop(place);
        });
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "the task of a client's connection panicked");
    }
}
