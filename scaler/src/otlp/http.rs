//! OTLP by HTTP, as Protocol Buffers.

use std::sync::Arc;
use std::time::Duration;

use ::http::header::{CONTENT_TYPE, RETRY_AFTER};
use ::http::{HeaderMap, HeaderValue, StatusCode};
use ebbtide_proto::otlp::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::collector::{CONNECT, Failure, TIMEOUT, USER_AGENT, cause};

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 << 10;

/// A collector that takes HTTP.
pub(super) struct HttpCollector {
    client: Client,
    url: Url,
    headers: HeaderMap,
}

impl HttpCollector {
    /// # Errors
    /// When there can be no client.
    pub(super) fn new(
        url: &Url,
        mut headers: HeaderMap,
        roots: RootCertStore,
    ) -> anyhow::Result<Self> {
        let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .use_preconfigured_tls(config)
            // The headers are for this collector alone.
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT)
            .timeout(TIMEOUT)
            .user_agent(USER_AGENT)
            .build()?;
        headers.insert(CONTENT_TYPE, PROTOBUF);
        Ok(Self {
            client,
            url: url.clone(),
            headers,
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
        let post = self.client.post(self.url.clone());
        let post = post.headers(self.headers.clone());
        let sent = post.body(request.encode_to_vec()).send().await;
        let answer = sent.map_err(|error| failed(&error))?;
        let status = answer.status();
        if status.is_success() {
            return read(answer).await;
        }
        let message = format!("it answers {status}{}", hint(status));
        if !is_transient(status) {
            return Err(Failure::lasting(message));
        }
        let wait = answer.headers().get(RETRY_AFTER);
        let seconds = wait.and_then(|value| value.to_str().ok()?.trim().parse().ok());
        Err(Failure {
            wait: seconds.map(Duration::from_secs),
            ..Failure::transient(message)
        })
    }
}

async fn read(mut answer: Response) -> Result<ExportTraceServiceResponse, Failure> {
    let mut body = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|error| failed(&error))? {
        body.extend_from_slice(&part);
        if body.len() > LONGEST_ANSWER {
            return Ok(ExportTraceServiceResponse::default());
        }
    }
    // What it is not said in, is not said: the spans are taken.
    Ok(ExportTraceServiceResponse::decode(&*body).unwrap_or_default())
}

/// Those that the protocol has repeated.
fn is_transient(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

fn hint(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
            ", the headers of --otlp-headers or OTEL_EXPORTER_OTLP_HEADERS are not accepted"
        }
        StatusCode::NOT_FOUND => {
            ", the path is not its path for traces; --otlp-endpoint is the URL without /v1/traces"
        }
        _ => "",
    }
}

fn failed(error: &reqwest::Error) -> Failure {
    let message = if error.is_timeout() {
        format!("no answer within {} s", TIMEOUT.as_secs())
    } else {
        cause(error)
    };
    Failure::transient(message)
}
