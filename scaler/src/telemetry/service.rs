//! Takes in what ingresses report and hands it to the control task.

use std::time::Duration;

use ebbtide_proto::TELEMETRY_DESCRIPTORS;
use ebbtide_proto::telemetry::telemetry_server::{Telemetry, TelemetryServer};
use ebbtide_proto::telemetry::{Counts, Received};
use tokio::sync::{mpsc, watch};
use tonic::transport::Server;
use tonic::{Request, Response, Status, Streaming};

use super::report::Report;
use crate::grpc::{Acceptor, Connections, router};
use crate::stopping::told;

/// The longest message that is read, in bytes: a report of some fifty thousand revisions.
const MAX_MESSAGE: usize = 8 * 1024 * 1024;

/// Streams of one connection; an ingress has one.
const MAX_STREAMS: u32 = 8;

/// How many connections there may be: an ingress has one.
const MAX_CONNECTIONS: usize = 1024;

/// How long streams have to end after the shutdown has begun.
const DRAIN: Duration = Duration::from_secs(2);

/// Takes in reports.
pub struct Receiver {
    reports: mpsc::Sender<Report>,
}

struct Service {
    reports: mpsc::Sender<Report>,
    stopping: watch::Receiver<bool>,
}

impl Receiver {
    /// Hands what comes in to `reports`, and waits while that is full.
    pub fn new(reports: mpsc::Sender<Report>) -> Self {
        Self { reports }
    }

    /// Serves what `acceptor` accepts until `shutdown` is done, then ends the streams with OK.
    ///
    /// # Errors
    /// When the listener fails for good, or the descriptions for reflection cannot be read.
    pub async fn serve(
        self,
        acceptor: Acceptor,
        shutdown: impl Future<Output = ()> + Send,
    ) -> anyhow::Result<()> {
        let (stop, stopping) = watch::channel(false);
        let service = Service {
            reports: self.reports,
            stopping: stopping.clone(),
        };
        let service = TelemetryServer::new(service).max_decoding_message_size(MAX_MESSAGE);
        let server = Server::builder().max_concurrent_streams(Some(MAX_STREAMS));
        // Healthy as long as it is there.
        let (_health, router) = router(server, service, TELEMETRY_DESCRIPTORS).await?;
        let connections = Connections::new(MAX_CONNECTIONS);
        let server = acceptor.serve("the telemetry service", connections, router, told(stopping));
        let deadline = async {
            shutdown.await;
            stop.send_replace(true);
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            result = server => result,
            () = deadline => Ok(()),
        }
    }
}

#[tonic::async_trait]
impl Telemetry for Service {
    async fn report(
        &self,
        request: Request<Streaming<Counts>>,
    ) -> Result<Response<Received>, Status> {
        let mut messages = request.into_inner();
        let stopping = told(self.stopping.clone());
        tokio::pin!(stopping);
        let mut whole = true;
        loop {
            let message = tokio::select! {
                () = &mut stopping => break,
                message = messages.message() => message?,
            };
            let Some(message) = message else {
                break;
            };
            let report = Report::read(message, whole).map_err(Status::invalid_argument)?;
            whole = false;
            if self.reports.send(report).await.is_err() {
                return Err(Status::unavailable("the scaler is shutting down"));
            }
        }
        Ok(Response::new(Received {}))
    }
}
