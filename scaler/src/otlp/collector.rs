//! The collector that spans go to, however it is spoken with.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use anyhow::Context;
use ebbtide_proto::otlp::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use reqwest::Url;
use tokio_rustls::rustls::RootCertStore;

use super::grpc::GrpcCollector;
use super::http::HttpCollector;
use super::settings::{OtlpProtocol, OtlpSettings};
use crate::certificates::roots;

/// How long a connection may take to come about, and all of an export.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// What Ebbtide calls itself.
pub(super) const USER_AGENT: &str = concat!("ebbtide/", env!("CARGO_PKG_VERSION"));

/// A collector.
pub(super) struct Collector {
    url: Url,
    way: Way,
}

enum Way {
    Grpc(Box<GrpcCollector>),
    Http(HttpCollector),
}

/// Why a batch was not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) message: String,
    /// Whether the same batch may be taken later.
    pub(super) is_transient: bool,
    /// How long the collector wants to be left alone, if it says so.
    pub(super) wait: Option<Duration>,
}

/// The spans of a batch that were not taken though the others were, and why; none if all were.
pub(super) type Rejected = Option<(u64, String)>;

impl Collector {
    /// A collector as the settings have it. Nothing is connected yet.
    ///
    /// # Errors
    /// A file of roots that is none, or that there are none.
    pub(super) fn new(settings: OtlpSettings) -> anyhow::Result<Self> {
        let OtlpSettings {
            url,
            protocol,
            headers,
            ca,
            ..
        } = settings;
        let roots = match ca {
            Some((who, file)) => roots::of_file(&file).context(who)?,
            None if url.scheme() == "https" => roots::of_machine(),
            None => RootCertStore::empty(),
        };
        anyhow::ensure!(
            url.scheme() != "https" || !roots.is_empty(),
            "the collector {} cannot be trusted, since this machine has no root certificates; install them (on \
             Debian: ca-certificates), or give a file of them with --otlp-ca",
            url.host_str().unwrap_or_default()
        );
        let way = match protocol {
            OtlpProtocol::Grpc => Way::Grpc(Box::new(GrpcCollector::new(&url, headers, roots)?)),
            OtlpProtocol::Http => Way::Http(HttpCollector::new(&url, headers, roots)?),
        };
        Ok(Self { url, way })
    }

    /// Sends a batch.
    ///
    /// # Errors
    /// Why it was not taken.
    pub(super) async fn send(
        &self,
        request: &ExportTraceServiceRequest,
    ) -> Result<Rejected, Failure> {
        let answer = match &self.way {
            Way::Grpc(collector) => collector.send(request).await,
            Way::Http(collector) => collector.send(request).await,
        };
        answer.map(rejected)
    }
}

/// Where it is, without what may be a secret.
impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut url = self.url.clone();
        url.set_query(None);
        url.set_fragment(None);
        url.fmt(f)
    }
}

impl Failure {
    /// The same batch would fail again.
    pub(super) fn lasting(message: String) -> Self {
        Self {
            message,
            is_transient: false,
            wait: None,
        }
    }

    /// The same batch may be taken later.
    pub(super) fn transient(message: String) -> Self {
        Self {
            is_transient: true,
            ..Self::lasting(message)
        }
    }
}

fn rejected(answer: ExportTraceServiceResponse) -> Rejected {
    let partial = answer.partial_success?;
    let rejected = u64::try_from(partial.rejected_spans).ok()?;
    (rejected > 0).then_some((rejected, partial.error_message))
}

/// The innermost cause, which says what is wrong.
pub(super) fn cause(error: &dyn Error) -> String {
    let mut last = error;
    while let Some(deeper) = last.source() {
        last = deeper;
    }
    last.to_string()
}
