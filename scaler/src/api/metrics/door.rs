//! How full the ingress of this process is, and how often its limits were reached.

use std::fmt;

use ebbtide_ingress::LimitReading;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;

use super::Samples;

impl Samples {
    /// Nothing where there is no ingress.
    pub(super) fn door(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let Some(LimitReading {
            connections,
            most_connections,
            reached,
        }) = &self.door
        else {
            return Ok(());
        };
        for (name, help, count) in [
            (
                "ebbtide_ingress_connections",
                "Connections of clients that are open",
                connections,
            ),
            (
                "ebbtide_ingress_connections_limit",
                "Connections of clients that may be open",
                most_connections,
            ),
        ] {
            encoder
                .encode_descriptor(name, help, None, MetricType::Gauge)?
                .encode_gauge(&i64::from(*count))?;
        }
        let (name, help) = (
            "ebbtide_ingress_refusals",
            "Connections and requests refused or cut off, by the limit that they reached",
        );
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (limit, count) in reached {
            metric
                .encode_family(&[("limit", *limit)])?
                .encode_counter::<NoLabelSet, _, u64>(count, None)?;
        }
        Ok(())
    }
}
