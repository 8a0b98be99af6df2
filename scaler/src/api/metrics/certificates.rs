//! The certificates of HTTPS.

use std::fmt;

use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

use super::Samples;

impl Samples {
    pub(super) fn certificates(&self, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
        let name = "ebbtide_certificate_not_after";
        let help = "Until when a certificate of HTTPS is valid, since 1970";
        let seconds = Some(&Unit::Seconds);
        let mut metric = encoder.encode_descriptor(name, help, seconds, MetricType::Gauge)?;
        for one in &self.certificates {
            if let Some(not_after) = one.not_after {
                metric
                    .encode_family(&[("certificate", &one.name)])?
                    .encode_gauge(&not_after.as_second())?;
            }
        }
        let name = "ebbtide_certificate_refused";
        let help = "1 if what the files of a certificate have is not in force, or its order failed";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for one in &self.certificates {
            metric
                .encode_family(&[("certificate", &one.name)])?
                .encode_gauge(&i64::from(one.problem.is_some()))?;
        }
        let name = "ebbtide_certificate_order_failures";
        let help = "Orders for a certificate that failed, with --acme-directory";
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for one in &self.certificates {
            if let Some(failures) = one.order_failures {
                metric
                    .encode_family(&[("certificate", &one.name)])?
                    .encode_counter::<NoLabelSet, _, u64>(&failures, None)?;
            }
        }
        Ok(())
    }
}
