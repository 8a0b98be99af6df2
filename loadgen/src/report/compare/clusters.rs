//! How much more a run's seconds differ from each other than independent requests would.

use crate::record::recording::Times;
use crate::report::histogram::{HistogramError, as_float, decode};
use crate::report::model::Report;

/// Of a second: how many of its requests are counted, of how many; or a sum over them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cluster {
    pub(super) hits: f64,
    pub(super) trials: f64,
}

/// The histograms of a run's seconds, of those that have one.
pub(super) fn seconds(report: &Report) -> Result<Vec<Times>, HistogramError> {
    let texts = report
        .seconds
        .iter()
        .filter_map(|second| second.histogram.as_deref());
    texts.map(decode).collect()
}

/// Of each second, how many answers took longer than `micros`.
pub(super) fn above(seconds: &[Times], micros: u64) -> Vec<Cluster> {
    let cluster = |times: &Times| Cluster {
        hits: as_float(times.len()) - as_float(times.count_between(0, micros)),
        trials: as_float(times.len()),
    };
    seconds.iter().map(cluster).collect()
}

/// The variance of the sum of hits, given how many trials there were: that of the sum of what each second has more than
/// its part, with Bartlett's weights for neighbours.
pub(super) fn variance(clusters: &[Cluster]) -> f64 {
    let (hits, trials) = sums(clusters);
    if trials <= 0.0 {
        return 0.0;
    }
    let ratio = hits / trials;
    let rests: Vec<_> = clusters
        .iter()
        .map(|each| each.hits - ratio * each.trials)
        .collect();
    let products = |lag: usize| -> f64 {
        rests
            .iter()
            .zip(rests.iter().skip(lag))
            .map(|(one, other)| one * other)
            .sum()
    };
    let lags = lags(clusters.len());
    let neighbours: f64 = (1..=lags)
        .map(|lag| 2.0 * (1.0 - float(lag) / float(lags + 1)) * products(lag))
        .sum();
    (products(0) + neighbours).max(0.0)
}

/// By how much the variance of a share is larger than of independent requests; at least 1 (Kish's design effect).
pub(super) fn design_effect(clusters: &[Cluster]) -> f64 {
    let (hits, trials) = sums(clusters);
    let share = if trials > 0.0 { hits / trials } else { 0.0 };
    let independent = trials * share * (1.0 - share);
    if independent <= 0.0 {
        return 1.0;
    }
    (variance(clusters) / independent).max(1.0)
}

fn sums(clusters: &[Cluster]) -> (f64, f64) {
    let add = |(hits, trials): (f64, f64), each: &Cluster| (hits + each.hits, trials + each.trials);
    clusters.iter().fold((0.0, 0.0), add)
}

/// Newey and West's rule of thumb (Review of Economic Studies 61 (1994), 631–653).
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small positive number"
)]
fn lags(seconds: usize) -> usize {
    (4.0 * (float(seconds) / 100.0).powf(2.0 / 9.0)).floor() as usize
}

#[expect(clippy::cast_precision_loss, reason = "a number of seconds")]
fn float(seconds: usize) -> f64 {
    seconds as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clusters(hits: impl Iterator<Item = u32>) -> Vec<Cluster> {
        let cluster = |hits: u32| Cluster {
            hits: hits.into(),
            trials: 100.0,
        };
        hits.map(cluster).collect()
    }

    #[test]
    fn even_seconds_are_no_worse_than_independent_requests() {
        assert!((design_effect(&clusters((0..60).map(|_| 10))) - 1.0).abs() < 1e-12);
        assert!((design_effect(&clusters((0..60).map(|_| 0))) - 1.0).abs() < 1e-12);
        assert!((design_effect(&[]) - 1.0).abs() < 1e-12);
    }

    /// All that are slow come in one half of the run: a share of 1/2 that varies as much as one can.
    #[test]
    fn what_comes_together_counts_for_less() {
        let effect = design_effect(&clusters(
            (0..100).map(|second| if second < 50 { 100 } else { 0 }),
        ));
        // 100 seconds of rests ±50 and four lags that nearly all agree: (1 + 2·(0.8+0.6+0.4+0.2)) · 100 less a little.
        assert!((450.0..=500.0).contains(&effect), "{effect}");
    }

    /// Binomial noise of an even coin, from a fixed generator, is about what independence gives.
    #[test]
    fn independent_requests_have_no_effect_to_speak_of() {
        let mut state = 1_u64;
        let mut coin = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            u32::from(state >> 63 == 1)
        };
        let hits: Vec<u32> = (0..400).map(|_| (0..100).map(|_| coin()).sum()).collect();
        let effect = design_effect(&clusters(hits.into_iter()));
        assert!((1.0..1.5).contains(&effect), "{effect}");
    }
}
