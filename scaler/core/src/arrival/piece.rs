//! A stretch of time over which the rate is a simple function, whose integral can be inverted.

use std::f64::consts::TAU;
use std::time::Duration;

/// More than bisection alone needs to find a 64-bit number.
const STEPS: usize = 80;

/// A stretch of time and the rate in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Piece {
    pub(super) length: Duration,
    /// The integral of the rate over it: how many requests are expected.
    pub(super) mass: f64,
    curve: Curve,
}

/// Rates in requests per second, times in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Curve {
    Flat(f64),
    Slope {
        from: f64,
        to: f64,
    },
    /// `mean + amplitude · sin(2π (shift + t) / period)`.
    Sine {
        mean: f64,
        amplitude: f64,
        period: f64,
        shift: f64,
    },
}

impl Piece {
    /// The same rate all the time.
    pub(super) fn flat(rate: f64, length: Duration) -> Self {
        Self {
            length,
            mass: rate * length.as_secs_f64(),
            curve: Curve::Flat(rate),
        }
    }

    /// The same rate all the time, for so many requests.
    pub(super) fn counted(mass: f64, length: Duration) -> Self {
        let rate = if length.is_zero() {
            0.0
        } else {
            mass / length.as_secs_f64()
        };
        Self {
            length,
            mass,
            curve: Curve::Flat(rate),
        }
    }

    /// A rate that changes evenly.
    pub(super) fn slope(from: f64, to: f64, length: Duration) -> Self {
        Self {
            length,
            mass: f64::midpoint(from, to) * length.as_secs_f64(),
            curve: Curve::Slope { from, to },
        }
    }

    /// The first `length` of a sine that begins at its mean and rises.
    pub(super) fn sine(mean: f64, amplitude: f64, period: f64, length: Duration) -> Self {
        let curve = Curve::Sine {
            mean,
            amplitude,
            period,
            shift: 0.0,
        };
        Self {
            length,
            mass: curve
                .area(length.as_secs_f64(), length.as_secs_f64())
                .max(0.0),
            curve,
        }
    }

    /// The rate at `offset` from its start.
    pub(super) fn rate_at(&self, offset: Duration) -> f64 {
        self.curve
            .rate(offset.as_secs_f64(), self.length.as_secs_f64())
    }

    /// The highest rate there is in it, or a bound of that.
    pub(super) fn peak(&self) -> f64 {
        match self.curve {
            Curve::Flat(rate) => rate,
            Curve::Slope { from, to } => from.max(to),
            Curve::Sine {
                mean, amplitude, ..
            } => mean + amplitude,
        }
    }

    /// When the integral of the rate is `area`, which is at least 0 and less than the mass: a time
    /// before the end.
    pub(super) fn when(&self, area: f64) -> Duration {
        let length = self.length.as_secs_f64();
        let seconds = match self.curve {
            // Of the mass, which may be a whole number where rate times length is not quite.
            Curve::Flat(_) => length * (area / self.mass),
            Curve::Slope { from, to } => {
                // The root of `from·t + (to - from)/(2·length)·t² = area` that does not cancel.
                let slope = (to - from) / length;
                let root = (from * from + 2.0 * slope * area).max(0.0).sqrt();
                if area > 0.0 {
                    2.0 * area / (from + root)
                } else {
                    0.0
                }
            }
            Curve::Sine { .. } => self.curve.find(area, length),
        };
        let last = self.length.saturating_sub(Duration::from_nanos(1));
        Duration::try_from_secs_f64(seconds).map_or(last, |offset| offset.min(last))
    }

    /// The part before `offset`, which is not after the end, and the rest.
    pub(super) fn split(&self, offset: Duration) -> (Self, Self) {
        let length = self.length.as_secs_f64();
        let at = offset.as_secs_f64();
        let head = match self.curve {
            Curve::Flat(_) if length > 0.0 => self.mass * (at / length),
            curve => curve.area(at, length).clamp(0.0, self.mass),
        };
        let (before, after) = self.curve.split(at, length);
        (
            Self {
                length: offset,
                mass: head,
                curve: before,
            },
            Self {
                length: self.length.saturating_sub(offset),
                mass: self.mass - head,
                curve: after,
            },
        )
    }

    /// The same with all rates times `factor`.
    pub(super) fn scaled(&self, factor: f64) -> Self {
        let curve = match self.curve {
            Curve::Flat(rate) => Curve::Flat(rate * factor),
            Curve::Slope { from, to } => Curve::Slope {
                from: from * factor,
                to: to * factor,
            },
            Curve::Sine {
                mean,
                amplitude,
                period,
                shift,
            } => Curve::Sine {
                mean: mean * factor,
                amplitude: amplitude * factor,
                period,
                shift,
            },
        };
        Self {
            length: self.length,
            mass: self.mass * factor,
            curve,
        }
    }
}

impl Curve {
    fn rate(self, at: f64, length: f64) -> f64 {
        match self {
            Self::Flat(rate) => rate,
            Self::Slope { from, to } if length > 0.0 => from + (to - from) * (at / length),
            Self::Slope { from, .. } => from,
            Self::Sine {
                mean,
                amplitude,
                period,
                shift,
            } => (mean + amplitude * libm::sin(TAU * (shift + at) / period)).max(0.0),
        }
    }

    /// The integral of the rate from 0 to `at`.
    fn area(self, at: f64, length: f64) -> f64 {
        match self {
            Self::Flat(rate) => rate * at,
            Self::Slope { from, .. } => f64::midpoint(from, self.rate(at, length)) * at,
            Self::Sine {
                mean,
                amplitude,
                period,
                shift,
            } => {
                let cosine = |t: f64| libm::cos(TAU * t / period);
                mean * at + amplitude * period / TAU * (cosine(shift) - cosine(shift + at))
            }
        }
    }

    fn split(self, at: f64, length: f64) -> (Self, Self) {
        match self {
            Self::Flat(_) => (self, self),
            Self::Slope { from, to } => {
                let middle = self.rate(at, length);
                (
                    Self::Slope { from, to: middle },
                    Self::Slope { from: middle, to },
                )
            }
            Self::Sine {
                mean,
                amplitude,
                period,
                shift,
            } => {
                let shift = shift + at;
                let after = Self::Sine {
                    mean,
                    amplitude,
                    period,
                    shift,
                };
                (self, after)
            }
        }
    }

    /// Where the integral is `area`: Newton's method, with bisection where that leads out of the
    /// interval that is left.
    fn find(self, area: f64, length: f64) -> f64 {
        let (mut low, mut high) = (0.0, length);
        let mut at = 0.5 * length;
        for _ in 0..STEPS {
            let excess = self.area(at, length) - area;
            if excess > 0.0 {
                high = at;
            } else {
                low = at;
            }
            let newton = at - excess / self.rate(at, length);
            // Also not so if it is no number, as where the rate is 0.
            let inside = newton > low && newton < high;
            let next = if inside {
                newton
            } else {
                f64::midpoint(low, high)
            };
            if (next - at).abs() < 1e-10 {
                return next;
            }
            at = next;
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn pieces() -> impl Strategy<Value = Piece> {
        let length = (1_u64..1_000_000_000_000).prop_map(Duration::from_nanos);
        let rates = (0.0..1e4_f64, 0.0..1e4_f64);
        (length, rates, 0..3, 0.1..1e4_f64).prop_map(|(length, (a, b), kind, period)| match kind {
            0 => Piece::flat(a, length),
            1 => Piece::slope(a, b, length),
            _ => Piece::sine(a.max(b), a.min(b), period, length),
        })
    }

    #[test]
    fn times_of_known_integrals() {
        let second = |seconds: f64| Duration::from_secs_f64(seconds);
        let slope = Piece::slope(0.0, 10.0, second(10.0));
        let sine = Piece::sine(5.0, 5.0, 8.0, second(8.0));
        for (piece, area, at) in [
            (Piece::flat(4.0, SECOND), 1.0, 0.25),
            (Piece::counted(60.0, second(60.0)), 59.0, 59.0),
            // t²/2
            (slope, 0.0, 0.0),
            (slope, 12.5, 5.0),
            (slope, 32.0, 8.0),
            // From 10 down: 10·t - t²/2.
            (Piece::slope(10.0, 0.0, second(10.0)), 18.0, 2.0),
            // All of the first half period, with the mean and the hump of area period/π.
            (sine, 20.0 + 5.0 * 8.0 / std::f64::consts::PI, 4.0),
        ] {
            let found = piece.when(area).as_secs_f64();
            assert!((found - at).abs() < 2e-9, "{piece:?} {area}: {found}");
        }
        assert!((sine.mass - 40.0).abs() < 1e-9);
        assert!(sine.rate_at(second(6.0)).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn an_inverse_is_inside_in_order_and_right(piece in pieces(), share in 0.0..1.0_f64) {
            prop_assume!(piece.mass > 0.0);
            let area = piece.mass * share;
            let at = piece.when(area);
            prop_assert!(at < piece.length);
            prop_assert!(piece.when(area * 0.999) <= at + Duration::from_nanos(1));
            let back = piece.curve.area(at.as_secs_f64(), piece.length.as_secs_f64());
            let tolerance = piece.peak() * 2e-9 + piece.mass * 1e-12;
            prop_assert!((back - area).abs() <= tolerance, "{} {}", back, area);
        }

        #[test]
        fn the_parts_are_the_whole(piece in pieces(), share in 0.0..1.0_f64, factor in 0.0..5.0_f64) {
            let at = piece.length.mul_f64(share).min(piece.length);
            let (head, tail) = piece.scaled(factor).split(at);
            prop_assert_eq!(head.length + tail.length, piece.length);
            let tolerance = 1e-9 * (1.0 + piece.mass);
            prop_assert!((head.mass + tail.mass - piece.mass * factor).abs() < tolerance);
            prop_assert!(head.mass >= 0.0 && tail.mass >= 0.0);
            let half = tail.length / 2;
            let (seen, expected) = (tail.rate_at(half), piece.rate_at(at + half) * factor);
            prop_assert!((seen - expected).abs() < 1e-5 * (1.0 + expected), "{} {}", seen, expected);
        }
    }
}
