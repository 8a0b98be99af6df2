//! Starting and stopping an ingress.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ebbtide_core::name::RevisionName;
use tokio::sync::{mpsc, watch};

use crate::limits::gate::{Gate, LimitReading};
use crate::listener;
use crate::options::{IngressOptions, StartError};
use crate::publish::{Published, Publisher};
use crate::records::RecordCounts;
use crate::tls::{self, Resolver, SharedTls, TlsOptions};
use crate::worker::accept::Listeners;
use crate::worker::balance::{Balance, Inbox};
use crate::worker::{self, Phase, Shared};

/// A running ingress. Dropped, it stops taking connections, and its requests are cut off;
/// [`shutdown`](Self::shutdown) lets them finish.
pub struct Ingress {
    local_address: SocketAddr,
    tls_address: Option<SocketAddr>,
    publisher: Publisher,
    published: Arc<Published>,
    limits: LimitMeter,
    phase: watch::Sender<Phase>,
    workers: Vec<JoinHandle<()>>,
}

impl Ingress {
    /// Binds the addresses and starts the workers. Until a table is published connections wait to be
    /// taken. A revision whose first request has to wait is sent to `activations`.
    ///
    /// # Errors
    /// [`StartError::AddressInUse`] when something listens there already, and whatever else the
    /// system has against it.
    pub fn start(
        options: IngressOptions,
        activations: mpsc::Sender<RevisionName>,
    ) -> Result<Self, StartError> {
        let workers = options.workers.get();
        let takes_over = options.takes_over;
        let (plain, local_address) = listen(options.listen, workers, takes_over)?;
        let published = Arc::new(Published::new(workers));
        let gate = Gate::new(&options.limits);
        let (balance, inboxes) = Balance::new(options.workers);
        let limits = LimitMeter::new(&gate, &balance, &options);
        let (by_tls, tls_address, tls) = match &options.tls {
            Some(tls) => listen_tls(tls, workers, takes_over, &published)?,
            None => (Vec::new(), None, None),
        };
        let taken = tls_address.iter().chain([&local_address]);
        let taken = taken.map(SocketAddr::port).collect();
        published.ports.start(&options, taken);
        let shared = Shared {
            options,
            port: local_address.port(),
            tls,
            published: Arc::clone(&published),
            activations,
            gate: Arc::clone(&gate),
            balance,
        };
        let mut ingress = Self {
            local_address,
            tls_address,
            publisher: Publisher::new(Arc::clone(&published)),
            published,
            limits,
            phase: watch::Sender::new(Phase::Serving),
            workers: Vec::with_capacity(workers),
        };
        let mut by_tls = by_tls.into_iter();
        for (number, (plain, inbox)) in plain.into_iter().zip(inboxes).enumerate() {
            let tls = by_tls.next();
            let from = (Listeners { plain, tls }, inbox);
            ingress.start_worker(number, shared.clone(), from)?;
        }
        Ok(ingress)
    }

    fn start_worker(
        &mut self,
        number: usize,
        shared: Shared,
        from: (Listeners, Inbox),
    ) -> Result<(), StartError> {
        let phase = self.phase.subscribe();
        let thread = thread::Builder::new().name(format!("ingress-{number}"));
        let run = move || worker::run::run(number, &shared, from, &phase);
        self.workers
            .push(thread.spawn(run).map_err(StartError::Worker)?);
        Ok(())
    }

    /// Where it listens.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Where it takes HTTPS, if it does.
    pub fn tls_address(&self) -> Option<SocketAddr> {
        self.tls_address
    }

    /// The way to give it routing tables.
    pub fn publisher(&self) -> Publisher {
        self.publisher.clone()
    }

    /// The way to ask how full it is and how often its limits were reached.
    pub fn limits(&self) -> LimitMeter {
        self.limits.clone()
    }

    /// Takes no more connections and frees the address. Connections that there are end after the
    /// request they have.
    pub fn stop_accepting(&self) {
        self.enter(Phase::Draining);
    }

    /// Takes no more connections, lets the requests in flight finish for up to `grace`, then ends
    /// what is left and returns when every worker's thread has ended.
    pub async fn shutdown(mut self, grace: Duration) {
        self.enter(Phase::Draining);
        // Every worker has a receiver until its thread ends.
        if tokio::time::timeout(grace, self.phase.closed())
            .await
            .is_err()
        {
            self.enter(Phase::Ended);
            self.phase.closed().await;
        }
        self.join();
    }

    /// Phases only go forward.
    fn enter(&self, phase: Phase) {
        self.phase.send_if_modified(|present| {
            let forward = *present < phase;
            *present = phase.max(*present);
            forward
        });
        // The workers have listeners of their own until they have taken what came there.
        self.published.ports.end();
    }

    fn join(&mut self) {
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                tracing::error!("an ingress worker's thread panicked");
            }
        }
    }
}

/// Says how full an ingress is, also after that has ended.
#[derive(Clone)]
pub struct LimitMeter {
    gate: Arc<Gate>,
    balance: Arc<Balance>,
    access: Option<Arc<RecordCounts>>,
    spans: Option<Arc<RecordCounts>>,
}

impl LimitMeter {
    fn new(gate: &Arc<Gate>, balance: &Arc<Balance>, options: &IngressOptions) -> Self {
        let (access, spans) = (options.access_log.as_ref(), options.spans.as_ref());
        Self {
            gate: Arc::clone(gate),
            balance: Arc::clone(balance),
            access: access.map(|log| Arc::clone(&log.sink.counts)),
            spans: spans.map(|spans| Arc::clone(&spans.sink.counts)),
        }
    }

    /// How full the ingress is, and how often its limits were reached.
    pub fn read(&self) -> LimitReading {
        LimitReading {
            access_log: self.access.as_ref().map(|counts| counts.read()),
            spans: self.spans.as_ref().map(|counts| counts.read()),
            workers: self.balance.read(),
            ..self.gate.read()
        }
    }
}

/// A listener for each worker, and their address.
fn listen(
    address: SocketAddr,
    workers: usize,
    takes_over: bool,
) -> Result<(Vec<TcpListener>, SocketAddr), StartError> {
    let listeners = listener::bind(address, workers, takes_over)?;
    let local = listeners
        .first()
        .map_or(Ok(address), TcpListener::local_addr);
    let local = local.map_err(|source| StartError::Listen { address, source })?;
    Ok((listeners, local))
}

type TlsParts = (Vec<TcpListener>, Option<SocketAddr>, Option<SharedTls>);

/// The same for HTTPS, and what the workers share of it.
fn listen_tls(
    options: &TlsOptions,
    workers: usize,
    takes_over: bool,
    published: &Arc<Published>,
) -> Result<TlsParts, StartError> {
    let (listeners, address) = listen(options.listen, workers, takes_over)?;
    let resolver = Resolver {
        certificates: Arc::clone(&options.certificates),
        issuer: options.issuer.clone(),
        published: Arc::clone(published),
    };
    let resolver = Arc::new(resolver);
    let config = |asks| tls::config(Arc::clone(&resolver) as _, asks).map_err(StartError::Tls);
    let shared = SharedTls {
        port: address.port(),
        config: Arc::new(config(false)?),
        asking: Arc::new(config(true)?),
        published: Arc::clone(published),
        redirects_to: options.redirects.then(|| Arc::clone(&options.certificates)),
    };
    Ok((listeners, Some(address), Some(shared)))
}

impl Drop for Ingress {
    fn drop(&mut self) {
        self.enter(Phase::Ended);
        self.join();
    }
}
