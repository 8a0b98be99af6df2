//! What is random in a run depends on its seed and on the position of a request, and on nothing else: the same seed
//! gives the same requests, whatever their order and however many workers there are.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// 2^64 divided by the golden ratio: its multiples are spread as evenly as can be (Weyl; Knuth, "The Art of Computer
/// Programming", volume 3, section 6.4).
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Positions that are mixed with each other when a target is chosen.
const BLOCK: usize = 64;

/// A source of random numbers for the request at this position.
pub(crate) fn of_request(seed: u64, position: u64) -> Pcg64 {
    Pcg64::seed_from_u64(mix(seed ^ mix(position.wrapping_mul(GOLDEN))))
}

/// A number from 0 up to, not including, a bound above 0 (Lemire, "Fast random integer generation in an interval",
/// 2019, without its rejection: that makes some numbers likelier than others by a part of bound / 2^64).
pub(crate) fn below(random: &mut Pcg64, bound: u64) -> u64 {
    let product = u128::from(random.next_u64()) * u128::from(bound);
    u64::try_from(product >> 64).unwrap_or(u64::MAX)
}

/// The finalizer of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// Chooses the target of each request by the targets' shares.
///
/// Over a long run each gets its share exactly, up to a few requests; within some tens of requests the order is
/// random, so that no target is tied to a rhythm of the schedule.
#[derive(Debug)]
pub(crate) struct Shares {
    seed: u64,
    /// The end of each target's part of all 64-bit numbers.
    ends: Vec<u64>,
    /// The block whose order is known, and that order.
    block: u64,
    order: [u8; BLOCK],
}

impl Shares {
    /// By weights above 0.
    pub(crate) fn new(seed: u64, weights: &[f64]) -> Self {
        let sum: f64 = weights.iter().sum();
        let mut so_far = 0.0;
        let ends = weights.iter().map(|weight| {
            so_far += weight;
            part_of_all(so_far / sum)
        });
        let mut ends: Vec<_> = ends.collect();
        if let Some(last) = ends.last_mut() {
            *last = u64::MAX;
        }
        let mut shares = Self {
            seed,
            ends,
            block: 0,
            order: [0; BLOCK],
        };
        shares.order = shares.order_of(0);
        shares
    }

    /// The target of the request at this position.
    pub(crate) fn target(&mut self, position: u64) -> usize {
        if self.ends.len() == 1 {
            return 0;
        }
        let block = position / BLOCK as u64;
        if block != self.block {
            self.block = block;
            self.order = self.order_of(block);
        }
        let within = usize::try_from(position % BLOCK as u64).unwrap_or_default();
        let position = block * BLOCK as u64 + u64::from(self.order[within]);
        let point = mix(self.seed).wrapping_add(position.wrapping_mul(GOLDEN));
        self.ends.partition_point(|end| *end < point)
    }

    /// A random order (Fisher and Yates; Durstenfeld, 1964).
    fn order_of(&self, block: u64) -> [u8; BLOCK] {
        let mut random = of_request(!self.seed, block);
        let mut order = [0; BLOCK];
        for (place, number) in order.iter_mut().zip(0..) {
            *place = number;
        }
        for last in (1..BLOCK).rev() {
            let other = below(&mut random, last as u64 + 1);
            order.swap(last, usize::try_from(other).unwrap_or(last));
        }
        order
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a part of all numbers, and what is above it counts as all"
)]
fn part_of_all(fraction: f64) -> u64 {
    (fraction * u64::MAX as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(seed: u64, weights: &[f64], positions: impl Iterator<Item = u64>) -> Vec<u32> {
        let mut shares = Shares::new(seed, weights);
        let mut counts = vec![0; weights.len()];
        for position in positions {
            counts[shares.target(position)] += 1;
        }
        counts
    }

    #[test]
    fn each_target_gets_its_share() {
        for (weights, expected) in [
            (&[1.0][..], &[64_000][..]),
            (&[1.0, 1.0], &[32_000, 32_000]),
            (&[3.0, 1.0], &[48_000, 16_000]),
            (&[0.1, 0.2, 0.7], &[6_400, 12_800, 44_800]),
            (&[99.9, 0.1], &[63_936, 64]),
        ] {
            for seed in [0, 1, 42, u64::MAX] {
                let found = counts(seed, weights, 0..64_000);
                for (found, expected) in found.iter().zip(expected) {
                    assert!(found.abs_diff(*expected) <= 4, "{weights:?}: {found}");
                }
            }
        }
    }

    /// With alternating targets the even positions would all be one's.
    #[test]
    fn a_share_is_not_tied_to_the_rhythm_of_the_schedule() {
        for step in [2, 3, 5, 8, 10] {
            let found = counts(7, &[1.0, 1.0], (0..100_000).map(|n| n * step));
            assert!(found[0].abs_diff(50_000) < 700, "{step}: {found:?}");
        }
    }

    #[test]
    fn the_order_of_asking_changes_nothing() {
        let mut shares = Shares::new(3, &[1.0, 2.0]);
        let forward: Vec<_> = (0..300).map(|position| shares.target(position)).collect();
        for position in (0_u32..300).rev() {
            let target = shares.target(position.into());
            assert_eq!(target, forward[position as usize]);
        }
    }

    #[test]
    fn numbers_are_below_their_bound() {
        let mut random = of_request(1, 2);
        let drawn: Vec<_> = (0..1000).map(|_| below(&mut random, 3)).collect();
        for number in 0..3 {
            let found = drawn.iter().filter(|drawn| **drawn == number).count();
            assert!((260..410).contains(&found), "{number}: {found}");
        }
        assert!(drawn.iter().all(|drawn| *drawn < 3));
        assert_eq!(below(&mut random, 1), 0);
    }
}
