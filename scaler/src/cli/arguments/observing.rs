//! What the ingress tells of each request.

use std::path::PathBuf;

use clap::Args;
use ebbtide_ingress::Share;

use crate::access_log::Destination;
use crate::otlp::{OtlpEndpoint, OtlpOptions, OtlpProtocol};

/// What the ingress tells of each request.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Access log and traces")]
pub struct ObservingArguments {
    /// A file that gets a line of JSON for each request, or - for standard output. It is opened again
    /// at SIGHUP
    #[arg(long, value_name = "FILE|-")]
    pub access_log: Option<Destination>,
    /// Of all requests, the share from 0 to 1 that gets a line
    #[arg(long, value_name = "SHARE", default_value = "1")]
    pub access_log_sample: Share,
    /// Write queries too, which may have secrets
    #[arg(long)]
    pub access_log_query: bool,
    /// Of the traces that begin at the ingress (no valid `traceparent` came), the share from 0 to 1 that
    /// is said to be sampled
    #[arg(long, value_name = "SHARE", default_value = "1")]
    pub trace_sample: Share,
    /// The URL of a collector of OpenTelemetry that gets a span for each request whose trace is
    /// sampled, as `http://127.0.0.1:4318`, or off. If absent, `OTEL_EXPORTER_OTLP_ENDPOINT`, and off
    /// without that
    #[arg(long, value_name = "URL|off")]
    pub otlp_endpoint: Option<OtlpEndpoint>,
    /// How spans go to it. If absent, `OTEL_EXPORTER_OTLP_PROTOCOL`, and http/protobuf without that
    #[arg(long, value_name = "grpc|http/protobuf")]
    pub otlp_protocol: Option<OtlpProtocol>,
    /// A file with headers that go with them, each on a line (NAME: VALUE). If absent,
    /// `OTEL_EXPORTER_OTLP_HEADERS`
    #[arg(long, value_name = "FILE")]
    pub otlp_headers: Option<PathBuf>,
    /// A file with the roots, in PEM, that the collector's certificate is trusted by. If absent,
    /// `OTEL_EXPORTER_OTLP_CERTIFICATE`, and those of this machine without that
    #[arg(long, value_name = "FILE")]
    pub otlp_ca: Option<PathBuf>,
}

impl ObservingArguments {
    /// What they say of the export of spans.
    pub(in crate::cli) fn otlp(&self) -> OtlpOptions {
        OtlpOptions {
            endpoint: self.otlp_endpoint.clone(),
            protocol: self.otlp_protocol,
            headers: self.otlp_headers.clone(),
            ca: self.otlp_ca.clone(),
        }
    }
}
