//! Sharing out a whole number in proportion to weights.

use std::cmp::Reverse;

/// `total` shared out in proportion to `weights`, in whole numbers that sum to `total`. With no
/// weight above zero, all shares are zero.
///
/// Each share is its exact part rounded down; what is left goes, one each, to the largest
/// remainders, the earlier of two equal ones first (Hamilton's method). A weight of zero gets
/// nothing.
pub fn apportion(weights: &[u32], total: u32) -> Vec<u32> {
    let sum: u64 = weights.iter().copied().map(u64::from).sum();
    if sum == 0 {
        return vec![0; weights.len()];
    }
    let exact = |weight: u32| u64::from(weight) * u64::from(total);
    let mut shares: Vec<u32> = weights
        .iter()
        .map(|&weight| u32::try_from(exact(weight) / sum).unwrap_or(total))
        .collect();
    let left = total.saturating_sub(shares.iter().sum());
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    by_remainder.sort_by_key(|&index| Reverse(exact(weights[index]) % sum));
    for (_, index) in (0..left).zip(by_remainder) {
        shares[index] += 1;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_remainders_get_what_is_left() {
        let cases: [(&[u32], u32, &[u32]); 6] = [
            (&[], 100, &[]),
            (&[0, 0], 100, &[0, 0]),
            (&[80, 0], 100, &[100, 0]),
            (&[10, 20], 100, &[33, 67]),
            (&[1, 1, 1], 100, &[34, 33, 33]),
            (&[u32::MAX, u32::MAX], 3, &[2, 1]),
        ];
        for (weights, total, shares) in cases {
            assert_eq!(apportion(weights, total), shares, "{weights:?} of {total}");
        }
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_total_within_one_of_exact(
            weights in vec(0_u32..1_000, 1..20),
            total in 0_u32..10_000,
        ) {
            let sum: u32 = weights.iter().sum();
            prop_assume!(sum > 0);
            let shares = apportion(&weights, total);
            prop_assert_eq!(shares.iter().sum::<u32>(), total);
            for (weight, share) in weights.iter().zip(shares) {
                let exact = f64::from(*weight) * f64::from(total) / f64::from(sum);
                prop_assert!((f64::from(share) - exact).abs() < 1.0);
            }
        }
    }
}
