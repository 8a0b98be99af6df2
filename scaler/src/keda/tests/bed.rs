//! A service on a real socket, whose apps are what a test publishes.

use std::net::SocketAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use ebbtide_proto::external_scaler::external_scaler_client::ExternalScalerClient;
use tokio::net::TcpListener;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

use super::model::client;
use crate::api::model::{AppStatus, DecisionRecord, RevisionStatus, RuleStatus};
use crate::api::testing::{app, revision};
use crate::clock::SystemClock;
use crate::control::{Control, Counters, DecisionCounts, Published, PublishedApp, RevisionMetrics};
use crate::grpc::{Acceptor, Connections, Tls};
use crate::keda::{ExternalScaler, ScaledObjects, SourceBounds};

/// A service and what it answers from.
pub(super) struct Bed {
    /// The service.
    pub(super) scaler: ExternalScaler,
    /// A connection to it, as KEDA has one for all its calls.
    pub(super) client: ExternalScalerClient<Channel>,
    /// Where it listens.
    pub(super) address: SocketAddr,
    published: Arc<ArcSwap<Published>>,
    publications: watch::Sender<u64>,
    stop: oneshot::Sender<()>,
    serving: JoinSet<()>,
    _commands: mpsc::Receiver<crate::control::Command>,
}

impl Bed {
    /// More connections than any test but one opens.
    const MOST_CONNECTIONS: usize = 1024;

    /// A service without apps.
    pub(super) async fn new() -> Self {
        Self::accepting(None, Self::MOST_CONNECTIONS).await
    }

    /// The same, by TLS.
    pub(super) async fn tls(tls: Tls) -> Self {
        Self::accepting(Some(Box::new(tls)), Self::MOST_CONNECTIONS).await
    }

    /// One in the clear that may have so many connections.
    pub(super) async fn bounded(most: usize) -> Self {
        Self::accepting(None, most).await
    }

    async fn accepting(tls: Option<Box<Tls>>, most: usize) -> Self {
        let (commands, mailbox) = mpsc::channel(1);
        let published = Arc::new(ArcSwap::from_pointee(Published::default()));
        let (publications, following) = watch::channel(0);
        let control = Control {
            commands,
            published: Arc::clone(&published),
            publications: following,
            activations: watch::channel(0).1,
            events: broadcast::channel(1).0,
        };
        let scaled_objects = ScaledObjects::new(Arc::new(SystemClock::start()));
        let mut scaler = ExternalScaler::new(control, scaled_objects, SourceBounds::default());
        scaler.connections = Connections::new(most);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let acceptor = Acceptor { listener, tls };
        let (stop, stopped) = oneshot::channel();
        let mut serving = JoinSet::new();
        let served = scaler.clone();
        serving.spawn(async move {
            let stopped = async { stopped.await.unwrap() };
            served.serve(acceptor, stopped).await.unwrap();
        });
        let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
        Self {
            scaler,
            client: client(endpoint.connect_lazy()),
            address,
            published,
            publications,
            stop,
            serving,
            _commands: mailbox,
        }
    }

    /// A service with the app `hello`, whose revision `hello--v1` has as many replicas.
    pub(super) async fn with(replicas: u32) -> Self {
        let bed = Self::new().await;
        bed.publish(vec![decided(replicas)]);
        bed
    }

    /// Publishes the app `hello` with these revisions, as the control task would.
    pub(super) fn publish(&self, revisions: Vec<RevisionStatus>) {
        self.publish_lowered(revisions, false);
    }

    /// The same, and whether their replicas became fewer.
    pub(super) fn publish_lowered(&self, revisions: Vec<RevisionStatus>, lowered: bool) {
        let metrics = revisions.iter().map(|one| RevisionMetrics {
            app: "hello".to_owned(),
            revision: one.name.clone(),
            meter: Counters::Reported(Arc::default()),
            decisions: DecisionCounts::default(),
            replicas: one.replicas,
            lowered,
            readings: Vec::new(),
        });
        let metrics = metrics.collect();
        self.publish_app(PublishedApp {
            status: AppStatus {
                revisions,
                ..app("hello")
            },
            revisions: metrics,
        });
    }

    fn publish_app(&self, app: PublishedApp) {
        let sequence = self.published.load().sequence + 1;
        self.published.store(Arc::new(Published {
            apps: vec![Arc::new(app)],
            routes: Vec::new(),
            rules: Vec::new(),
            ready: true,
            informed: true,
            ingresses: None,
            sequence,
        }));
        self.publications.send_replace(sequence);
    }

    /// Tells the service to stop, and waits until it has.
    pub(super) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.serving.join_all().await;
    }
}

/// `hello--v1` with as many replicas decided and ready.
pub(super) fn decided(replicas: u32) -> RevisionStatus {
    let mut one = revision("hello--v1");
    one.replicas.desired = replicas;
    one.replicas.ready = replicas;
    one.decision = Some(DecisionRecord {
        sequence: 1,
        time: String::new(),
        app: "hello".to_owned(),
        revision: one.name.clone(),
        from: replicas,
        to: replicas,
        sentence: format!("hello--v1 stays at {replicas}"),
        recommendations: Vec::new(),
        limits: Vec::new(),
    });
    one
}

/// A rule with this value; none is unknown.
pub(super) fn rule(name: &str, scaler: &str, value: Option<f64>, target: f64) -> RuleStatus {
    RuleStatus {
        name: name.to_owned(),
        scaler: scaler.to_owned(),
        metric: String::new(),
        value,
        target,
        replicas: None,
        age_seconds: None,
        state: String::new(),
        because: "the queue cannot be reached".to_owned(),
        ..RuleStatus::default()
    }
}
