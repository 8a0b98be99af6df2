//! Random numbers from a seed, the same on every machine.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Random(Pcg64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(Pcg64::seed_from_u64(seed))
    }

    /// A multiple of 2^-53 from 0 up to, and without, 1.
    pub(super) fn uniform(&mut self) -> f64 {
        fraction(self.bits())
    }

    fn bits(&mut self) -> u64 {
        self.0.next_u64() >> 11
    }

    /// A number from the exponential distribution with mean 1.
    ///
    /// Von Neumann's method ("Various techniques used in connection with random digits", 1951):
    /// draw uniform numbers for as long as they fall. If the falling run has an odd length, its
    /// first number is the fraction; otherwise the whole part grows by one and a new run begins.
    pub(super) fn exponential(&mut self) -> f64 {
        let mut whole = 0.0;
        loop {
            let first = self.bits();
            let mut last = first;
            let mut odd = true;
            loop {
                let next = self.bits();
                if next >= last {
                    break;
                }
                last = next;
                odd = !odd;
            }
            if odd {
                return whole + fraction(first);
            }
            whole += 1.0;
        }
    }

    /// A number from the normal distribution with mean 0 and variance 1, by Marsaglia's polar
    /// method ("A convenient method for generating normal variables", 1964).
    fn normal(&mut self) -> f64 {
        loop {
            let (x, y) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let square = x * x + y * y;
            if square > 0.0 && square < 1.0 {
                return x * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// A number from the gamma distribution of this shape, with mean `shape`, by the method of
    /// Marsaglia and Tsang ("A simple method for generating gamma variables", 2000).
    pub(super) fn gamma(&mut self, shape: f64) -> f64 {
        if shape < 1.0 {
            let power = libm::pow(1.0 - self.uniform(), 1.0 / shape);
            return self.gamma(shape + 1.0) * power;
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            if root <= 0.0 {
                continue;
            }
            let v = root * root * root;
            let bound = 0.5 * x * x + d - d * v + d * libm::log(v);
            if libm::log(self.uniform()) < bound {
                return d * v;
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
fn fraction(bits: u64) -> f64 {
    bits as f64 / (1_u64 << 53) as f64
}

/// The seed of stream `number` of `seed`: the output function of `SplitMix64` (Steele, Lea and
/// Flood, "Fast splittable pseudorandom number generators", 2014).
pub(super) fn derived_seed(seed: u64, number: u64) -> u64 {
    let step = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut z = seed.wrapping_add(step);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Half of all gaps are shorter than ln 2 of the mean, and one in e is longer than the mean.
    #[test]
    fn gaps_are_exponential() {
        let mut random = Random::new(3);
        let draws: Vec<f64> = (0..100_000).map(|_| random.exponential()).collect();
        for (bound, above) in [
            (std::f64::consts::LN_2, 0.5),
            (1.0, 0.36788),
            (3.0, 0.049_787),
        ] {
            let seen = draws.iter().filter(|draw| **draw > bound).count();
            let share = f64::from(u32::try_from(seen).unwrap()) / 100_000.0;
            assert!((share - above).abs() < 0.0065, "{share} above {bound}");
        }
    }

    /// Mean and variance are the shape. The variance of a sample variance is about
    /// (kurtosis + 2)·σ⁴/n, where a gamma's excess kurtosis is 6/shape.
    #[test]
    fn gamma_numbers_have_their_mean_and_variance() {
        let n = 100_000_u32;
        for shape in [0.05, 0.25, 1.0, 2.5, 400.0] {
            let mut random = Random::new(11);
            let draws: Vec<f64> = (0..n).map(|_| random.gamma(shape)).collect();
            assert!(draws.iter().all(|draw| draw.is_finite() && *draw >= 0.0));
            let mean = draws.iter().sum::<f64>() / f64::from(n);
            let variance =
                draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / f64::from(n);
            let tolerance = 4.0 * (shape / f64::from(n)).sqrt();
            assert!((mean - shape).abs() < tolerance, "{shape}: mean {mean}");
            let tolerance = 4.0 * shape * ((2.0 + 6.0 / shape) / f64::from(n)).sqrt();
            assert!((variance - shape).abs() < tolerance, "{shape}: {variance}");
        }
    }

    /// P(gamma(1) > 1) is 1/e, and P(gamma(1/2) > 1/2) is P(|normal| > 1).
    #[test]
    fn gamma_numbers_have_their_tails() {
        for (shape, bound, above) in [(1.0, 1.0, 0.367_88), (0.5, 0.5, 0.317_31)] {
            let mut random = Random::new(5);
            let seen = (0..100_000).filter(|_| random.gamma(shape) > bound).count();
            let share = f64::from(u32::try_from(seen).unwrap()) / 100_000.0;
            assert!((share - above).abs() < 0.0065, "{shape}: {share}");
        }
    }

    /// Frozen: a change here changes every recorded run and simulation.
    #[test]
    fn numbers_are_the_same_on_every_machine() {
        let mut random = Random::new(1);
        let bits = [0.3, 1.0, 7.0].map(|shape| random.gamma(shape).to_bits());
        let frozen = [
            4_566_552_075_398_896_662,
            4_618_479_910_416_300_643,
            4_621_133_301_839_432_759,
        ];
        assert_eq!(bits, frozen);
        assert_eq!(
            [derived_seed(0, 0), derived_seed(7, 1)],
            [16_294_208_416_658_607_535, 309_689_372_594_955_804]
        );
    }
}
