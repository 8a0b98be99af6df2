//! A worker's thread: accepting connections, ticking, draining.

use std::future::pending;
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
use crate::headers::Client;
use crate::scheme::Scheme;

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

/// What a worker listens on.
pub(crate) struct Listeners<L = StdListener> {
    pub(crate) plain: L,
    pub(crate) tls: Option<L>,
}

/// How a connection came in.
#[derive(Clone, Copy)]
enum Door {
    Plain,
    Tls,
}

/// Runs a worker until it is told to end. One that panics is started again with its listener; its
/// connections are lost, those of the others are not.
pub(crate) fn run(
    number: usize,
    shared: &Shared,
    listeners: Listeners,
    phase: &watch::Receiver<Phase>,
) {
    let mut listeners = Some(listeners);
    loop {
        let attempt = || run_once(number, shared.clone(), &mut listeners, phase.clone());
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

impl Listeners {
    /// The same for the runtime; these stay for the next one, should it panic.
    fn open(&self) -> io::Result<Listeners<TcpListener>> {
        let open = |listener: &StdListener| TcpListener::from_std(listener.try_clone()?);
        Ok(Listeners {
            plain: open(&self.plain)?,
            tls: self.tls.as_ref().map(open).transpose()?,
        })
    }
}

impl Listeners<TcpListener> {
    async fn accept(&self) -> (Door, io::Result<(TcpStream, SocketAddr)>) {
        let by_tls = async {
            match &self.tls {
                Some(listener) => listener.accept().await,
                None => pending().await,
            }
        };
        tokio::select! {
            accepted = self.plain.accept() => (Door::Plain, accepted),
            accepted = by_tls => (Door::Tls, accepted),
        }
    }

    fn all(&self) -> impl Iterator<Item = (Door, &TcpListener)> {
        let tls = self.tls.iter().map(|listener| (Door::Tls, listener));
        std::iter::once((Door::Plain, &self.plain)).chain(tls)
    }
}

fn run_once(
    number: usize,
    shared: Shared,
    listeners: &mut Option<Listeners>,
    phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let tasks = LocalSet::new();
    let worker = Rc::new(Worker::new(number, shared));
    let served = tasks.block_on(&runtime, serve(worker, listeners, phase));
    // The tasks that are left (upstream connections) end before the runtime they need.
    drop(tasks);
    served
}

async fn serve(
    worker: Rc<Worker>,
    listeners: &mut Option<Listeners>,
    mut phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    let mut connections = JoinSet::new();
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    if let Some(kept) = &*listeners {
        let open = kept.open()?;
        accept(&worker, &open, &mut connections, &mut tick, &mut phase).await;
        // Lets the runtime ask the system what is there.
        yield_now().await;
        accept_queued(&worker, &open, &mut connections);
    }
    // Both handles of the listeners are closed now, so that the addresses are free.
    *listeners = None;
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
    listeners: &Listeners<TcpListener>,
    connections: &mut JoinSet<()>,
    tick: &mut Interval,
    phase: &mut watch::Receiver<Phase>,
) {
    while *phase.borrow_and_update() == Phase::Serving {
        tokio::select! {
            (door, accepted) = listeners.accept() => match accepted {
                Ok((stream, address)) => spawn(worker, connections, door, stream, address),
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
fn accept_queued(
    worker: &Rc<Worker>,
    listeners: &Listeners<TcpListener>,
    connections: &mut JoinSet<()>,
) {
    let mut context = Context::from_waker(Waker::noop());
    for (door, listener) in listeners.all() {
        while let Poll::Ready(Ok((stream, address))) = listener.poll_accept(&mut context) {
            spawn(worker, connections, door, stream, address);
        }
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
    door: Door,
    stream: TcpStream,
    address: SocketAddr,
) {
    // One too many ends here: nothing is known yet of what it speaks.
    let is_trusted = worker.shared.options.trusts(address.ip());
    let counted = (!is_trusted).then_some(address.ip());
    let tls = worker.shared.tls.clone();
    let tls = tls.filter(|_| matches!(door, Door::Tls));
    let scheme = tls.as_ref().map_or(Scheme::Http, |_| Scheme::Https);
    let Some(place) = worker.shared.gate.enter(counted, scheme) else {
        return;
    };
    let worker = Rc::clone(worker);
    let client = Client::new(address.ip(), scheme, is_trusted);
    if let Some(tls) = tls {
        connections.spawn_local(connection::serve_tls(worker, tls, stream, client, place));
    } else {
        connections.spawn_local(connection::serve(worker, stream, client, place));
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "the task of a client's connection panicked");
    }
}
