//! `/metrics`: counters of every revision in the `OpenMetrics` text format.

mod certificates;
mod door;
#[cfg(test)]
pub(crate) mod markdown;
mod readings;
mod requests;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use ebbtide_ingress::{LimitReading, MeterReading};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::Shared;
use super::model::{Problem, ReplicaCounts};
use super::problem::ApiError;
use crate::certificates::CertificateStatus;
use crate::control::{DecisionCounts, RuleReadings};
use crate::grpc::ConnectionsSample;
use crate::keda::ServiceSample;

const CONTENT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The counters of a revision. All of them count since Ebbtide started.
#[derive(Clone, Debug, Default)]
pub struct RevisionSample {
    /// The app.
    pub app: String,
    /// The revision.
    pub revision: String,
    /// What is counted of its requests.
    pub requests: MeterReading,
    /// Decisions by direction.
    pub decisions: DecisionCounts,
    /// Replicas by state now.
    pub replicas: ReplicaCounts,
    /// How its rules' sources are read.
    pub readings: Vec<RuleReadings>,
}

/// What the status API knows of its own process.
#[derive(Clone, Copy, Debug, Default)]
pub struct ProcessSample {
    /// Answers that do not end (events, followed logs) under way.
    pub open_streams: usize,
    /// How many of them there may be.
    pub stream_limit: usize,
    /// Ingresses elsewhere that report, and how many may; none if none can.
    pub ingresses: Option<(usize, usize)>,
}

/// Where the counters are read.
pub trait MeterSource: Send + Sync {
    /// The counters of every revision, one sample each, now.
    fn samples(&self) -> Vec<RevisionSample>;

    /// How full the ingress of this process is; none where there is no ingress.
    fn door(&self) -> Option<LimitReading>;
}

/// Counters for Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "health", responses(
    (status = 200, body = String, content_type = "application/openmetrics-text"),
    (status = 500, body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn metrics(State(api): State<Shared>) -> Result<impl IntoResponse, ApiError> {
    let service = api.sources.scaler.sample();
    let certificates = api.sources.certificates.borrow().clone();
    let meters = &api.sources.meters;
    let (revisions, door) = (meters.samples(), meters.door());
    let text = render(revisions, door, api.process_sample(), service, certificates)
        .map_err(|_| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "encoding failed"))?;
    Ok(([(CONTENT_TYPE, CONTENT)], text))
}

/// The samples as `OpenMetrics` text.
///
/// # Errors
/// When the encoder fails, which it does not on a `String`.
pub fn render(
    revisions: Vec<RevisionSample>,
    door: Option<LimitReading>,
    process: ProcessSample,
    service: ServiceSample,
    certificates: Vec<CertificateStatus>,
) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Samples {
        revisions,
        door,
        process,
        service,
        certificates,
    }));
    let mut text = String::new();
    text::encode(&mut text, &registry)?;
    Ok(text)
}

#[derive(Debug)]
struct Samples {
    revisions: Vec<RevisionSample>,
    door: Option<LimitReading>,
    process: ProcessSample,
    service: ServiceSample,
    certificates: Vec<CertificateStatus>,
}

impl Collector for Samples {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.requests(&mut encoder)?;
        self.replicas(&mut encoder)?;
        self.decisions(&mut encoder)?;
        self.readings(&mut encoder)?;
        self.door(&mut encoder)?;
        self.process(&mut encoder)?;
        self.service(&mut encoder)?;
        self.certificates(&mut encoder)
    }
}

impl Samples {
    fn replicas(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = (
            "ebbtide_replicas",
            "Replicas by state; state desired is how many were decided on",
        );
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for sample in &self.revisions {
            let ReplicaCounts {
                desired,
                ready,
                starting,
                draining,
            } = sample.replicas;
            for (state, count) in [
                ("desired", desired),
                ("ready", ready),
                ("starting", starting),
                ("draining", draining),
            ] {
                let [app, revision] = labels(sample);
                let labels = [app, revision, ("state", state)];
                metric.encode_family(&labels)?.encode_gauge(&count)?;
            }
        }
        Ok(())
    }

    fn decisions(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = ("ebbtide_decisions", "Decisions on the number of replicas");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for sample in &self.revisions {
            let DecisionCounts { out, r#in, hold } = sample.decisions;
            for (direction, count) in [("out", out), ("in", r#in), ("hold", hold)] {
                counter(&mut metric, sample, ("direction", direction), count)?;
            }
        }
        Ok(())
    }

    fn process(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = ("ebbtide_build", "The version that runs");
        encoder
            .encode_descriptor(name, help, None, MetricType::Info)?
            .encode_info(&[("version", env!("CARGO_PKG_VERSION"))])?;
        for (name, help, count) in [
            (
                "ebbtide_status_streams",
                "Streams of events and logs that are open",
                self.process.open_streams,
            ),
            (
                "ebbtide_status_streams_limit",
                "Streams that may be open",
                self.process.stream_limit,
            ),
        ] {
            single_gauge(encoder, name, help, count)?;
        }
        let Some((ingresses, most)) = self.process.ingresses else {
            return Ok(());
        };
        let help = "Ingresses that report";
        single_gauge(encoder, "ebbtide_ingresses", help, ingresses)?;
        let help = "Ingresses that may report";
        single_gauge(encoder, "ebbtide_ingresses_limit", help, most)
    }

    fn service(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = ("ebbtide_keda_calls", "Calls of KEDA, by method and code");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for call in &self.service.calls {
            let labels = [("method", call.method), ("code", &call.code)];
            metric
                .encode_family(&labels)?
                .encode_counter::<NoLabelSet, _, u64>(&call.calls, None)?;
        }
        for (name, help, count) in [
            (
                "ebbtide_keda_scaled_objects",
                "ScaledObjects that have asked",
                self.service.scaled_objects,
            ),
            (
                "ebbtide_keda_scaled_objects_limit",
                "ScaledObjects that may ask",
                self.service.scaled_object_limit,
            ),
            (
                "ebbtide_keda_streams",
                "Streams of KEDA that are open",
                self.service.streams,
            ),
            (
                "ebbtide_keda_connections",
                "Connections of KEDA that are open",
                self.service.connections.open,
            ),
            (
                "ebbtide_keda_connections_limit",
                "Connections of KEDA that may be open",
                self.service.connections.most,
            ),
        ] {
            single_gauge(encoder, name, help, count)?;
        }
        self.connections(encoder)
    }

    fn connections(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let ConnectionsSample {
            refused,
            certificate_not_after,
            failed_reloads,
            ..
        } = self.service.connections;
        for (name, help, count) in [
            (
                "ebbtide_keda_connections_refused",
                "Connections of KEDA that were one too many",
                refused,
            ),
            (
                "ebbtide_keda_certificate_reload_failures",
                "Changed certificates that could not be taken",
                failed_reloads,
            ),
        ] {
            encoder
                .encode_descriptor(name, help, None, MetricType::Counter)?
                .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
        }
        let Some(not_after) = certificate_not_after else {
            return Ok(());
        };
        let name = "ebbtide_keda_certificate_not_after";
        let help = "Until when the certificate is valid, since 1970";
        encoder
            .encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Gauge)?
            .encode_gauge(&not_after)
    }
}

/// A gauge without labels.
fn single_gauge(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    count: usize,
) -> fmt::Result {
    encoder
        .encode_descriptor(name, help, None, MetricType::Gauge)?
        .encode_gauge(&gauge(count))
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn labels(sample: &RevisionSample) -> [(&str, &str); 2] {
    [("app", &sample.app), ("revision", &sample.revision)]
}

fn counter(
    metric: &mut MetricEncoder<'_>,
    sample: &RevisionSample,
    label: (&str, &str),
    count: u64,
) -> fmt::Result {
    let [app, revision] = labels(sample);
    let labels = [app, revision, label];
    let mut metric = metric.encode_family(&labels)?;
    metric.encode_counter::<NoLabelSet, _, u64>(&count, None)
}
