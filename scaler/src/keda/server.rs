//! Serving the contract: limits of the connection, health, reflection, shutdown.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_proto::EXTERNAL_SCALER_DESCRIPTORS;
use ebbtide_proto::external_scaler::external_scaler_server::ExternalScalerServer;
use tokio::sync::watch;
use tonic::transport::Server;

use super::bounds::SourceBounds;
use super::metrics::{Calls, ServiceSample};
use super::pulse::Pulses;
use super::scaled_objects::ScaledObjects;
use super::service::Service;
use crate::control::{Command, Control};
use crate::grpc::{Acceptor, Connections, router};
use crate::stopping::told;

/// KEDA has one connection for all its streams, one or two for each push trigger.
const MAX_STREAMS: u32 = 50_000;

/// What a connection may have sent that is not read yet, in bytes. h2 ends a connection whose small
/// frames take more than half of that, and thousands of streams may open at once.
const WINDOW: u32 = 8 * 1024 * 1024;

/// How many connections there may be: KEDA has one.
const MAX_CONNECTIONS: usize = 256;

/// The longest message that is read, in bytes: a trigger's metadata and its envelope.
const MAX_MESSAGE: usize = 256 * 1024;

/// How often rules of triggers that ask no more are forgotten.
const RELEASE: Duration = Duration::from_secs(60);

/// How long calls under way may go on after the shutdown has begun.
const DRAIN: Duration = Duration::from_secs(5);

/// The service: what it answers from, and what it counts.
#[derive(Clone)]
pub struct ExternalScaler {
    control: Control,
    scaled_objects: ScaledObjects,
    bounds: Arc<SourceBounds>,
    calls: Arc<Calls>,
    pub(super) connections: Arc<Connections>,
}

impl ExternalScaler {
    /// A service that answers from what the control task publishes.
    pub fn new(control: Control, scaled_objects: ScaledObjects, bounds: SourceBounds) -> Self {
        Self {
            control,
            scaled_objects,
            bounds: Arc::new(bounds),
            calls: Arc::default(),
            connections: Connections::new(MAX_CONNECTIONS),
        }
    }

    /// Its counters now.
    pub fn sample(&self) -> ServiceSample {
        let (scaled_objects, streams) = self.scaled_objects.counts();
        ServiceSample {
            calls: self.calls.counts(),
            scaled_objects,
            scaled_object_limit: ScaledObjects::LIMIT,
            streams,
            connections: self.connections.sample(),
        }
    }

    /// Every ScaledObject that has asked.
    pub fn scaled_objects(&self) -> &ScaledObjects {
        &self.scaled_objects
    }

    /// Serves what `acceptor` accepts until `shutdown` is done: then ends the streams with OK, and
    /// gives the calls under way a few seconds.
    ///
    /// # Errors
    /// When the listener fails for good, or the descriptions for reflection cannot be read.
    pub async fn serve(
        self,
        acceptor: Acceptor,
        shutdown: impl Future<Output = ()> + Send,
    ) -> anyhow::Result<()> {
        let (stop, stopping) = watch::channel(false);
        let pulses = Arc::new(Pulses::default());
        let scaled_objects = self.scaled_objects.clone();
        let service = Service {
            control: self.control.clone(),
            scaled_objects: self.scaled_objects,
            bounds: self.bounds,
            pulses: Arc::clone(&pulses),
            calls: self.calls,
            stopping: stopping.clone(),
        };
        let service = ExternalScalerServer::new(service).max_decoding_message_size(MAX_MESSAGE);
        let server = Server::builder()
            .max_concurrent_streams(Some(MAX_STREAMS))
            .initial_connection_window_size(Some(WINDOW));
        let (health, router) = router(server, service, EXTERNAL_SCALER_DESCRIPTORS).await?;
        let server = acceptor.serve("the KEDA service", self.connections, router, told(stopping));
        let deadline = async {
            shutdown.await;
            health
                .set_not_serving::<ExternalScalerServer<Service>>()
                .await;
            stop.send_replace(true);
            tokio::time::sleep(DRAIN).await;
        };
        tokio::select! {
            result = server => result,
            () = deadline => Ok(()),
            never = pulses.follow(&self.control) => match never {},
            never = release(&self.control, &scaled_objects) => match never {},
        }
    }
}

/// Has the control task forget rules of triggers that ask no more, from time to time, without end.
async fn release(control: &Control, scaled_objects: &ScaledObjects) -> Infallible {
    loop {
        tokio::time::sleep(RELEASE).await;
        let keep = scaled_objects.apps_of_rules();
        // A control task that is busy does so the next time.
        let _ = control.ask(|reply| Command::Release { keep, reply }).await;
    }
}
