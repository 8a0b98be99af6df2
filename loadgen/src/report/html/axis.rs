//! From values to places between 0 (the bottom or the left) and 1.

/// How values are placed along an axis.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    logarithmic: bool,
    /// Round values to mark.
    pub(super) ticks: Vec<f64>,
}

impl Scale {
    /// From 0 to a round value not below the largest.
    pub(super) fn linear(largest: f64, integer: bool) -> Self {
        let top = round_top(largest, integer);
        Self {
            low: 0.0,
            high: top,
            logarithmic: false,
            ticks: vec![0.0, top / 2.0, top],
        }
    }

    /// Whole powers of ten around the values. Without a positive one it is a decade.
    pub(super) fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
        for value in values.filter(|value| *value > 0.0) {
            least = least.min(value);
            most = most.max(value);
        }
        let least = if least.is_finite() { least } else { 1.0 };
        let low = least.log10().floor();
        let high = (most.max(least) * 1.05).log10().ceil().max(low + 1.0);
        let step = if high - low > 3.0 { 2.0 } else { 1.0 };
        if high - low < 1.5 {
            // With one power of ten alone nothing could be read off.
            let steps = [1.0, 2.0, 5.0, 10.0];
            return Self {
                low,
                high,
                logarithmic: true,
                ticks: steps.map(|step| step * 10_f64.powf(low)).to_vec(),
            };
        }
        let powers = std::iter::successors(Some(low), |power| Some(power + step));
        Self {
            low,
            high,
            logarithmic: true,
            ticks: powers
                .take_while(|power| *power <= high)
                .map(|power| 10_f64.powf(power))
                .collect(),
        }
    }

    /// The place of a value; what is beyond the ends is at them.
    pub(super) fn place(&self, value: f64) -> f64 {
        let value = if self.logarithmic {
            value.max(f64::MIN_POSITIVE).log10()
        } else {
            value
        };
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// The next round number above a value; an integer's half is whole too.
fn round_top(value: f64, integer: bool) -> f64 {
    if value <= 0.0 {
        return if integer { 2.0 } else { 1.0 };
    }
    let power = 10_f64.powf(value.log10().floor());
    let steps: &[f64] = match integer {
        true if power <= 1.0 => &[2.0, 4.0, 6.0, 8.0, 10.0, 12.0],
        true => &[1.2, 1.6, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0],
        false => &[1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 12.0],
    };
    let power = if integer { power.max(1.0) } else { power };
    let tops = steps.iter().map(|step| step * power);
    tops.into_iter()
        .find(|top| *top >= value * 1.02)
        .unwrap_or(20.0 * power)
}

/// A place along the time line with what is written there.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) place: f64,
    pub(super) label: String,
    /// May be left out where there is little room.
    pub(super) minor: bool,
}

/// Round times of a run of so many seconds: at most ten, every other one minor.
pub(super) fn times(seconds: f64) -> Vec<Tick> {
    let steps = [
        1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
        21_600.0, 86_400.0,
    ];
    let step = steps.into_iter().find(|step| seconds / step <= 10.0);
    let step = step.unwrap_or(seconds / 10.0).max(1.0);
    let times = std::iter::successors(Some(0.0), |time| Some(time + step));
    times
        .take_while(|time| *time <= seconds)
        .enumerate()
        .map(|(position, time)| Tick {
            place: if seconds > 0.0 { time / seconds } else { 0.0 },
            label: crate::report::words::clock(time),
            minor: position % 2 == 1,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tops_are_round_and_high_enough() {
        for (value, integer, top) in [
            (0.0, true, 2.0),
            (0.0, false, 1.0),
            (1.0, true, 2.0),
            (3.0, true, 4.0),
            (6.0, true, 8.0),
            (9.9, true, 12.0),
            (205.0, false, 300.0),
            (100.0, true, 120.0),
            (0.03, false, 0.04),
        ] {
            let found = Scale::linear(value, integer).high;
            assert!((found - top).abs() < 1e-9, "{value}: {found}");
        }
    }

    #[test]
    fn places_are_within() {
        let scale = Scale::logarithmic([2.0, 450.0].into_iter());
        assert_eq!(scale.ticks, [1.0, 10.0, 100.0, 1000.0]);
        assert!((scale.place(10.0) - 1.0 / 3.0).abs() < 1e-9);
        assert!(scale.place(0.0) <= 0.0 && scale.place(1e9) >= 1.0);
        assert_eq!(
            Scale::logarithmic([].into_iter()).ticks,
            [1.0, 2.0, 5.0, 10.0]
        );
    }

    #[test]
    fn few_times_whatever_the_length() {
        for seconds in [0.0, 1.0, 9.0, 85.0, 3600.0, 90_000.0, 1e7] {
            let ticks = times(seconds);
            assert!(
                (1..=11).contains(&ticks.len()),
                "{seconds}: {}",
                ticks.len()
            );
            assert!(ticks.iter().all(|tick| (0.0..=1.0).contains(&tick.place)));
        }
        assert_eq!(times(85.0)[2].label, "0:20");
    }
}
