//! What each process has in theory, against a sample from fixed seeds.
//!
//! Tolerances are four standard errors of the estimate.

use std::f64::consts::PI;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / float(numbers.len())
}

/// The mean of `(x[i] - mean)·(x[i + lag] - mean)`.
fn covariance(numbers: &[f64], lag: usize) -> f64 {
    let mean = mean(numbers);
    let pairs = numbers.iter().zip(&numbers[lag..]);
    let sum: f64 = pairs.map(|(a, b)| (a - mean) * (b - mean)).sum();
    sum / float(numbers.len() - lag)
}

fn dispersion(counts: &[f64]) -> f64 {
    covariance(counts, 0) / mean(counts)
}

#[track_caller]
fn assert_near(seen: f64, expected: f64, tolerance: f64, what: &str) {
    let difference = (seen - expected).abs();
    assert!(
        difference <= tolerance,
        "{what}: {seen} should be {expected} within {tolerance}"
    );
}

/// The number of requests of a renewal process in a long interval has the variance `CV²·mean`
/// (Cox, "Renewal Theory", section 4.5), and separate long intervals are nearly independent.
#[test]
fn steady_rates_have_their_mean_and_their_dispersion() {
    for (text, burstiness) in [
        ("poisson: {rate: 100, duration: 1000s}", 1.0_f64),
        ("gamma: {rate: 100, burstiness: 1, duration: 1000s}", 1.0),
        ("gamma: {rate: 100, burstiness: 4, duration: 1000s}", 4.0),
        ("gamma: {rate: 100, burstiness: 0.1, duration: 1000s}", 0.1),
    ] {
        let process = process(text);
        for seed in 0..4 {
            let counts = counts(&process, seed, SECOND);
            let n = float(counts.len());
            let error = (100.0 * burstiness / n).sqrt();
            assert_near(mean(&counts), 100.0, 4.0 * error, text);
            // A sample variance of n numbers that are about normal is off by σ²·√(2/n); beside it
            // a second is not for ever: the rest of a gap adds less than CV⁴/rate.
            let error = burstiness * (2.0 / n).sqrt();
            let short = burstiness * burstiness / 100.0 + 0.01;
            assert_near(dispersion(&counts), burstiness, 4.0 * error + short, text);
            for lag in [1, 2, 7] {
                let correlation = covariance(&counts, lag) / covariance(&counts, 0);
                assert_near(correlation, 0.0, 4.0 / n.sqrt(), text);
            }
        }
    }
}

/// The gaps themselves: their variance over the square of their mean is the burstiness. The
/// variance of gamma gaps of mean 1 is estimated within `CV²·√((2 + 6·CV²)/n)`.
#[test]
fn gamma_gaps_have_their_burstiness() {
    for burstiness in [0.25_f64, 4.0, 25.0] {
        let text = format!("gamma: {{rate: 200, burstiness: {burstiness}, duration: 500s}}");
        let times = times(&process(&text), 1);
        let gaps = times.windows(2).map(|pair| pair[1].saturating_sub(pair[0]));
        let gaps: Vec<f64> = gaps.map(|gap| gap.as_secs_f64() * 200.0).collect();
        let n = float(gaps.len());
        assert_near(mean(&gaps), 1.0, 4.0 * (burstiness / n).sqrt(), &text);
        let squared = covariance(&gaps, 0) / mean(&gaps).powi(2);
        let error = burstiness * ((2.0 + 6.0 * burstiness) / n).sqrt();
        // The square of the mean is off by twice what the mean is.
        let error = error + 2.0 * burstiness * (burstiness / n).sqrt();
        assert_near(squared, burstiness, 4.0 * error, &text);
        let neighbours = covariance(&gaps, 1) / covariance(&gaps, 0);
        assert_near(neighbours, 0.0, 4.0 / n.sqrt(), &text);
    }
}

/// A process that has been going on has its mean from the first moment: over many seeds, the first
/// second has `rate` requests. One that began with a whole gap would have (CV² - 1)/2 more.
#[test]
fn bursts_do_not_begin_with_the_schedule() {
    let process = process("gamma: {rate: 10, burstiness: 9, duration: 1s}");
    let counts: Vec<f64> = (0..4000)
        .map(|seed| float(process.schedule(seed).count()))
        .collect();
    let error = (covariance(&counts, 0) / float(counts.len())).sqrt();
    assert_near(mean(&counts), 10.0, 4.0 * error, "the first second");
    assert!(4.0 * error < 2.0, "{error}: the test could not tell");
}

/// With `r` the sum of the rates of leaving either state and `p` the share of being on, the rate
/// has the covariance `σ²·e^(-r·t)`, `σ² = (on - off)²·p·(1 - p)`. So in bins of length `w`
///
/// - the variance of a count is `mean + 2·σ²·(w/r - (1 - e^(-r·w))/r²)`,
/// - the covariance of two, `j` bins apart, `σ²·((1 - e^(-r·w))/r)²·e^(-r·w·(j - 1))`
///
/// (Fischer and Meier-Hellstern, 1993). Standard errors are from 16 seeds.
#[test]
fn on_and_off_have_the_dispersion_and_correlation_of_a_modulated_poisson_process() {
    let text = "onOff: {active: {rate: 60, mean: 2s}, idle: {rate: 10, mean: 3s}, duration: 2000s}";
    let process = process(text);
    let (share, r, w) = (2.0 / 5.0, 1.0 / 2.0 + 1.0 / 3.0, 1.0);
    let sigma2 = 50.0_f64.powi(2) * share * (1.0 - share);
    let expected_mean = 60.0 * share + 10.0 * (1.0 - share);
    let decay = |t: f64| libm::exp(-r * t);
    let variance = expected_mean + 2.0 * sigma2 * (w / r - (1.0 - decay(w)) / (r * r));
    let lagged = |j: f64| sigma2 * ((1.0 - decay(w)) / r).powi(2) * decay(w * (j - 1.0));

    let runs: Vec<Vec<f64>> = (0..16).map(|seed| counts(&process, seed, SECOND)).collect();
    let check = |what: &str, expected: f64, estimate: &dyn Fn(&[f64]) -> f64| {
        let estimates: Vec<f64> = runs.iter().map(|run| estimate(run)).collect();
        let error = (covariance(&estimates, 0) / float(runs.len() - 1)).sqrt();
        assert_near(mean(&estimates), expected, 4.0 * error, what);
        assert!(error < 0.05 * expected, "{what}: {error} is too wide");
    };
    check("mean", expected_mean, &mean);
    check("dispersion", variance / expected_mean, &dispersion);
    for (lag, bins) in [(1, 1.0), (2, 2.0)] {
        check("covariance", lagged(bins), &|run| covariance(run, lag));
    }
    assert!((process.expected_requests() - 2000.0 * expected_mean).abs() < 1e-6);
}

/// Counts of a Poisson process are independent whatever its rate, each with its mean as variance:
/// so `Σ (count - expected)²/expected` over n bins has mean n and about the variance 2·n.
#[test]
fn varying_rates_have_the_counts_that_their_integral_says() {
    for (text, integral) in [
        (
            "sine: {mean: 50, amplitude: 40, period: 60s, duration: 300s}",
            (|t| 50.0 * t + 40.0 * 60.0 / (2.0 * PI) * (1.0 - (2.0 * PI * t / 60.0).cos()))
                as fn(f64) -> f64,
        ),
        ("ramp: {from: 20, to: 200, duration: 300s}", |t| {
            20.0 * t + 180.0 / 600.0 * t * t
        }),
        ("ramp: {from: 200, to: 20, duration: 300s}", |t| {
            200.0 * t - 180.0 / 600.0 * t * t
        }),
        ("steps: {rates: [10, 100, 50], each: 100s}", |t| {
            10.0 * t.min(100.0)
                + 100.0 * (t - 100.0).clamp(0.0, 100.0)
                + 50.0 * (t - 200.0).max(0.0)
        }),
        (
            "spike: {base: 5, peak: 500, at: 30500ms, lasting: 10s, duration: 120s}",
            |t| 5.0 * t + 495.0 * (t - 30.5).clamp(0.0, 10.0),
        ),
    ] {
        let process = process(text);
        for seed in [1, 2] {
            let counts = counts(&process, seed, SECOND);
            let mut chi = 0.0;
            let mut start = 0.0;
            for (count, end) in counts.iter().zip((1..).map(f64::from)) {
                let expected = integral(end) - integral(start);
                chi += (count - expected).powi(2) / expected;
                start = end;
            }
            let n = float(counts.len());
            assert_near(chi, n, 4.0 * (2.0 * n).sqrt() + 0.2 * n.sqrt(), text);
            let total = integral(process.duration().as_secs_f64());
            assert_near(process.expected_requests(), total, 1e-6 * total, text);
        }
    }
}

/// A sine's counts are like each other a period apart and unlike half a period apart.
#[test]
fn a_sine_is_periodic() {
    let process = process("sine: {mean: 100, amplitude: 80, period: 20s, duration: 2000s}");
    let counts = counts(&process, 3, SECOND);
    // The mean over a bin of a second has an amplitude lower by sin(x)/x, x half of its angle.
    let x = PI / 20.0;
    let swing = (80.0 * x.sin() / x).powi(2) / 2.0;
    let error = 4.0 * (swing + 100.0) / float(counts.len()).sqrt();
    for (lag, sign) in [(20, 1.0), (10, -1.0), (5, 0.0), (40, 1.0)] {
        assert_near(covariance(&counts, lag), sign * swing, error, "lag");
    }
    assert_near(covariance(&counts, 0), swing + 100.0, error, "variance");
}

/// A factor of mean 1 and standard deviation c each second makes the variance of its count
/// `mean + c²·mean²`, and leaves seconds independent.
#[test]
fn noise_adds_its_variance() {
    let text = "steps: {rates: [50], each: 4000s, noise: 0.5}";
    let counts = counts(&process(text), 5, SECOND);
    let n = float(counts.len());
    let variance = 50.0 + 0.25 * 2500.0;
    assert_near(mean(&counts), 50.0, 4.0 * (variance / n).sqrt(), text);
    // The excess kurtosis of a gamma distribution with this deviation is 6·0.25.
    let error = variance * ((2.0 + 1.5) / n).sqrt();
    assert_near(covariance(&counts, 0), variance, 4.0 * error, text);
    for lag in [1, 3] {
        let correlation = covariance(&counts, lag) / variance;
        assert_near(correlation, 0.0, 4.0 / n.sqrt(), text);
    }
}

/// In the time in which the rate is 1, a gamma process is a gamma process: burstiness shows in the
/// counts of any shape.
#[test]
fn bursts_follow_the_rate() {
    for (arrivals, burstiness) in [("poisson", 1.0), ("{gamma: {burstiness: 6}}", 6.0)] {
        let text = format!("ramp: {{from: 100, to: 300, duration: 1000s, arrivals: {arrivals}}}");
        let process = process(&text);
        let counts = counts(&process, 2, SECOND);
        let n = float(counts.len());
        let expected = (0..1000_u32).map(|second| 100.0 + 0.2 * (f64::from(second) + 0.5));
        let chi: f64 = counts
            .iter()
            .zip(expected)
            .map(|(count, expected)| (count - expected).powi(2) / expected)
            .sum();
        let error = burstiness * (2.0 / n).sqrt();
        assert_near(chi / n, burstiness, 4.0 * error + 0.1 * burstiness, &text);
    }
}

/// Even spacing has, by any time, the integral up to there, rounded up: no randomness at all.
#[test]
fn evenly_spaced_requests_follow_the_integral() {
    for text in [
        "ramp: {from: 0, to: 500, duration: 20s, arrivals: constant}",
        "sine: {mean: 50, amplitude: 50, period: 7s, duration: 20s, arrivals: constant}",
        "steps: {rates: [1, 0, 30], each: 7s, arrivals: constant}",
    ] {
        let process = process(text);
        assert_eq!(times(&process, 1), times(&process, 2), "{text}");
        let mut integral = 0.0;
        let mut seen = times(&process, 1).into_iter().peekable();
        let mut number = 0.0;
        for micros in 0..20_000_u64 {
            let middle = Duration::from_micros(micros * 1000 + 500);
            integral += process.rate_at(middle) / 1000.0;
            let end = Duration::from_millis(micros + 1);
            while seen.next_if(|time| *time < end).is_some() {
                number += 1.0;
            }
            let off: f64 = number - integral;
            assert!((-0.01..1.01).contains(&off), "{text} {end:?}: {off}");
        }
    }
}
