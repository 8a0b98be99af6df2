//! Accepting connections, and handing them to a service.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::{FutureExt, stream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tonic::transport::server::Router;

use super::connection::{Connection, Connections};
use super::tls::Tls;

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Handshakes that may be under way; further connections wait to be accepted.
const MAX_HANDSHAKES: usize = 256;

/// Connections that may wait to be served.
const ACCEPTED: usize = 16;

/// After an error that is not one connection's, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// Time from one word about refused connections to the next.
const SAID_AGAIN: Duration = Duration::from_secs(60);

type Accepted = mpsc::Sender<io::Result<Connection>>;

/// Where connections come in, and how.
pub struct Acceptor {
    /// What is listened on.
    pub listener: TcpListener,
    /// The certificates, or none for connections in the clear.
    pub tls: Option<Box<Tls>>,
}

impl Acceptor {
    /// Serves what comes in until `stopped` and what is under way is done. `service` is what logs call
    /// the service, and `connections` how many it has and may have.
    pub(crate) async fn serve(
        self,
        service: &'static str,
        connections: Arc<Connections>,
        router: Router,
        stopped: impl Future<Output = ()> + Send,
    ) -> anyhow::Result<()> {
        let (accepted, incoming) = mpsc::channel(ACCEPTED);
        let incoming = stream::unfold(incoming, async |mut incoming| {
            Some((incoming.recv().await?, incoming))
        });
        let server = router.serve_with_incoming_shutdown(incoming, stopped);
        let (result, ()) = tokio::join!(server, self.accept(service, connections, accepted));
        result?;
        Ok(())
    }

    /// Accepts connections, and follows the certificates, until nobody takes connections any more.
    /// Handshakes under way end with it.
    async fn accept(
        self,
        service: &'static str,
        connections: Arc<Connections>,
        accepted: Accepted,
    ) {
        let config = self.tls.as_ref().map(|tls| tls.config());
        let door = Door {
            service,
            listener: self.listener,
            config,
            connections: Arc::clone(&connections),
            accepted: accepted.clone(),
        };
        let following = async {
            match self.tls {
                Some(mut tls) => tls.follow(service, &connections).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = door.open() => {}
            () = accepted.closed() => {}
            () = following => {}
        }
    }
}

struct Door {
    service: &'static str,
    listener: TcpListener,
    config: Option<Arc<ArcSwap<ServerConfig>>>,
    connections: Arc<Connections>,
    accepted: Accepted,
}

type Handshake = (SocketAddr, io::Result<Connection>);

impl Door {
    async fn open(self) {
        let mut under_way: JoinSet<Handshake> = JoinSet::new();
        let mut silence = interval(SAID_AGAIN);
        silence.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                connection = self.listener.accept(), if under_way.len() < MAX_HANDSHAKES => {
                    let Ok((stream, peer)) = connection else {
                        sleep(PAUSE).await;
                        continue;
                    };
                    match self.connections.enter() {
                        Some(place) => self.welcome(stream, peer, place, &mut under_way),
                        None => self.say_refused(peer, &mut silence),
                    }
                }
                Some(Ok((peer, done))) = under_way.join_next() => match done {
                    Ok(connection) => {
                        if self.accepted.send(Ok(connection)).await.is_err() {
                            return;
                        }
                    }
                    Err(error) => tracing::warn!(%peer, "no TLS connection: {error}"),
                },
            }
        }
    }

    fn welcome(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        place: OwnedSemaphorePermit,
        under_way: &mut JoinSet<Handshake>,
    ) {
        // Small messages, each of which is waited for; without it they are only later.
        let _ = stream.set_nodelay(true);
        let config = self.config.as_ref().map(|config| config.load_full());
        under_way.spawn(async move {
            let Some(config) = config else {
                return (peer, Ok(Connection::plain(stream, peer, place)));
            };
            let shaken = timeout(HANDSHAKE, TlsAcceptor::from(config).accept(stream)).await;
            let done = match shaken {
                Ok(Ok(stream)) => Ok(Connection::tls(stream, peer, place)),
                Ok(Err(error)) => Err(error),
                Err(_) => Err(io::Error::other("the handshake took too long")),
            };
            (peer, done)
        });
    }

    fn say_refused(&self, peer: SocketAddr, silence: &mut Interval) {
        if silence.tick().now_or_never().is_none() {
            return;
        }
        let most = self.connections.sample().most;
        let service = self.service;
        tracing::warn!(%peer, "{service} has {most} connections already; one more was closed");
    }
}
