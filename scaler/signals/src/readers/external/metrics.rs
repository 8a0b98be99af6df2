//! Numbers of an external scaler, each of which is there twice: as a float, and as an integer for
//! those who know no floats. The float counts if it is above zero, as with KEDA.

#![expect(deprecated, reason = "older scalers know only the integers")]

use ebbtide_proto::external_scaler::{GetMetricsResponse, MetricSpec};

/// The target of a metric, if it is above zero.
pub(super) fn target(spec: &MetricSpec) -> Option<f64> {
    let target = number(spec.target_size_float, spec.target_size);
    (target > 0.0 && target.is_finite()).then_some(target)
}

/// The values of a metric added up, if they are amounts.
pub(super) fn value(answer: &GetMetricsResponse) -> Option<f64> {
    let values = answer.metric_values.iter();
    let sum = values
        .map(|value| number(value.metric_value_float, value.metric_value))
        .map(|value| (value >= 0.0 && value.is_finite()).then_some(value))
        .sum::<Option<f64>>();
    sum.filter(|sum| sum.is_finite())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "no one tells apart metrics that differ by a part in 2^53"
)]
fn number(float: f64, integer: i64) -> f64 {
    if float > 0.0 { float } else { integer as f64 }
}

#[cfg(test)]
mod tests {
    use ebbtide_proto::external_scaler::MetricValue;

    use super::*;

    #[test]
    fn a_float_counts_if_it_is_above_zero() {
        for (float, integer, expected) in [
            (2.5, 0, Some(2.5)),
            (2.5, 9, Some(2.5)),
            (0.0, 9, Some(9.0)),
            (-1.0, 9, Some(9.0)),
            (f64::NAN, 9, Some(9.0)),
            (0.0, 0, None),
            (0.0, -3, None),
            (f64::INFINITY, 3, None),
        ] {
            let spec = MetricSpec {
                metric_name: String::new(),
                target_size: integer,
                target_size_float: float,
            };
            assert_eq!(target(&spec), expected, "{float} {integer}");
        }
    }

    #[test]
    fn values_are_added_up() {
        let answer = |values: &[(f64, i64)]| {
            let values = values.iter().map(|(float, integer)| MetricValue {
                metric_name: String::new(),
                metric_value: *integer,
                metric_value_float: *float,
            });
            value(&GetMetricsResponse {
                metric_values: values.collect(),
            })
        };
        assert_eq!(answer(&[]), Some(0.0));
        assert_eq!(answer(&[(1.5, 1), (0.0, 2)]), Some(3.5));
        assert_eq!(answer(&[(0.0, -1)]), None);
        assert_eq!(answer(&[(f64::INFINITY, 1)]), None);
        assert_eq!(answer(&[(f64::MAX, 1), (f64::MAX, 1)]), None);
    }
}
