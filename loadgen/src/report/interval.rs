//! Confidence intervals at 95 %, of shares, of counts, and of the difference of two figures.

/// The two-sided 95 % point of the normal distribution.
pub(crate) const Z: f64 = 1.959_963_984_540_054;

/// A figure with the bounds between which it is with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Estimate {
    /// The difference of another to this one, by the method of variance estimates recovery: Zou and Donner,
    /// Construction of confidence limits about effect measures, Statistics in Medicine 27 (2008), 1693–1702.
    /// Of two shares with Wilson's intervals it is Newcombe's (Statistics in Medicine 17 (1998), 873–890).
    pub(crate) fn to(self, other: Self) -> Self {
        let value = other.value - self.value;
        let below = (other.value - other.low).hypot(self.high - self.value);
        let above = (other.high - other.value).hypot(self.value - self.low);
        Self {
            value,
            low: value - below,
            high: value + above,
        }
    }

    /// Whether it is not 0, as far as chance goes.
    pub(crate) fn beyond_chance(self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }

    /// In another unit.
    pub(crate) fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            low: self.low * factor,
            high: self.high * factor,
        }
    }
}

/// The share of `hits` among `trials`, from 0 to 1: Wilson, Probable inference, the law of succession, and
/// statistical inference, JASA 22 (1927), 209–212. Without trials it may be anything.
pub(crate) fn wilson(hits: f64, trials: f64) -> Estimate {
    if trials <= 0.0 {
        return Estimate {
            value: 0.0,
            low: 0.0,
            high: 1.0,
        };
    }
    let value = (hits / trials).clamp(0.0, 1.0);
    let square = Z * Z;
    let centre = value + square / (2.0 * trials);
    let half = Z * (value * (1.0 - value) / trials + square / (4.0 * trials * trials)).sqrt();
    let scale = 1.0 + square / trials;
    Estimate {
        value,
        low: ((centre - half) / scale).clamp(0.0, value),
        high: ((centre + half) / scale).clamp(value, 1.0),
    }
}

/// A count of independent events: the score interval of Poisson's distribution (Rao), which is Wilson's for many
/// trials.
pub(crate) fn poisson(count: f64) -> Estimate {
    let half = Z * (count + Z * Z / 4.0).sqrt();
    let centre = count + Z * Z / 2.0;
    Estimate {
        value: count,
        low: (centre - half).max(0.0),
        high: centre + half,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) {
        assert!((found - expected).abs() < 5e-5, "{found} is not {expected}");
    }

    /// The values of Newcombe's tables (1998, pages 861 and 877).
    #[test]
    fn published_intervals() {
        for (hits, trials, low, high) in [
            (81.0, 263.0, 0.2553, 0.3662),
            (15.0, 148.0, 0.0624, 0.1605),
            (0.0, 20.0, 0.0, 0.1611),
            (1.0, 29.0, 0.0061, 0.1718),
        ] {
            let found = wilson(hits, trials);
            close(found.low, low);
            close(found.high, high);
        }
        let difference = wilson(48.0, 80.0).to(wilson(56.0, 70.0));
        close(difference.value, 0.2);
        close(difference.low, 0.0524);
        close(difference.high, 0.3339);
    }

    #[test]
    fn a_count_of_none_may_be_a_few() {
        let none = poisson(0.0);
        close(none.low, 0.0);
        close(none.high, Z * Z);
        let many = poisson(10_000.0);
        close(
            many.low,
            10_000.0 + Z * Z / 2.0 - Z * (10_000.0 + Z * Z / 4.0).sqrt(),
        );
    }

    #[test]
    fn without_trials_nothing_is_known() {
        assert_eq!((wilson(0.0, 0.0).low, wilson(0.0, 0.0).high), (0.0, 1.0));
        assert!(!wilson(1.0, 10.0).to(wilson(1.0, 10.0)).beyond_chance());
        assert!(wilson(1.0, 100.0).to(wilson(50.0, 100.0)).beyond_chance());
    }
}
