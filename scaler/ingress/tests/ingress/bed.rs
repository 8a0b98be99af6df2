//! An ingress with one app, `hello`, to test with.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ebbtide_core::name::{AppName, ReplicaName, RevisionName};
use ebbtide_core::policy::RequestPolicy;
use ebbtide_ingress::{
    AppRoute, Backend, BackendState, Ingress, IngressOptions, Replica, RevisionMeter, RoutingTable,
    Split, UpstreamProtocol,
};
use tokio::sync::mpsc;

use crate::clock::TestClock;

pub(crate) const WORKERS: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// The host of the app.
pub(crate) const HOST: &str = "hello.localhost";

pub(crate) struct Bed {
    pub(crate) ingress: Ingress,
    pub(crate) address: SocketAddr,
    pub(crate) activations: mpsc::Receiver<RevisionName>,
    pub(crate) meter: Arc<RevisionMeter>,
    pub(crate) clock: Arc<TestClock>,
    /// What becomes of the app's requests on their way.
    pub(crate) policy: RequestPolicy,
}

impl Bed {
    pub(crate) fn new() -> Self {
        Self::with(|_| ())
    }

    /// One with a table, in which there is no app; one that takes the place of another has none yet.
    pub(crate) fn with(change: impl FnOnce(&mut IngressOptions)) -> Self {
        let mut takes_over = false;
        let bed = Self::without_a_table(|options| {
            change(options);
            takes_over = options.takes_over;
        });
        if !takes_over {
            bed.ingress.publisher().publish(RoutingTable::default());
        }
        bed
    }

    /// One that does not know of any app yet.
    pub(crate) fn without_a_table(change: impl FnOnce(&mut IngressOptions)) -> Self {
        let clock = Arc::new(TestClock::new());
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut options = IngressOptions::new(any, Arc::clone(&clock) as _);
        options.workers = WORKERS;
        change(&mut options);
        let (sender, activations) = mpsc::channel(16);
        let ingress = Ingress::start(options, sender).unwrap();
        Self {
            address: ingress.local_address(),
            ingress,
            activations,
            meter: RevisionMeter::new(WORKERS),
            clock,
            policy: RequestPolicy {
                allow_insecure: true,
                ..RequestPolicy::default()
            },
        }
    }

    /// Publishes the app with one revision in this state.
    pub(crate) fn publish(&self, state: BackendState) {
        let backend = backend("v1", &self.meter, state);
        self.publish_app(vec![backend], vec![100], &[]);
    }

    /// Publishes the app with one revision and these replicas.
    pub(crate) fn serve(&self, replicas: &[Arc<Replica>]) {
        self.publish(BackendState::Serving(replicas.to_vec()));
    }

    /// Publishes the app with these revisions, its policy being the bed's.
    pub(crate) fn publish_app(
        &self,
        backends: Vec<Arc<Backend>>,
        weights: Vec<u32>,
        labels: &[(&str, usize)],
    ) {
        let policy = Arc::new(self.policy.clone());
        let backends = backends.into_iter().map(|backend| {
            Arc::new(Backend {
                revision: backend.revision.clone(),
                policy: Arc::clone(&policy),
                meter: Arc::clone(&backend.meter),
                state: backend.state.clone(),
            })
        });
        let backends = backends.collect();
        let labels = labels
            .iter()
            .map(|(label, index)| ((*label).to_owned(), *index));
        let route = AppRoute {
            app: AppName::new("hello").unwrap(),
            hosts: vec!["www.example.com".to_owned()],
            policy: Arc::clone(&policy),
            split: Arc::new(Split::new(weights)),
            labels: labels.collect::<BTreeMap<_, _>>(),
            backends,
        };
        self.ingress.publisher().publish(RoutingTable {
            apps: vec![Arc::new(route)],
            hint: "http://127.0.0.1:8081/".to_owned(),
            ..RoutingTable::default()
        });
    }
}

pub(crate) fn backend(
    suffix: &str,
    meter: &Arc<RevisionMeter>,
    state: BackendState,
) -> Arc<Backend> {
    Arc::new(Backend {
        revision: RevisionName::parse(&format!("hello--{suffix}")).unwrap(),
        policy: Arc::default(),
        meter: Arc::clone(meter),
        state,
    })
}

pub(crate) fn replica(address: SocketAddr) -> Arc<Replica> {
    replica_with(address, UpstreamProtocol::Http1)
}

pub(crate) fn replica_with(address: SocketAddr, protocol: UpstreamProtocol) -> Arc<Replica> {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let revision = RevisionName::parse("hello--v1").unwrap();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = ReplicaName::new(&revision, &number.to_string());
    Replica::new(name, address, protocol)
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    for _ in 0..2000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("still not after 10 s: {what}");
}
