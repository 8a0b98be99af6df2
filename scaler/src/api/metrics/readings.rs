//! How the sources of rules are read.

use std::fmt;

use ebbtide_signals::Sample;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::{Samples, labels};

impl Samples {
    pub(super) fn readings(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let all = || {
            let samples = self.revisions.iter();
            samples.flat_map(|sample| sample.readings.iter().map(move |one| (sample, one)))
        };
        let (name, help) = ("ebbtide_rule_readings", "Readings of what rules scale by");
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (sample, one) in all() {
            let (reads, failed) = (one.state.reads, one.state.failures);
            for (outcome, count) in [("read", reads - failed), ("failed", failed)] {
                let [app, revision] = labels(sample);
                let labels = [app, revision, ("rule", &one.rule), ("outcome", outcome)];
                metric
                    .encode_family(&labels)?
                    .encode_counter::<NoLabelSet, _, u64>(&count, None)?;
            }
        }
        let value: fn(&Sample) -> f64 = |sample| sample.value;
        let took: fn(&Sample) -> f64 = |sample| sample.took.as_secs_f64();
        let late: fn(&Sample) -> f64 = |sample| sample.late.as_secs_f64();
        for (name, help, of) in [
            (
                "ebbtide_rule_value",
                "What was read last of what a rule scales by",
                value,
            ),
            (
                "ebbtide_rule_reading_seconds",
                "Time that the last reading took",
                took,
            ),
            (
                "ebbtide_rule_reading_late_seconds",
                "Time by which it began too late",
                late,
            ),
        ] {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (sample, one) in all() {
                if let Some(newest) = &one.state.sample {
                    let [app, revision] = labels(sample);
                    let labels = [app, revision, ("rule", &*one.rule)];
                    metric.encode_family(&labels)?.encode_gauge(&of(newest))?;
                }
            }
        }
        Ok(())
    }
}
