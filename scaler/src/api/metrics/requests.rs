//! Requests of revisions. How much text these are is bounded: a revision that was never asked has no
//! histogram and no bytes, and beyond [`DETAILED`] that were, a histogram is its sum and count.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use ebbtide_core::histogram::{DurationCounts, upper_bound};
use ebbtide_ingress::MeterReading;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::{RevisionSample, Samples, counter, labels};

/// The bounds of the histograms: every power of two from 2^7 µs (128 µs) to 2^27 µs (134 s). They
/// are bounds of the counted buckets too, so nothing is estimated.
const FIRST_BOUND: u32 = 7;
const LAST_BOUND: u32 = 27;

/// Revisions whose histograms have all their buckets, in the order of their names.
const DETAILED: usize = 1000;

/// A histogram of what is counted of a revision.
type Counted = fn(&MeterReading) -> &DurationCounts;

/// A sum that is counted of a revision.
type Sum = fn(&MeterReading) -> u64;

impl Samples {
    pub(super) fn requests(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests that have ended, by status code (499: the client went away)";
        let mut metric =
            encoder.encode_descriptor("ebbtide_requests", help, None, MetricType::Counter)?;
        for sample in &self.revisions {
            for (code, count) in &sample.requests.codes {
                counter(&mut metric, sample, ("code", &code.to_string()), *count)?;
            }
        }
        let help = "The same requests by the class of the code: 2xx, 3xx, 4xx, 5xx";
        let name = "ebbtide_request_classes";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for sample in &self.revisions {
            for (class, count) in classes(&sample.requests.codes) {
                counter(&mut metric, sample, ("class", &format!("{class}xx")), count)?;
            }
        }
        self.waiting(encoder)?;
        self.histograms(encoder)?;
        self.sums(encoder)?;
        self.mirrored(encoder)
    }

    fn histograms(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let histograms: [(&str, &str, Counted); 3] = [
            (
                "ebbtide_request_duration",
                "Time from a request to the end of its answer, time held included; not of clients that \
                 went away",
                |requests| &requests.durations,
            ),
            (
                "ebbtide_request_first_byte",
                "Time from a request to the head of a replica's answer, time held included",
                |requests| &requests.first_bytes,
            ),
            (
                "ebbtide_cold_start",
                "Time that a request was held until there was a replica; of those that were held",
                |requests| &requests.cold_starts,
            ),
        ];
        for (name, help, of) in histograms {
            let seconds = Some(&Unit::Seconds);
            let mut metric =
                encoder.encode_descriptor(name, help, seconds, MetricType::Histogram)?;
            for (number, sample) in self.asked().enumerate() {
                let durations = of(&sample.requests);
                if durations.total() > 0 {
                    histogram(&mut metric, sample, durations, number < DETAILED)?;
                }
            }
        }
        Ok(())
    }

    fn asked(&self) -> impl Iterator<Item = &RevisionSample> {
        let samples = self.revisions.iter();
        samples.filter(|sample| sample.requests.sums.started > 0)
    }

    fn sums(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let bytes = Some(&Unit::Bytes);
        let sums: [(&str, &str, Option<&Unit>, Sum); 4] = [
            (
                "ebbtide_received",
                "Bytes of requests' bodies, and of tunnels from clients, counted as they come",
                bytes,
                |requests| requests.received_bytes,
            ),
            (
                "ebbtide_sent",
                "Bytes of the bodies of replicas' answers, and of tunnels to clients",
                bytes,
                |requests| requests.sent_bytes,
            ),
            (
                "ebbtide_retries",
                "Requests sent to another replica after one had failed them",
                None,
                |requests| requests.retries,
            ),
            (
                "ebbtide_ejections",
                "Replicas that get no requests for a while, having failed several in a row",
                None,
                |requests| requests.ejections,
            ),
        ];
        for (name, help, unit, of) in sums {
            let mut metric = encoder.encode_descriptor(name, help, unit, MetricType::Counter)?;
            let counts = self.asked().map(|sample| (sample, of(&sample.requests)));
            for (sample, count) in counts.filter(|(_, count)| *count > 0) {
                metric
                    .encode_family(&labels(sample))?
                    .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            }
        }
        Ok(())
    }

    fn mirrored(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = (
            "ebbtide_mirrored_requests",
            "Requests of which there was to be a copy for another revision, by what became of the copy",
        );
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for sample in &self.revisions {
            for (outcome, count) in &sample.requests.mirrored {
                counter(&mut metric, sample, ("outcome", outcome), *count)?;
            }
        }
        Ok(())
    }

    fn waiting(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests held in the waiting room";
        let name = "ebbtide_waiting_requests";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for sample in &self.revisions {
            metric
                .encode_family(&labels(sample))?
                .encode_gauge(&sample.requests.waiting)?;
        }
        let help = "What the heads of requests in the waiting room take";
        let bytes = Some(&Unit::Bytes);
        let mut metric =
            encoder.encode_descriptor("ebbtide_waiting", help, bytes, MetricType::Gauge)?;
        for sample in self.asked() {
            let bytes = u64::try_from(sample.requests.waiting_bytes).unwrap_or(u64::MAX);
            metric
                .encode_family(&labels(sample))?
                .encode_gauge(&bytes)?;
        }
        Ok(())
    }
}

/// The codes by their first digit.
fn classes(codes: &BTreeMap<u16, u64>) -> BTreeMap<u16, u64> {
    let mut classes = BTreeMap::new();
    for (code, count) in codes {
        *classes.entry(code / 100).or_default() += count;
    }
    classes
}

fn histogram(
    metric: &mut MetricEncoder<'_>,
    sample: &RevisionSample,
    durations: &DurationCounts,
    is_detailed: bool,
) -> fmt::Result {
    let total = durations.total();
    let buckets = if is_detailed {
        buckets(durations)
    } else {
        vec![(f64::INFINITY, total)]
    };
    #[expect(
        clippy::cast_precision_loss,
        reason = "a sum: 53 bits are 104 days to the nanosecond"
    )]
    let sum = durations.sum_nanos as f64 / 1e9;
    metric
        .encode_family(&labels(sample))?
        .encode_histogram::<NoLabelSet>(sum, total, &buckets, None)
}

/// Counts, not cumulated, up to each bound in seconds; the last bound is infinite.
fn buckets(durations: &DurationCounts) -> Vec<(f64, u64)> {
    let mut counts = durations.counts.iter().enumerate().peekable();
    let mut buckets = Vec::new();
    for power in FIRST_BOUND..=LAST_BOUND {
        let bound = Duration::from_micros(1 << power);
        let mut count = 0;
        while let Some((_, of_bucket)) = counts.next_if(|(at, _)| upper_bound(*at) <= bound) {
            count += of_bucket;
        }
        buckets.push((bound.as_secs_f64(), count));
    }
    buckets.push((f64::INFINITY, counts.map(|(_, count)| count).sum()));
    buckets
}
