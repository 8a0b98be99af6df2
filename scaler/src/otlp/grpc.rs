//! OTLP by gRPC.

use ::http::HeaderMap;
use anyhow::Context;
use ebbtide_proto::otlp::trace_service_client::TraceServiceClient;
use ebbtide_proto::otlp::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use reqwest::Url;
use tokio_rustls::rustls::RootCertStore;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Status};

use super::collector::{CONNECT, Failure, TIMEOUT, USER_AGENT, cause};

/// A collector that takes gRPC.
pub(super) struct GrpcCollector {
    client: TraceServiceClient<Channel>,
    headers: MetadataMap,
}

impl GrpcCollector {
    /// # Errors
    /// When there can be no client.
    pub(super) fn new(url: &Url, headers: HeaderMap, roots: RootCertStore) -> anyhow::Result<Self> {
        // The service has its own path.
        let mut base = url.clone();
        base.set_path("/");
        base.set_query(None);
        let mut endpoint = Endpoint::from_shared(base.to_string())
            .with_context(|| format!("no collector can be at {base}"))?
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .user_agent(USER_AGENT)?;
        if url.scheme() == "https" {
            let tls = ClientTlsConfig::new().trust_anchors(roots.roots);
            endpoint = endpoint.tls_config(tls)?;
        }
        Ok(Self {
            client: TraceServiceClient::new(endpoint.connect_lazy()),
            headers: MetadataMap::from_headers(headers),
        })
    }

    /// Sends a batch.
    ///
    /// # Errors
    /// Why it was not taken.
    pub(super) async fn send(
        &self,
        request: &ExportTraceServiceRequest,
    ) -> Result<ExportTraceServiceResponse, Failure> {
        let mut request = Request::new(request.clone());
        *request.metadata_mut() = self.headers.clone();
        let answer = self.client.clone().export(request).await;
        let answer = answer.map_err(|status| failed(&status))?;
        Ok(answer.into_inner())
    }
}

fn failed(status: &Status) -> Failure {
    let message = match std::error::Error::source(status) {
        // There was no answer.
        Some(source) => cause(source),
        None => format!("it answers {:?}: {}", status.code(), status.message()),
    };
    if is_transient(status.code()) {
        Failure::transient(message)
    } else {
        Failure::lasting(message)
    }
}

/// Those that the protocol has repeated.
fn is_transient(code: Code) -> bool {
    matches!(
        code,
        Code::Cancelled
            | Code::DeadlineExceeded
            | Code::Aborted
            | Code::OutOfRange
            | Code::Unavailable
            | Code::DataLoss
    )
}
