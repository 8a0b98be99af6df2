//! When requests arrive: a schedule of start times, made from a seed before anything is sent.
//!
//! The load generator and the simulator follow the same schedule, so a seed gives the same times,
//! to the nanosecond, on every machine. That is why the random part is made of comparisons of
//! integers only: a logarithm's last bit differs between mathematics libraries.

use std::time::Duration;

use rand_pcg::Pcg64;
use rand_pcg::rand_core::{Rng, SeedableRng};

/// The highest rate there can be: one request each nanosecond, the unit of the schedule.
pub const MAX_RATE: f64 = 1e9;

/// How the gaps between the requests of a schedule are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Evenly spaced, the first at once.
    Constant,
    /// Independent of each other, as from many users who know nothing of one another: the gaps are
    /// exponentially distributed and the number in any interval is Poisson distributed.
    Poisson,
}

/// A rate that no schedule can be made of.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the rate {rate} is not possible: it is requests per second, above 0 and at most 1e9")]
pub struct RateError {
    /// The rate that was asked for, in requests per second.
    pub rate: f64,
}

/// An iterator over the times at which requests are to start, as offsets from the start of the run,
/// in order, each before the end of the run.
#[derive(Clone, Debug)]
pub struct Schedule {
    arrival: Arrival,
    rate: f64,
    end: Duration,
    random: Pcg64,
    /// How many start times were given out.
    count: u64,
    /// The last start time that was given out.
    last: Duration,
}

impl Schedule {
    /// The schedule of `rate` requests per second on average for `duration`.
    ///
    /// `seed` decides the random gaps; a constant schedule does not depend on it.
    ///
    /// # Errors
    ///
    /// The rate must be above 0 and at most [`MAX_RATE`].
    pub fn new(
        arrival: Arrival,
        rate: f64,
        duration: Duration,
        seed: u64,
    ) -> Result<Self, RateError> {
        if !(rate > 0.0 && rate <= MAX_RATE) {
            return Err(RateError { rate });
        }
        Ok(Self {
            arrival,
            rate,
            end: duration,
            random: Pcg64::seed_from_u64(seed),
            count: 0,
            last: Duration::ZERO,
        })
    }

    /// The next start time, whether or not it is before the end; none if it cannot be expressed.
    fn next_offset(&mut self) -> Option<Duration> {
        match self.arrival {
            #[expect(clippy::cast_precision_loss, reason = "exact for 2^53 requests")]
            Arrival::Constant => Duration::try_from_secs_f64(self.count as f64 / self.rate).ok(),
            Arrival::Poisson => {
                let gap = exponential(&mut self.random) / self.rate;
                self.last
                    .checked_add(Duration::try_from_secs_f64(gap).ok()?)
            }
        }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let Some(offset) = self.next_offset().filter(|offset| *offset < self.end) else {
            // Nothing follows what is past the end.
            self.end = Duration::ZERO;
            return None;
        };
        self.count += 1;
        self.last = offset;
        Some(offset)
    }
}

/// A number from the exponential distribution with mean 1.
///
/// Von Neumann's method ("Various techniques used in connection with random digits", 1951): draw
/// uniform numbers for as long as they fall. If the falling run has an odd length, its first number
/// is the fraction; otherwise the whole part grows by one and a new run begins.
fn exponential(random: &mut Pcg64) -> f64 {
    let mut whole = 0.0;
    loop {
        let first = random.next_u64() >> 11;
        let mut last = first;
        let mut odd = true;
        loop {
            let next = random.next_u64() >> 11;
            if next >= last {
                break;
            }
            last = next;
            odd = !odd;
        }
        if odd {
            #[expect(clippy::cast_precision_loss, reason = "53 bits fit exactly")]
            let fraction = first as f64 / (1_u64 << 53) as f64;
            return whole + fraction;
        }
        whole += 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn schedule(arrival: Arrival, rate: f64, duration: Duration, seed: u64) -> Vec<Duration> {
        let schedule =
            Schedule::new(arrival, rate, duration, seed).expect("a rate that is possible");
        schedule.collect()
    }

    #[test]
    fn a_constant_schedule_is_even_and_ends_before_the_end() {
        let times = schedule(Arrival::Constant, 4.0, Duration::from_secs(1), 7);
        assert_eq!(times, [0, 250, 500, 750].map(Duration::from_millis));
        for (rate, seconds, expected) in
            [(200.0, 60, 12_000), (0.1, 31, 4), (3.0, 1, 3), (7.0, 9, 63)]
        {
            let times = schedule(Arrival::Constant, rate, Duration::from_secs(seconds), 0);
            assert_eq!(times.len(), expected, "{rate}/s for {seconds} s");
        }
    }

    /// Frozen: a change here changes every recorded run and simulation.
    #[test]
    fn a_seed_gives_these_times_on_every_machine() {
        let frozen: [(u64, [u128; 6]); 3] = [
            (
                0,
                [
                    638_286, 6_451_070, 8_981_269, 13_554_703, 14_510_779, 14_560_553,
                ],
            ),
            (
                1,
                [
                    12_756_043, 18_995_543, 26_761_611, 52_752_142, 60_495_094, 67_961_455,
                ],
            ),
            (
                42,
                [
                    1_132_563, 15_145_506, 21_199_488, 23_354_023, 24_750_783, 27_761_605,
                ],
            ),
        ];
        for (seed, expected) in frozen {
            let times = schedule(Arrival::Poisson, 200.0, MINUTE, seed);
            let nanos: Vec<u128> = times.iter().take(6).map(Duration::as_nanos).collect();
            assert_eq!(nanos, expected, "seed {seed}");
        }
    }

    /// The number of a Poisson process in an interval has its mean as its variance too, and a gap
    /// has its mean as its standard deviation. 60,000 gaps: four standard errors are 1.6%.
    #[test]
    fn a_poisson_schedule_has_the_mean_and_the_variance_of_its_rate() {
        for seed in 0..8 {
            let times = schedule(Arrival::Poisson, 1000.0, MINUTE, seed);
            let count = f64::from(u32::try_from(times.len()).unwrap());
            assert!(
                (count - 60_000.0).abs() < 4.0 * 60_000_f64.sqrt(),
                "seed {seed}: {count}"
            );
            let gaps: Vec<f64> = times
                .windows(2)
                .map(|pair| pair[1].as_secs_f64() - pair[0].as_secs_f64())
                .collect();
            let mean = gaps.iter().sum::<f64>() / count;
            let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / count;
            assert!(
                (mean * 1000.0 - 1.0).abs() < 0.017,
                "seed {seed}: mean gap {mean}"
            );
            assert!(
                (variance.sqrt() * 1000.0 - 1.0).abs() < 0.03,
                "seed {seed}: variance {variance}"
            );
        }
    }

    /// Half of all gaps are shorter than ln 2 of the mean, and one in e is longer than the mean.
    #[test]
    fn gaps_are_exponential() {
        let mut random = Pcg64::seed_from_u64(3);
        let draws: Vec<f64> = (0..100_000).map(|_| exponential(&mut random)).collect();
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

    #[test]
    fn times_never_go_back_and_another_seed_gives_others() {
        let times = schedule(Arrival::Poisson, 5000.0, Duration::from_secs(5), 9);
        assert!(times.is_sorted());
        assert!(times.iter().all(|time| *time < Duration::from_secs(5)));
        assert_ne!(
            times,
            schedule(Arrival::Poisson, 5000.0, Duration::from_secs(5), 10)
        );
    }

    #[test]
    fn rates_that_are_not_possible_are_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, 1.1e9] {
            assert!(
                Schedule::new(Arrival::Poisson, rate, MINUTE, 0).is_err(),
                "{rate}"
            );
        }
        assert_eq!(schedule(Arrival::Poisson, f64::MIN_POSITIVE, MINUTE, 0), []);
        assert_eq!(
            schedule(Arrival::Constant, f64::MIN_POSITIVE, MINUTE, 0),
            [Duration::ZERO]
        );
        assert_eq!(schedule(Arrival::Constant, 10.0, Duration::ZERO, 0), []);
    }

    #[test]
    fn a_schedule_that_ended_stays_ended() {
        let mut schedule = Schedule::new(Arrival::Poisson, 3.0, Duration::from_secs(1), 5).unwrap();
        assert!(schedule.by_ref().count() > 0);
        assert_eq!(schedule.next(), None);
    }
}
