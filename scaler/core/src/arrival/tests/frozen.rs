//! Steady schedules, whose times are those of every recorded run.

use std::time::Duration;

use crate::arrival::{Arrival, Schedule, tests::process};

const MINUTE: Duration = Duration::from_mins(1);

fn schedule(arrival: Arrival, rate: f64, duration: Duration, seed: u64) -> Vec<Duration> {
    let schedule = Schedule::new(arrival, rate, duration, seed).expect("a rate that is possible");
    schedule.collect()
}

#[test]
fn a_constant_schedule_is_even_and_ends_before_the_end() {
    let times = schedule(Arrival::Constant, 4.0, Duration::from_secs(1), 7);
    assert_eq!(times, [0, 250, 500, 750].map(Duration::from_millis));
    for (rate, seconds, expected) in [(200.0, 60, 12_000), (0.1, 31, 4), (3.0, 1, 3), (7.0, 9, 63)]
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

/// Frozen too: what is drawn, and every step of the arithmetic.
#[test]
fn a_seed_gives_these_times_of_other_processes_on_every_machine() {
    let frozen: [(&str, [u128; 4]); 5] = [
        (
            "gamma: {rate: 200, burstiness: 4, duration: 1m}",
            [3_818_880, 4_958_541_542, 9_504_074_596, 14_620_770_480],
        ),
        (
            "onOff: {active: {rate: 200, mean: 20ms}, idle: {mean: 50ms}, duration: 1m}",
            [121_792_007, 15_835_566_372, 30_880_356_044, 48_928_980_709],
        ),
        (
            "sine: {mean: 200, amplitude: 200, period: 3s, noise: 0.2, duration: 1m}",
            [1_220_390, 4_273_743_703, 9_819_075_958, 15_466_850_529],
        ),
        (
            "ramp: {from: 0, to: 500, duration: 2m}",
            [329_736_271, 21_886_172_274, 30_831_426_311, 37_849_530_006],
        ),
        (
            "sum: [{poisson: {rate: 100, duration: 1m}}, {poisson: {rate: 100, duration: 1m}}]",
            [5_135_777, 4_937_761_634, 9_905_603_128, 14_867_547_574],
        ),
    ];
    for (text, expected) in frozen {
        let times = process(text).schedule(42);
        let nanos: Vec<u128> = times
            .step_by(1000)
            .take(4)
            .map(|time| time.as_nanos())
            .collect();
        assert_eq!(nanos, expected, "{text}");
    }
}
