//! What every service has beside itself: keepalive, health, and reflection.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::IntoResponse;
use tonic::body::Body;
use tonic::codegen::Service;
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic::transport::server::Router;
use tonic_health::server::HealthReporter;

/// Clients send no keepalive of their own, so a connection that is gone is found out from here.
const KEEPALIVE: Duration = Duration::from_secs(30);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);

/// A service that `server` serves, which is healthy and can be asked for `descriptors`, an encoded
/// `FileDescriptorSet`.
///
/// # Errors
/// When the descriptors cannot be read.
pub(crate) async fn router<S>(
    server: Server,
    service: S,
    descriptors: &'static [u8],
) -> anyhow::Result<(HealthReporter, Router)>
where
    S: Service<http::Request<Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    let (health, healthy) = tonic_health::server::health_reporter();
    health.set_serving::<S>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(descriptors)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()?;
    let router = server
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_TIMEOUT))
        .add_service(service)
        .add_service(healthy)
        .add_service(reflection);
    Ok((health, router))
}
