//! How full the ingress of this process is, what it refused and why.

use std::fmt;

use ebbtide_ingress::{LimitReading, ListenerReading, RecordReading};
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::Samples;

impl Samples {
    /// Nothing where there is no ingress.
    pub(super) fn door(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(LimitReading {
            connections: _,
            most_connections,
            reached,
            workers,
            listeners,
            own_answers,
            access_log,
            spans,
        }) = &self.door
        else {
            return Ok(());
        };
        connections(encoder, listeners, *most_connections)?;
        of_workers(encoder, workers)?;
        let (name, help) = (
            "ebbtide_ingress_refusals",
            "Connections and requests refused or cut off, by the limit that they reached",
        );
        by_name(encoder, name, help, "limit", reached)?;
        let (name, help) = (
            "ebbtide_ingress_own_answers",
            "Requests that the ingress answered itself, by why it did",
        );
        by_name(encoder, name, help, "reason", own_answers)?;
        access_log.map_or(Ok(()), |lines| records(encoder, LINES, lines))?;
        spans.map_or(Ok(()), |spans| records(encoder, SPANS, spans))
    }
}

/// A number of a listener's connections.
type Counted = fn(&ListenerReading) -> u64;

/// The names and meanings of counters of what was passed on, and of what was dropped.
type Names = [(&'static str, &'static str); 2];

const LINES: Names = [
    (
        "ebbtide_access_log_lines",
        "Lines of the access log that were written",
    ),
    (
        "ebbtide_access_log_lines_dropped",
        "Lines of the access log that were not: too many waited, or they could not be written",
    ),
];

const SPANS: Names = [
    ("ebbtide_spans", "Spans that a collector has taken"),
    (
        "ebbtide_spans_dropped",
        "Spans that none has: too many waited, or the collector was away too long or did not want them",
    ),
];

fn records(
    encoder: &mut DescriptorEncoder<'_>,
    [written, dropped]: Names,
    reading: RecordReading,
) -> fmt::Result {
    for ((name, help), count) in [(written, reading.written), (dropped, reading.dropped)] {
        encoder
            .encode_descriptor(name, help, None, MetricType::Counter)?
            .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
    }
    Ok(())
}

fn of_workers(encoder: &mut DescriptorEncoder<'_>, workers: &[u32]) -> fmt::Result {
    let (name, help) = (
        "ebbtide_ingress_worker_connections",
        "Connections that each worker of the ingress has",
    );
    let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (worker, count) in workers.iter().enumerate() {
        let worker = worker.to_string();
        family
            .encode_family(&[("worker", worker.as_str())])?
            .encode_gauge(&i64::from(*count))?;
    }
    Ok(())
}

fn connections(
    encoder: &mut DescriptorEncoder<'_>,
    listeners: &[ListenerReading],
    most: u32,
) -> fmt::Result {
    let name = "ebbtide_ingress_connections";
    let help = "Connections of clients that are open";
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for one in listeners {
        metric
            .encode_family(&[("listener", one.listener)])?
            .encode_gauge(&i64::from(one.open))?;
    }
    let name = "ebbtide_ingress_connections_limit";
    let help = "Connections of clients that may be open, of all listeners together";
    encoder
        .encode_descriptor(name, help, None, MetricType::Gauge)?
        .encode_gauge(&i64::from(most))?;
    let counts: [(&str, &str, Counted); 2] = [
        (
            "ebbtide_ingress_connections_accepted",
            "Connections of clients that were taken",
            |one| one.accepted,
        ),
        (
            "ebbtide_ingress_connections_refused",
            "Connections of clients that were closed at once, as there were too many",
            |one| one.refused,
        ),
    ];
    for (name, help, of) in counts {
        let counts: Vec<_> = listeners
            .iter()
            .map(|one| (one.listener, of(one)))
            .collect();
        by_name(encoder, name, help, "listener", &counts)?;
    }
    Ok(())
}

/// A counter with one label.
fn by_name(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    label: &str,
    counts: &[(&'static str, u64)],
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (value, count) in counts {
        metric
            .encode_family(&[(label, *value)])?
            .encode_counter::<NoLabelSet, _, u64>(count, None)?;
    }
    Ok(())
}
