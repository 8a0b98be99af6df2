//! `/metrics`: counters of every revision in the `OpenMetrics` text format.

mod certificates;
mod door;
mod readings;

use std::collections::BTreeMap;
use std::fmt;

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use ebbtide_core::histogram::{DurationCounts, upper_bound};
use ebbtide_ingress::LimitReading;
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

/// The bounds of the histograms: every power of two from 2^7 µs (128 µs) to 2^27 µs (134 s). They
/// are bounds of the counted buckets too, so nothing is estimated.
const FIRST_BOUND: u32 = 7;
const LAST_BOUND: u32 = 27;

/// The counters of a revision. All of them count since Ebbtide started.
#[derive(Clone, Debug, Default)]
pub struct RevisionSample {
    /// The app.
    pub app: String,
    /// The revision.
    pub revision: String,
    /// Answers by status code.
    pub codes: BTreeMap<u16, u64>,
    /// Times to answer.
    pub durations: DurationCounts,
    /// Times that held requests waited for a replica.
    pub cold_starts: DurationCounts,
    /// Requests in the waiting room now.
    pub waiting: u32,
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
        self.durations(&mut encoder)?;
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
    fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests answered, by status code";
        let mut metric =
            encoder.encode_descriptor("ebbtide_requests", help, None, MetricType::Counter)?;
        for sample in &self.revisions {
            for (code, count) in &sample.codes {
                counter(&mut metric, sample, ("code", &code.to_string()), *count)?;
            }
        }
        let help = "Requests held in the waiting room";
        let name = "ebbtide_waiting_requests";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for sample in &self.revisions {
            metric
                .encode_family(&labels(sample))?
                .encode_gauge(&sample.waiting)?;
        }
        Ok(())
    }

    fn durations(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = (
            "ebbtide_request_duration",
            "Time from a request to its answer",
        );
        let unit = Some(&Unit::Seconds);
        let mut metric = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for sample in &self.revisions {
            histogram(&mut metric, sample, &sample.durations)?;
        }
        let (name, help) = (
            "ebbtide_cold_start",
            "Time that a request waited for a replica",
        );
        let mut metric = encoder.encode_descriptor(name, help, unit, MetricType::Histogram)?;
        for sample in &self.revisions {
            histogram(&mut metric, sample, &sample.cold_starts)?;
        }
        Ok(())
    }

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

fn histogram(
    metric: &mut MetricEncoder<'_>,
    sample: &RevisionSample,
    durations: &DurationCounts,
) -> fmt::Result {
    let buckets = buckets(durations);
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum: 53 bits are 104 days to the nanosecond"
    )]
    let sum = durations.sum_nanos as f64 / 1e9;
    metric
        .encode_family(&labels(sample))?
        .encode_histogram::<NoLabelSet>(sum, durations.total(), &buckets, None)
}

/// Counts, not cumulated, up to each bound in seconds; the last bound is infinite.
fn buckets(durations: &DurationCounts) -> Vec<(f64, u64)> {
    let mut counts = durations.counts.iter().enumerate().peekable();
    let mut buckets = Vec::new();
    for power in FIRST_BOUND..=LAST_BOUND {
        let bound = std::time::Duration::from_micros(1 << power);
        let mut count = 0;
        while let Some((_, of_bucket)) = counts.next_if(|(at, _)| upper_bound(*at) <= bound) {
            count += of_bucket;
        }
        buckets.push((bound.as_secs_f64(), count));
    }
    buckets.push((f64::INFINITY, counts.map(|(_, count)| count).sum()));
    buckets
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::keda::CallCount;

    fn sample() -> RevisionSample {
        let mut sample = RevisionSample {
            app: "hello".to_owned(),
            revision: "hello--v1".to_owned(),
            codes: [(200, 40), (503, 2)].into(),
            waiting: 3,
            decisions: DecisionCounts {
                out: 4,
                r#in: 5,
                hold: 6,
            },
            replicas: ReplicaCounts {
                desired: 9,
                ready: 1,
                starting: 2,
                draining: 3,
            },
            ..RevisionSample::default()
        };
        for micros in [1, 127, 128, 1_000, 2_000_000, 134_217_727, 900_000_000] {
            sample.durations.record(Duration::from_micros(micros));
        }
        sample
    }

    #[test]
    fn every_metric_has_its_name_labels_and_value() {
        let service = ServiceSample {
            calls: vec![CallCount {
                method: "GetMetrics",
                code: "NOT_FOUND".to_owned(),
                calls: 7,
            }],
            streams: 8,
            ..ServiceSample::default()
        };
        let door = LimitReading {
            connections: 11,
            most_connections: 12,
            reached: vec![("header", 13)],
        };
        let process = ProcessSample::default();
        let text = render(vec![sample()], Some(door), process, service, Vec::new()).unwrap();
        for line in [
            "ebbtide_ingress_connections 11",
            "ebbtide_ingress_connections_limit 12",
            "ebbtide_ingress_refusals_total{limit=\"header\"} 13",
        ] {
            assert!(text.contains(&format!("\n{line}\n")), "{line}: {text}");
        }
        let calls = "\nebbtide_keda_calls_total{method=\"GetMetrics\",code=\"NOT_FOUND\"} 7\n";
        assert!(text.contains(calls), "{text}");
        assert!(text.contains("\nebbtide_keda_streams 8\n"), "{text}");
        let labels = "app=\"hello\",revision=\"hello--v1\"";
        for (name, more, value) in [
            ("requests_total", ",code=\"200\"", "40"),
            ("requests_total", ",code=\"503\"", "2"),
            ("waiting_requests", "", "3"),
            ("request_duration_seconds_count", "", "7"),
            ("request_duration_seconds_bucket", ",le=\"0.000128\"", "2"),
            ("request_duration_seconds_bucket", ",le=\"0.000256\"", "3"),
            ("request_duration_seconds_bucket", ",le=\"0.001024\"", "4"),
            ("request_duration_seconds_bucket", ",le=\"134.217728\"", "6"),
            ("request_duration_seconds_bucket", ",le=\"+Inf\"", "7"),
            ("cold_start_seconds_count", "", "0"),
            ("replicas", ",state=\"ready\"", "1"),
            ("replicas", ",state=\"starting\"", "2"),
            ("replicas", ",state=\"draining\"", "3"),
            ("replicas", ",state=\"desired\"", "9"),
            ("decisions_total", ",direction=\"out\"", "4"),
            ("decisions_total", ",direction=\"in\"", "5"),
            ("decisions_total", ",direction=\"hold\"", "6"),
        ] {
            let labels = match more.split_once(',') {
                // The bound of a bucket is written before the other labels.
                Some((_, bound)) if bound.starts_with("le=") => format!("{bound},{labels}"),
                _ => format!("{labels}{more}"),
            };
            let line = format!("\nebbtide_{name}{{{labels}}} {value}\n");
            assert!(text.contains(&line), "{line} is not in {text}");
        }
        assert!(text.contains("\nebbtide_build_info{version=\""), "{text}");
    }

    /// What a scraper checks: a type before its samples, one value a line, no series twice, and an
    /// end.
    #[test]
    fn the_text_is_well_formed() {
        let other = RevisionSample {
            revision: "a\"\\\nb".to_owned(),
            ..sample()
        };
        let samples = vec![sample(), other];
        let (process, service) = (ProcessSample::default(), ServiceSample::default());
        let text = render(samples, None, process, service, Vec::new()).unwrap();
        let mut families: Vec<&str> = Vec::new();
        let mut series = std::collections::BTreeSet::new();
        for line in text.lines() {
            if let Some(described) = line.strip_prefix("# TYPE ") {
                families.push(described.split(' ').next().unwrap());
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').unwrap();
                assert!(value.parse::<f64>().is_ok(), "{line}");
                assert!(name.starts_with(families.last().unwrap()), "{line}");
                assert!(series.insert(name), "twice: {line}");
            }
        }
        assert!(families.len() > 6, "{families:?}");
        assert!(text.ends_with("# EOF\n"));
        assert!(text.contains(r#"revision="a\"\\\nb""#), "{text}");
    }
}
