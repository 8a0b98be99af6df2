//! What the Horizontal Pod Autoscaler makes of a metric, and what to give it so that it lands on a
//! decision.
//!
//! For a metric of type `AverageValue` the HPA reckons `ceil(value / target)`, unless
//! `value / (target · replicas)` is within its tolerance, 10%, of one: then it leaves the replicas
//! as they are. (Kubernetes: Horizontal Pod Autoscaling, algorithm details.)

/// What is taken from the value after scaling in, so that it is as far below the present number of
/// replicas as it can be while `ceil` still lands on the decision. KEDA carries three decimals.
const BELOW: f64 = 0.999;

/// The value for a metric with target 1 with which the HPA lands on `replicas`; `lowered` says
/// whether the decision before was for more.
///
/// Any value above `replicas - 1` and up to `replicas` does. After scaling in it is the lowest of
/// them, so that a step of one is outside the tolerance from up to 19 replicas instead of 9. A step
/// out by one from 10 or more is within it whatever the value, and waits for the next.
pub fn aggregate_value(replicas: u32, lowered: bool) -> f64 {
    let whole = f64::from(replicas);
    if lowered && replicas > 0 {
        whole - BELOW
    } else {
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The HPA's algorithm for an external metric with an `AverageValue` target of one, its
    /// tolerance as Kubernetes 1.33 and later compare it.
    fn hpa(replicas: u32, value: f64) -> f64 {
        let ratio = value / f64::from(replicas);
        if (1.0 - 0.1..=1.0 + 0.1).contains(&ratio) {
            f64::from(replicas)
        } else {
            value.ceil()
        }
    }

    #[test]
    fn the_hpa_lands_on_the_decision_or_stays_for_a_change_of_a_tenth() {
        for from in 1..200_u32 {
            for to in 1..400_u32 {
                let found = hpa(from, aggregate_value(to, to < from));
                let lands = (found - f64::from(to)).abs() < 1e-9;
                let stays = (found - f64::from(from)).abs() < 1e-9;
                let small = to.abs_diff(from) * 10 <= from;
                assert!(lands || (stays && small), "{from} to {to}: {found}");
            }
        }
    }

    #[test]
    fn which_steps_of_one_are_swallowed() {
        let lands = |from: u32, to: u32| {
            let found = hpa(from, aggregate_value(to, to < from));
            (found - f64::from(to)).abs() < 1e-9
        };
        assert!((1..10).all(|from| lands(from, from + 1)));
        assert!((10..100).all(|from| !lands(from, from + 1)));
        assert!((2..20).all(|from| lands(from, from - 1)));
        assert!((20..100).all(|from| !lands(from, from - 1)));
    }

    #[test]
    fn none_is_zero() {
        for lowered in [false, true] {
            assert!(aggregate_value(0, lowered).abs() < f64::EPSILON);
        }
    }
}
