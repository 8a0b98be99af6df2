//! The status API: what every revision has, wants, and why; and the ways to change it.
//!
//! A document starts processes, so whoever may `PUT` one may run anything. The API listens on
//! loopback only by default, and `guard` refuses what a web page could send. `problem` makes every
//! error a problem document, `router` lists the routes, and the other modules answer them.

mod actions;
mod apply;
mod apps;
mod certificates;
mod events;
mod guard;
mod listener;
pub mod logs;
pub mod metrics;
pub mod model;
mod page;
mod problem;
mod router;
mod routes;
mod scaled_objects;
#[cfg(test)]
pub(crate) mod testing;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::certificates::CertificateReports;
use crate::control::Control;
use crate::keda::ExternalScaler;
use crate::stopping::told;
use listener::BoundedListener;
use logs::LogSource;
use metrics::{MeterSource, ProcessSample};

/// How many connections there may be at a time; many more than streams, as each stream has one.
const MAX_CONNECTIONS: usize = 256;

/// How many answers that do not end (events, followed logs) there may be at a time.
const MAX_STREAMS: usize = 64;

/// How many connections for health and metrics there may be at a time.
const MAX_HEALTH_CONNECTIONS: usize = 64;

/// How long answers under way may go on after the shutdown has begun.
const DRAIN: Duration = Duration::from_secs(5);

/// What the API answers from.
#[derive(Clone)]
pub struct Sources {
    /// The way to the control task.
    pub control: Control,
    /// What the replicas printed.
    pub logs: Arc<dyn LogSource>,
    /// Counters of every revision.
    pub meters: Arc<dyn MeterSource>,
    /// The KEDA service.
    pub scaler: ExternalScaler,
    /// The certificates of HTTPS.
    pub certificates: CertificateReports,
}

/// Options of the API.
#[derive(Clone, Debug, Default)]
pub struct ApiOptions {
    /// Names that the `Host` header may have besides those of loopback (`localhost`, `127.0.0.1`
    /// and `[::1]`): `name`, for any port, or `name:port`.
    pub allowed_hosts: Vec<String>,
}

/// What all handlers share.
struct ApiState {
    sources: Sources,
    options: ApiOptions,
    streams: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
}

type Shared = Arc<ApiState>;

impl ApiState {
    fn new(sources: Sources, options: ApiOptions, stopping: watch::Receiver<bool>) -> Shared {
        Arc::new(Self {
            sources,
            options,
            streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            stopping,
        })
    }

    fn process_sample(&self) -> ProcessSample {
        ProcessSample {
            open_streams: MAX_STREAMS.saturating_sub(self.streams.available_permits()),
            stream_limit: MAX_STREAMS,
            ingresses: self.sources.control.published().ingresses,
        }
    }

    /// Ends when the API is to stop. Cancel safe.
    async fn stopped(&self) {
        told(self.stopping.clone()).await;
    }
}

/// Serves the API and the page on `listener` until `shutdown` is done; then ends the streams, and
/// gives the answers under way a few seconds.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    sources: Sources,
    options: ApiOptions,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let api = ApiState::new(sources, options, stopping);
    let router = router::router(Shared::clone(&api));
    let listener = BoundedListener::new(listener, MAX_CONNECTIONS);
    let server =
        axum::serve(listener, router).with_graceful_shutdown(async move { api.stopped().await });
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

/// Serves health and metrics alone, for those who may know no more, until `shutdown` is done.
///
/// # Errors
/// When the listener fails for good.
pub async fn serve_health(
    listener: TcpListener,
    sources: Sources,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (stop, stopping) = watch::channel(false);
    let api = ApiState::new(sources, ApiOptions::default(), stopping);
    let router = router::health(Shared::clone(&api));
    let listener = BoundedListener::new(listener, MAX_HEALTH_CONNECTIONS);
    tokio::select! {
        result = async { axum::serve(listener, router).await } => result,
        () = shutdown => {
            stop.send_replace(true);
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::testing::Fixture;

    #[tokio::test]
    async fn a_shutdown_ends_the_streams_and_then_the_server() {
        let fixture = Fixture::new();
        let mut stream = fixture
            .serve(async |address| {
                let mut stream = TcpStream::connect(address).await.unwrap();
                let get = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
                stream.write_all(get.as_bytes()).await.unwrap();
                let mut text = String::new();
                while !text.contains("event: apps") {
                    let mut part = [0; 1024];
                    let length = stream.read(&mut part).await.unwrap();
                    assert_ne!(length, 0, "the stream ended: {text}");
                    text.push_str(std::str::from_utf8(&part[..length]).unwrap());
                }
                stream
            })
            .await;
        let mut rest = String::new();
        stream.read_to_string(&mut rest).await.unwrap();
        assert!(
            rest.ends_with("0\r\n\r\n"),
            "the stream was cut off: {rest}"
        );
    }
}
