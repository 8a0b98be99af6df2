//! How a worker comes to connections: taking them, and leaving them to others at its end.

use std::future::pending;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Interval;

use super::balance::{Handed, Inbox, Seat};
use super::ports::OpenPorts;
use super::{Phase, Worker};
use crate::connection::{self, Accepted};
use crate::listener;
use crate::scheme::Scheme;

/// How long accepting pauses when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long connections that have begun may take to come when the listener is about to close.
const LEAVE: Duration = Duration::from_millis(100);

/// What a worker listens on.
pub(crate) struct Listeners<L = StdListener> {
    pub(crate) plain: L,
    pub(crate) tls: Option<L>,
}

/// How a connection came in.
#[derive(Clone, Copy)]
pub(crate) enum Door {
    Plain,
    Tls,
    /// A port of a TCP app.
    Port(u16),
}

impl Listeners {
    /// Has connections come.
    pub(super) fn listen(&self) -> io::Result<()> {
        let mut all = std::iter::once(&self.plain).chain(&self.tls);
        all.try_for_each(listener::listen)
    }

    /// The same for the runtime; these stay for the next one, should it panic.
    pub(super) fn open(&self) -> io::Result<Listeners<TcpListener>> {
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

/// Waits for a table while the phase is [`Phase::Serving`].
pub(super) async fn first_table(worker: &Worker, phase: &mut watch::Receiver<Phase>) {
    let table = worker.shared.published.first_table(worker.number);
    tokio::select! {
        () = table => {}
        _ = phase.wait_for(|phase| *phase != Phase::Serving) => {}
    }
}

/// Has no more connections begin, and takes those that have begun already and are about to come.
pub(super) async fn leave(
    worker: &Rc<Worker>,
    listeners: &Listeners<TcpListener>,
    connections: &mut JoinSet<()>,
    phase: &mut watch::Receiver<Phase>,
) {
    listeners
        .all()
        .for_each(|(_, listener)| listener::leave(listener));
    let mut over = pin!(tokio::time::sleep(LEAVE));
    loop {
        tokio::select! {
            (door, accepted) = listeners.accept() => match accepted {
                Ok((stream, address)) => keep(worker, connections, door, stream, address),
                Err(_) => return,
            },
            () = &mut over => return,
            _ = phase.wait_for(|phase| *phase == Phase::Ended) => return,
        }
    }
}

/// Takes connections while the phase is [`Phase::Serving`].
pub(super) async fn accept(
    worker: &Rc<Worker>,
    (listeners, ports, inbox): (&Listeners<TcpListener>, &mut OpenPorts, &mut Inbox),
    connections: &mut JoinSet<()>,
    tick: &mut Interval,
    phase: &mut watch::Receiver<Phase>,
) {
    let published = &worker.shared.published;
    while *phase.borrow_and_update() == Phase::Serving {
        // Made before the look, so that a publication after the look is not missed.
        let changed = published.changes(worker.number).notified();
        ports.follow(&published.ports, worker.number);
        tokio::select! {
            (door, accepted) = listeners.accept() => match accepted {
                Ok((stream, address)) => take(worker, connections, door, stream, address),
                Err(error) => pause(&error).await,
            },
            accepted = ports.accept() => match accepted {
                Ok((port, stream, address)) => take(worker, connections, Door::Port(port), stream, address),
                Err(error) => pause(&error).await,
            },
            Some(handed) = inbox.recv() => receive(worker, connections, handed),
            () = changed => {}
            Some(ended) = connections.join_next() => report(ended),
            _ = tick.tick() => worker.sweep(),
            changed = phase.changed() => if changed.is_err() { return },
        }
    }
}

async fn pause(error: &io::Error) {
    tracing::warn!(%error, "cannot accept a connection");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// Takes the connections that the system has accepted already: it would reset them otherwise.
pub(super) fn accept_queued(
    worker: &Rc<Worker>,
    (listeners, ports): (&Listeners<TcpListener>, &OpenPorts),
    connections: &mut JoinSet<()>,
) {
    let mut context = Context::from_waker(Waker::noop());
    for (door, listener) in listeners.all() {
        while let Poll::Ready(Ok((stream, address))) = listener.poll_accept(&mut context) {
            keep(worker, connections, door, stream, address);
        }
    }
    for (port, stream, address) in ports.queued() {
        keep(worker, connections, Door::Port(port), stream, address);
    }
}

/// Takes what others have handed to this worker, and no more of it.
pub(super) async fn accept_handed(
    worker: &Rc<Worker>,
    inbox: &mut Inbox,
    connections: &mut JoinSet<()>,
) {
    inbox.close();
    while let Some(handed) = inbox.recv().await {
        receive(worker, connections, handed);
    }
}

/// Serves a connection that has come, or hands it to a worker that has fewer.
fn take(
    worker: &Rc<Worker>,
    connections: &mut JoinSet<()>,
    door: Door,
    stream: TcpStream,
    address: SocketAddr,
) {
    let balance = &worker.shared.balance;
    let seat = balance.seat(worker.number);
    if seat.worker() == worker.number {
        return spawn(worker, connections, (door, seat), stream, address);
    }
    let handed = stream.into_std().map(|stream| Handed {
        stream,
        address,
        door,
        seat,
    });
    match handed.map(|handed| balance.hand(handed, worker.number)) {
        Ok(Ok(())) => {}
        Ok(Err(handed)) => receive(worker, connections, handed),
        Err(error) => tracing::warn!(%error, "cannot hand a connection to another worker"),
    }
}

/// Serves a connection that this worker has been handed.
fn receive(worker: &Rc<Worker>, connections: &mut JoinSet<()>, handed: Handed) {
    let Handed {
        stream,
        address,
        door,
        seat,
    } = handed;
    match TcpStream::from_std(stream) {
        Ok(stream) => spawn(worker, connections, (door, seat), stream, address),
        Err(error) => tracing::warn!(%error, "cannot take a connection from another worker"),
    }
}

/// Serves a connection that has come, here in any case.
fn keep(
    worker: &Rc<Worker>,
    connections: &mut JoinSet<()>,
    door: Door,
    stream: TcpStream,
    address: SocketAddr,
) {
    let seat = worker.shared.balance.seat_with(worker.number);
    spawn(worker, connections, (door, seat), stream, address);
}

fn spawn(
    worker: &Rc<Worker>,
    connections: &mut JoinSet<()>,
    (door, seat): (Door, Seat),
    stream: TcpStream,
    address: SocketAddr,
) {
    // One too many ends here: nothing is known yet of what it speaks.
    let (options, address) = (&worker.shared.options, address.ip());
    let expects_proxy_protocol = options.expects_proxy_protocol(address);
    let is_proxys = expects_proxy_protocol || options.trusts(address);
    let counted = (!is_proxys).then_some(address);
    let tls = worker.shared.tls.clone();
    let tls = tls.filter(|_| matches!(door, Door::Tls));
    let scheme = tls.as_ref().map_or(Scheme::Http, |_| Scheme::Https);
    let Some(place) = worker.shared.gate.enter(counted, scheme, seat) else {
        return;
    };
    let worker = Rc::clone(worker);
    let accepted = Accepted {
        stream,
        address,
        tls,
        port: match door {
            Door::Port(port) => Some(port),
            Door::Plain | Door::Tls => None,
        },
        place,
    };
    if expects_proxy_protocol {
        connections.spawn_local(connection::serve_proxied(worker, accepted));
    } else {
        accepted.spawn(worker, connections);
    }
}

pub(super) fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "the task of a client's connection panicked");
    }
}
