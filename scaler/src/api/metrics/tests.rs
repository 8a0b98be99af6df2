//! What a scraper gets.

use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::scale::Work;
use ebbtide_core::time::Timestamp;
use ebbtide_core::window::RequestSums;
use ebbtide_ingress::{Ingress, IngressOptions, RecordReading};
use ebbtide_signals::{Sample, SourceState};
use tokio::sync::mpsc;

use super::*;
use crate::clock::SystemClock;
use crate::keda::CallCount;

/// All there is, as a scraper gets it.
pub(crate) fn everything() -> String {
    let clock = Arc::new(SystemClock::start());
    let options = IngressOptions::new(([127, 0, 0, 1], 0).into(), clock);
    let ingress = Ingress::start(options, mpsc::channel(1).0).unwrap();
    let mut service = ServiceSample {
        calls: vec![CallCount {
            method: "GetMetrics",
            code: "NOT_FOUND".to_owned(),
            calls: 7,
        }],
        streams: 8,
        ..ServiceSample::default()
    };
    service.connections.certificate_not_after = Some(1);
    let process = ProcessSample {
        ingresses: Some((1, 2)),
        ..ProcessSample::default()
    };
    let certificates = vec![CertificateStatus {
        name: "www.crt".to_owned(),
        hosts: Vec::new(),
        not_after: Some(jiff::Timestamp::UNIX_EPOCH),
        problem: None,
        order_failures: Some(0),
    }];
    let door = LimitReading {
        access_log: Some(RecordReading::default()),
        spans: Some(RecordReading {
            written: 19,
            dropped: 20,
        }),
        ..ingress.limits().read()
    };
    let door = Some(door);
    render(vec![sample()], door, process, service, certificates).unwrap()
}

fn sample() -> RevisionSample {
    let mut sample = RevisionSample {
        app: "hello".to_owned(),
        revision: "hello--v1".to_owned(),
        requests: MeterReading {
            sums: RequestSums {
                started: 42,
                ..RequestSums::default()
            },
            codes: [(200, 40), (503, 2)].into(),
            waiting: 3,
            waiting_bytes: 170,
            retries: 16,
            ejections: 17,
            mirrored: [("2xx", 18)].into(),
            received_bytes: 14,
            sent_bytes: 15,
            ..MeterReading::default()
        },
        readings: vec![RuleReadings {
            rule: "orders".to_owned(),
            state: SourceState {
                sample: Some(Sample {
                    value: 58.0,
                    work: Work::default(),
                    at: Timestamp::ORIGIN,
                    took: Duration::ZERO,
                    late: Duration::ZERO,
                }),
                ..SourceState::default()
            },
        }],
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
    };
    for micros in [1, 127, 128, 1_000, 2_000_000, 134_217_727, 900_000_000] {
        let duration = Duration::from_micros(micros);
        sample.requests.durations.record(duration);
        sample.requests.first_bytes.record(duration / 2);
        sample.requests.cold_starts.record(duration / 4);
    }
    sample
}

#[test]
fn every_metric_has_its_name_labels_and_value() {
    let text = everything();
    for line in [
        "ebbtide_ingress_connections{listener=\"http\"} 0",
        "ebbtide_ingress_connections_limit 65536",
        "ebbtide_ingress_connections_accepted_total{listener=\"https\"} 0",
        "ebbtide_ingress_connections_refused_total{listener=\"http\"} 0",
        "ebbtide_ingress_refusals_total{limit=\"header\"} 0",
        "ebbtide_ingress_own_answers_total{reason=\"unknown-host\"} 0",
        "ebbtide_spans_total 19",
        "ebbtide_spans_dropped_total 20",
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
        ("waiting_bytes", "", "170"),
        ("retries_total", "", "16"),
        ("ejections_total", "", "17"),
        ("mirrored_requests_total", ",outcome=\"2xx\"", "18"),
        ("request_duration_seconds_count", "", "7"),
        ("request_duration_seconds_bucket", ",le=\"0.000128\"", "2"),
        ("request_duration_seconds_bucket", ",le=\"0.000256\"", "3"),
        ("request_duration_seconds_bucket", ",le=\"0.001024\"", "4"),
        ("request_duration_seconds_bucket", ",le=\"134.217728\"", "6"),
        ("request_duration_seconds_bucket", ",le=\"+Inf\"", "7"),
        ("request_first_byte_seconds_bucket", ",le=\"0.000128\"", "3"),
        ("cold_start_seconds_count", "", "7"),
        ("request_classes_total", ",class=\"2xx\"", "40"),
        ("request_classes_total", ",class=\"5xx\"", "2"),
        ("received_bytes_total", "", "14"),
        ("sent_bytes_total", "", "15"),
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

fn of_revisions(samples: Vec<RevisionSample>) -> String {
    let (process, service) = (ProcessSample::default(), ServiceSample::default());
    render(samples, None, process, service, Vec::new()).unwrap()
}

/// As docs/metrics.md says it.
#[test]
fn with_many_revisions_the_text_stays_bounded() {
    let named = |number: usize, sample: RevisionSample| RevisionSample {
        app: format!("app-{number:05}"),
        revision: format!("app-{number:05}--v1"),
        readings: Vec::new(),
        ..sample
    };
    let many = |sample: &RevisionSample| {
        let samples = (0..10_000).map(|number| named(number, sample.clone()));
        of_revisions(samples.collect())
    };
    let lines = |text: &str, start: &str| text.lines().filter(|one| one.starts_with(start)).count();
    let asked = many(&sample());
    let name = "ebbtide_request_duration_seconds";
    assert_eq!(lines(&asked, &format!("{name}_count{{")), 10_000);
    let buckets = lines(&asked, &format!("{name}_bucket{{"));
    assert_eq!(buckets, 1000 * 22 + 9000);
    assert!(asked.len() < 30_000_000, "{}", asked.len());
    let idle = many(&RevisionSample::default());
    assert_eq!(lines(&idle, "ebbtide_request"), 0);
    assert!(idle.len() < 10_000_000, "{}", idle.len());
}

/// What a scraper checks: a type before its samples, one value a line, no series twice, and an
/// end.
#[test]
fn the_text_is_well_formed() {
    let other = RevisionSample {
        revision: "a\"\\\nb".to_owned(),
        ..sample()
    };
    let text = of_revisions(vec![sample(), other]);
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
