//! Rates that vary, as pieces one after the other.

use std::sync::Arc;
use std::time::Duration;

use super::piece::Piece;
use super::random::Random;

/// How long a factor of the noise holds.
pub(super) const NOISE_HOLDS: Duration = Duration::from_secs(1);

/// A rate over time. All that can be wrong with its numbers was checked.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    List(List),
    Sine(Sine),
    OnOff {
        /// On, then off: the rate, and the mean time in it in seconds.
        phases: [(f64, f64); 2],
        duration: Duration,
    },
}

/// Pieces with the time at which each begins.
#[derive(Clone, Debug)]
pub(super) struct List {
    pieces: Arc<[(Duration, Piece)]>,
    duration: Duration,
}

/// A sine that begins at its mean and rises.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sine {
    pub(super) mean: f64,
    pub(super) amplitude: f64,
    pub(super) period: Duration,
    pub(super) duration: Duration,
}

impl List {
    /// None if they last longer than can be expressed.
    pub(super) fn new(pieces: impl IntoIterator<Item = Piece>) -> Option<Self> {
        let mut duration = Duration::ZERO;
        let mut placed = Vec::new();
        for piece in pieces.into_iter().filter(|piece| !piece.length.is_zero()) {
            placed.push((duration, piece));
            duration = duration.checked_add(piece.length)?;
        }
        Some(Self {
            pieces: placed.into(),
            duration,
        })
    }

    fn at(&self, offset: Duration) -> Option<(Duration, Piece)> {
        let following = self.pieces.partition_point(|(start, _)| *start <= offset);
        self.pieces.get(following.checked_sub(1)?).copied()
    }
}

impl Sine {
    /// The first period, or what there is of it.
    fn piece(&self) -> Piece {
        let (length, period) = (self.period.min(self.duration), self.period.as_secs_f64());
        Piece::sine(self.mean, self.amplitude, period, length)
    }

    fn expected(&self) -> f64 {
        let (whole, rest) = (
            self.duration.as_nanos() / self.period.as_nanos(),
            self.duration.as_nanos() % self.period.as_nanos(),
        );
        let rest = Self {
            duration: Duration::from_nanos_u128(rest),
            ..*self
        };
        #[expect(clippy::cast_precision_loss, reason = "exact for 2^53 periods")]
        let whole = whole as f64;
        whole * self.mean * self.period.as_secs_f64() + rest.piece().mass
    }
}

impl Shape {
    pub(super) fn duration(&self) -> Duration {
        match self {
            Self::List(list) => list.duration,
            Self::Sine(sine) => sine.duration,
            Self::OnOff { duration, .. } => *duration,
        }
    }

    /// The expected rate at a time before the end.
    pub(super) fn rate_at(&self, offset: Duration) -> f64 {
        match self {
            Self::List(list) => list.at(offset).map_or(0.0, |(start, piece)| {
                piece.rate_at(offset.saturating_sub(start))
            }),
            Self::Sine(sine) => {
                let within = offset.as_nanos() % sine.period.as_nanos();
                sine.piece().rate_at(Duration::from_nanos_u128(within))
            }
            Self::OnOff { phases, .. } => on_off_mean(phases),
        }
    }

    pub(super) fn expected(&self) -> f64 {
        match self {
            Self::List(list) => list.pieces.iter().map(|(_, piece)| piece.mass).sum(),
            Self::Sine(sine) => sine.expected(),
            Self::OnOff { phases, duration } => on_off_mean(phases) * duration.as_secs_f64(),
        }
    }

    /// The pieces, with a noise of this coefficient of variation.
    pub(super) fn pieces(&self, noise: f64, seed: u64) -> Pieces {
        let source = match self {
            Self::List(list) => Source::List(list.clone(), 0),
            Self::Sine(sine) => Source::Sine(*sine),
            Self::OnOff { phases, duration } => Source::OnOff(OnOff::new(*phases, *duration, seed)),
        };
        Pieces {
            source,
            noise: (noise > 0.0).then(|| Noise {
                shape: 1.0 / (noise * noise),
                random: Random::new(seed),
                left: Duration::ZERO,
                factor: 1.0,
                rest: None,
            }),
        }
    }
}

fn on_off_mean([(on, on_mean), (off, off_mean)]: &[(f64, f64); 2]) -> f64 {
    (on * on_mean + off * off_mean) / (on_mean + off_mean)
}

/// The pieces of a shape.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    source: Source,
    noise: Option<Noise>,
}

#[derive(Clone, Debug)]
enum Source {
    List(List, usize),
    /// What is left of it.
    Sine(Sine),
    OnOff(OnOff),
}

impl Iterator for Pieces {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        match &mut self.noise {
            None => self.source.next(),
            Some(noise) => noise.next(&mut self.source),
        }
    }
}

impl Source {
    fn next(&mut self) -> Option<Piece> {
        match self {
            Self::List(list, next) => {
                let (_, piece) = list.pieces.get(*next)?;
                *next += 1;
                Some(*piece)
            }
            Self::Sine(sine) if sine.duration.is_zero() => None,
            Self::Sine(sine) => {
                let piece = sine.piece();
                sine.duration -= piece.length;
                Some(piece)
            }
            Self::OnOff(on_off) => on_off.next(),
        }
    }
}

/// A rate that alternates between two, with exponentially distributed times in each.
///
/// With Poisson gaps this is a Markov-modulated Poisson process of two states (Fischer and
/// Meier-Hellstern, "The Markov-modulated Poisson process (MMPP) cookbook", 1993).
#[derive(Clone, Debug)]
struct OnOff {
    phases: [(f64, f64); 2],
    left: Duration,
    random: Random,
    now: usize,
}

impl OnOff {
    /// It begins in either state as likely as it is in that at any other time.
    fn new(phases: [(f64, f64); 2], left: Duration, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let [(_, active), (_, idle)] = phases;
        let now = usize::from(random.uniform() >= active / (active + idle));
        Self {
            phases,
            left,
            random,
            now,
        }
    }

    fn next(&mut self) -> Option<Piece> {
        if self.left.is_zero() {
            return None;
        }
        let (rate, mean) = self.phases[self.now];
        let drawn = Duration::try_from_secs_f64(self.random.exponential() * mean);
        // Of no length would be for ever at the same place, if the mean is that short.
        let drawn = drawn.unwrap_or(Duration::MAX).max(Duration::from_nanos(1));
        let length = drawn.min(self.left);
        self.left -= length;
        self.now = 1 - self.now;
        Some(Piece::flat(rate, length))
    }
}

/// A factor of the rate for each second, gamma distributed with mean 1 and independent of the
/// others: the number of requests in a second is then a negative binomial, if gaps are Poisson.
#[derive(Clone, Debug)]
struct Noise {
    /// Of the gamma distribution.
    shape: f64,
    random: Random,
    factor: f64,
    /// How long the factor still holds.
    left: Duration,
    /// What is left of a piece that is longer than that.
    rest: Option<Piece>,
}

impl Noise {
    fn next(&mut self, source: &mut Source) -> Option<Piece> {
        let piece = match self.rest.take() {
            Some(piece) => piece,
            None => source.next()?,
        };
        if self.left.is_zero() {
            self.left = NOISE_HOLDS;
            self.factor = self.random.gamma(self.shape) / self.shape;
        }
        let length = piece.length.min(self.left);
        self.left -= length;
        if length == piece.length {
            return Some(piece.scaled(self.factor));
        }
        let (head, tail) = piece.split(length);
        self.rest = Some(tail);
        Some(head.scaled(self.factor))
    }
}
