//! The order in which requests go to weighted targets.

use super::apportion;

/// Slots that a schedule has at most; larger sums of weights are scaled down to it.
const MAX_SLOTS: u32 = 1_000;

/// A fixed, repeating order of targets with as many slots as the weights sum to, in which each
/// target has as many slots as its weight.
///
/// Any run of requests as long as the order gives each target exactly its weight, and any shorter
/// beginning gives it its ideal share to within less than one request. Keep one running number of
/// requests when a schedule is replaced by another: beginning each anew at zero would favour the
/// targets that come first, if that happened often.
///
/// The order is R. Tijdeman's ("The chairman assignment problem", Discrete Mathematics 32, 1980):
/// with n targets no beginning strays from the ideal by more than 1 - 1/(2n - 2), and no order can
/// promise less. Smooth weighted round robin, as nginx has it, gives the same order in common
/// cases such as 80 to 20, but strays by more than one request in others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    slots: Box<[usize]>,
}

struct Target {
    index: usize,
    weight: i64,
    chosen: i64,
}

impl Schedule {
    /// The order for these weights. A weight of zero is never chosen; with no weight above zero
    /// the schedule is empty. Weights that sum to more than 1,000 are scaled down to that sum.
    pub fn new(weights: &[u32]) -> Self {
        let sum: u64 = weights.iter().copied().map(u64::from).sum();
        let weights = match u32::try_from(sum) {
            Ok(sum) if sum <= MAX_SLOTS => weights.to_vec(),
            _ => apportion(weights, MAX_SLOTS),
        };
        let total: i64 = weights.iter().copied().map(i64::from).sum();
        let mut targets: Vec<Target> = targets(&weights).collect();
        Self {
            slots: (1..=total)
                .filter_map(|slot| choose(&mut targets, total, slot))
                .collect(),
        }
    }

    /// The target of a request, as an index into the weights; `request` is a running number that
    /// all who pick from the schedule share. None when the schedule is empty.
    pub fn pick(&self, request: u64) -> Option<usize> {
        let length = u64::try_from(self.slots.len()).ok()?;
        let slot = request.checked_rem(length)?;
        self.slots.get(usize::try_from(slot).ok()?).copied()
    }
}

fn targets(weights: &[u32]) -> impl Iterator<Item = Target> {
    let weighted = weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight > 0);
    weighted.map(|(index, &weight)| Target {
        index,
        weight: i64::from(weight),
        chosen: 0,
    })
}

/// Of the targets that lag at least 1/(2n - 2) behind their ideal share, the one that would first
/// lag too far. All amounts are multiplied by `scale * total`, so that they are whole.
fn choose(targets: &mut [Target], total: i64, slot: i64) -> Option<usize> {
    let count = i64::try_from(targets.len()).unwrap_or(i64::from(MAX_SLOTS));
    let scale = (2 * (count - 1)).max(1);
    let lag = |target: &Target| scale * (target.weight * slot - target.chosen * total);
    let room = |target: &Target| (scale - 1) * total - lag(target);
    let chosen = targets
        .iter_mut()
        .filter(|target| lag(target) >= total)
        .min_by(|a, b| {
            let a_before_b = (room(a) * b.weight).cmp(&(room(b) * a.weight));
            a_before_b.then(b.weight.cmp(&a.weight))
        })?;
    chosen.chosen += 1;
    Some(chosen.index)
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Weights, not all zero, that sum to 100.
    fn percentages() -> impl Strategy<Value = Vec<u32>> {
        vec(0_u32..100, 1..12)
            .prop_filter("some weight", |weights| weights.iter().sum::<u32>() > 0)
            .prop_map(|weights| apportion(&weights, 100))
    }

    fn picks(weights: &[u32], requests: std::ops::Range<u64>) -> Vec<usize> {
        let schedule = Schedule::new(weights);
        requests.filter_map(|n| schedule.pick(n)).collect()
    }

    #[test]
    fn small_orders_are_spread_out() {
        let cases: [(&[u32], &[usize]); 6] = [
            (&[1], &[0, 0, 0]),
            (&[0, 3], &[1, 1, 1]),
            (&[1, 1], &[0, 1, 0, 1]),
            (&[4, 1], &[0, 0, 1, 0, 0]),
            (&[1, 4], &[1, 1, 0, 1, 1]),
            (&[2, 1, 1], &[0, 1, 2, 0, 0, 1, 2, 0]),
        ];
        for (weights, order) in cases {
            let length = u64::try_from(order.len()).unwrap();
            assert_eq!(picks(weights, 0..length), order, "{weights:?}");
        }
    }

    #[test]
    fn without_weights_nothing_is_picked() {
        for weights in [&[][..], &[0], &[0, 0]] {
            assert_eq!(Schedule::new(weights).pick(7), None);
        }
    }

    #[test]
    fn huge_weights_are_scaled_down() {
        let schedule = Schedule::new(&[u32::MAX, u32::MAX, 0]);
        assert_eq!(schedule.slots.len(), 1_000);
        assert_eq!(
            schedule.slots.iter().filter(|slot| **slot == 0).count(),
            500
        );
        assert!(schedule.pick(u64::MAX).is_some());
    }

    #[test]
    fn where_smooth_round_robin_strays_by_more_than_one_this_does_not() {
        let weights = [12, 8, 12, 4, 1, 1, 1, 1, 1];
        assert!(worst_deviation(&weights, &smooth_round_robin(&weights)) > 1.0);
        assert!(worst_deviation(&weights, &picks(&weights, 0..41)) <= 1.0 - 1.0 / 16.0);
    }

    /// The most that any beginning of `order` strays from the ideal share of any target.
    fn worst_deviation(weights: &[u32], order: &[usize]) -> f64 {
        let total = f64::from(weights.iter().sum::<u32>());
        let mut chosen = vec![0.0; weights.len()];
        let mut worst = 0.0_f64;
        for (slot, target) in (1_u32..).zip(order) {
            chosen[*target] += 1.0;
            for (weight, chosen) in weights.iter().zip(&chosen) {
                let ideal = f64::from(*weight) * f64::from(slot) / total;
                worst = worst.max((chosen - ideal).abs());
            }
        }
        worst
    }

    fn smooth_round_robin(weights: &[u32]) -> Vec<usize> {
        let total = i64::from(weights.iter().sum::<u32>());
        let mut current = vec![0_i64; weights.len()];
        let step = |_| {
            for (current, weight) in current.iter_mut().zip(weights) {
                *current += i64::from(*weight);
            }
            let chosen = (0..weights.len())
                .rev()
                .max_by_key(|&index| current[index])
                .unwrap();
            current[chosen] -= total;
            chosen
        };
        (0..total).map(step).collect()
    }

    proptest! {
        #[test]
        fn any_hundred_in_a_row_are_exact(weights in percentages(), first in 0_u64..1_000) {
            let picked = picks(&weights, first..first + 100);
            prop_assert_eq!(picked.len(), 100);
            for (index, weight) in weights.iter().enumerate() {
                let count = picked.iter().filter(|target| **target == index).count();
                prop_assert_eq!(u32::try_from(count).unwrap(), *weight);
            }
        }

        #[test]
        fn every_beginning_is_within_one_of_the_ideal(weights in percentages()) {
            prop_assert!(worst_deviation(&weights, &picks(&weights, 0..200)) < 1.0);
        }
    }
}
