//! A small external scaler.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ebbtide_proto::external_scaler::external_scaler_server::{
    ExternalScaler, ExternalScalerServer,
};
use ebbtide_proto::external_scaler::{
    GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, MetricSpec,
    MetricValue, ScaledObjectRef,
};
use futures_util::stream;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tonic::transport::{Identity, Server, ServerTlsConfig};
use tonic::{Request, Response, Status};

use crate::bed::Case;

const PAUSE: Duration = Duration::from_millis(10);

/// What the scaler says.
#[derive(Default)]
pub(super) struct State {
    /// Names of metrics, with a target and values each.
    pub(super) metrics: Vec<(&'static str, f64, Vec<f64>)>,
    pub(super) is_active: bool,
    /// What it answers every question with.
    pub(super) failure: Option<Status>,
    /// Whom it was asked for last.
    pub(super) asked_for: ScaledObjectRef,
}

/// A scaler that runs until this is dropped.
pub(super) struct Scaler {
    pub(super) address: SocketAddr,
    pub(super) state: Arc<Mutex<State>>,
    /// Counts how often the scaler has said that there is something to do.
    pushes: watch::Sender<u64>,
    _running: JoinSet<()>,
}

impl Scaler {
    /// Starts one, by TLS if there is a certificate and its key.
    pub(super) async fn start(tls: Option<(String, String)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (state, pushes) = (Arc::default(), watch::channel(0).0);
        let service = Service(Arc::clone(&state), pushes.clone());
        let mut server = Server::builder();
        if let Some((certificate, key)) = tls {
            let identity = Identity::from_pem(certificate, key);
            let tls = ServerTlsConfig::new().identity(identity);
            server = server.tls_config(tls).unwrap();
        }
        let accepted = stream::unfold(listener, async |listener| {
            let accepted = listener.accept().await.map(|(stream, _)| stream);
            Some((accepted, listener))
        });
        let mut running = JoinSet::new();
        running.spawn(async move {
            let router = server.add_service(ExternalScalerServer::new(service));
            router
                .serve_with_incoming(Box::pin(accepted))
                .await
                .unwrap();
        });
        Self {
            address,
            state,
            pushes,
            _running: running,
        }
    }

    /// Lets it say something else.
    pub(super) fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    /// Says that there is something to do, as soon as somebody listens.
    pub(super) async fn push(&self) {
        while self.pushes.receiver_count() == 0 {
            sleep(PAUSE).await;
        }
        self.pushes.send_modify(|pushes| *pushes += 1);
    }

    /// A rule for it.
    pub(super) fn case(&self, kind: &str) -> Case {
        Case::of(kind).with("scalerAddress", &self.address.to_string())
    }

    /// The metadata that it was told last.
    pub(super) fn told(&self) -> BTreeMap<String, String> {
        let state = self.state.lock().unwrap();
        state.asked_for.scaler_metadata.clone()
    }
}

struct Service(Arc<Mutex<State>>, watch::Sender<u64>);

impl Service {
    fn answer<T>(
        &self,
        object: ScaledObjectRef,
        make: impl Fn(&State) -> T,
    ) -> Result<Response<T>, Status> {
        let mut state = self.0.lock().unwrap();
        state.asked_for = object;
        match &state.failure {
            Some(status) => Err(status.clone()),
            None => Ok(Response::new(make(&state))),
        }
    }
}

type Answers<T> = Pin<Box<dyn stream::Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl ExternalScaler for Service {
    type StreamIsActiveStream = Answers<IsActiveResponse>;
    type StreamMetricSpecStream = Answers<GetMetricSpecResponse>;

    async fn stream_metric_spec(
        &self,
        _: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamMetricSpecStream>, Status> {
        Err(Status::unimplemented("as most scalers say"))
    }

    async fn is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<IsActiveResponse>, Status> {
        self.answer(request.into_inner(), |state| IsActiveResponse {
            result: state.is_active,
        })
    }

    async fn stream_is_active(
        &self,
        _: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamIsActiveStream>, Status> {
        let mut pushes = self.1.subscribe();
        // As servers in Go do, which send nothing at all before the first message.
        pushes
            .changed()
            .await
            .map_err(|_| Status::aborted("over"))?;
        pushes.mark_changed();
        let answers = stream::unfold(pushes, async |mut pushes| {
            pushes.changed().await.ok()?;
            Some((Ok(IsActiveResponse { result: true }), pushes))
        });
        Ok(Response::new(Box::pin(answers)))
    }

    async fn get_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<GetMetricSpecResponse>, Status> {
        self.answer(request.into_inner(), |state| GetMetricSpecResponse {
            metric_specs: state
                .metrics
                .iter()
                .map(|(name, target, _)| spec(name, *target))
                .collect(),
        })
    }

    async fn get_metrics(
        &self,
        request: Request<GetMetricsRequest>,
    ) -> Result<Response<GetMetricsResponse>, Status> {
        let request = request.into_inner();
        let object = request.scaled_object_ref.unwrap_or_default();
        self.answer(object, |state| {
            let mut metrics = state.metrics.iter();
            let metric = metrics.find(|(name, ..)| *name == request.metric_name);
            let values =
                metric.map(|(name, _, values)| values.iter().map(|value| amount(name, *value)));
            GetMetricsResponse {
                metric_values: values.into_iter().flatten().collect(),
            }
        })
    }
}

#[expect(deprecated, reason = "older scalers know only the integers")]
fn spec(name: &str, target: f64) -> MetricSpec {
    MetricSpec {
        metric_name: name.to_owned(),
        target_size: 0,
        target_size_float: target,
    }
}

#[expect(deprecated, reason = "older scalers know only the integers")]
fn amount(name: &str, value: f64) -> MetricValue {
    MetricValue {
        metric_name: name.to_owned(),
        metric_value: if value < 0.0 { -1 } else { 0 },
        metric_value_float: value,
    }
}
