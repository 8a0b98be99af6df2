//! A checked arrival process.

use std::time::Duration;

use super::gaps::{Arrival, Gaps};
use super::random::derived_seed;
use super::replay::Replay;
use super::schedule::Schedule;
use super::shape::Shape;
use super::steady::Steady;
use super::varying::Varying;

/// Number of the stream that what is random about a rate has, beside the gaps, whose stream is the
/// seed itself. Parts are numbered from 0 on.
const RATE_STREAM: u64 = u64::MAX - 1;

/// The seed of part `part`, counted from 0, of a sum or sequence with seed `seed`: each part is the
/// schedule that it is alone with this seed.
pub fn part_seed(seed: u64, part: usize) -> u64 {
    derived_seed(seed, part as u64)
}

/// A [`ScheduleSpec`](super::ScheduleSpec) that was checked, with what its traces have.
///
/// Cloning it does not copy traces.
#[derive(Clone, Debug)]
pub struct Process(pub(super) Node);

#[derive(Clone, Debug)]
pub(super) enum Node {
    Steady {
        arrival: Arrival,
        rate: f64,
        duration: Duration,
    },
    Varying {
        arrival: Arrival,
        shape: Shape,
        /// The coefficient of variation.
        noise: f64,
    },
    Replay(Replay),
    Sum(Vec<Node>),
    /// With the time at which each begins.
    Sequence(Vec<(Duration, Node)>),
}

impl Process {
    /// The start times that `seed` gives.
    pub fn schedule(&self, seed: u64) -> Schedule {
        self.0.schedule(seed)
    }

    /// How long requests start.
    pub fn duration(&self) -> Duration {
        self.0.duration()
    }

    /// The expected rate at `offset` from the start, in requests per second; 0 after the end.
    ///
    /// The expectation is over what the seed decides: a rate that alternates at random has its mean
    /// all the time. Recorded arrivals have the rate of their second.
    pub fn rate_at(&self, offset: Duration) -> f64 {
        self.0.rate_at(offset)
    }

    /// The expected number of requests.
    pub fn expected_requests(&self) -> f64 {
        self.0.expected()
    }
}

impl Node {
    pub(super) fn schedule(&self, seed: u64) -> Schedule {
        match self {
            Self::Steady {
                arrival,
                rate,
                duration,
            } => Schedule::steady(Steady::new(*arrival, *rate, *duration, seed)),
            Self::Varying {
                arrival,
                shape,
                noise,
            } => {
                let pieces = shape.pieces(*noise, derived_seed(seed, RATE_STREAM));
                Schedule::varying(Varying::new(Gaps::new(*arrival, seed), pieces))
            }
            Self::Replay(replay) => Schedule::replay(replay.play(seed)),
            Self::Sum(parts) => {
                let parts = parts.iter().enumerate();
                Schedule::sum(
                    parts
                        .map(|(part, node)| node.schedule(part_seed(seed, part)))
                        .collect(),
                )
            }
            Self::Sequence(parts) => {
                let parts = parts.iter().enumerate();
                Schedule::sequence(
                    parts
                        .map(|(part, (start, node))| (*start, node.schedule(part_seed(seed, part))))
                        .collect(),
                )
            }
        }
    }

    pub(super) fn duration(&self) -> Duration {
        match self {
            Self::Steady { duration, .. } => *duration,
            Self::Varying { shape, .. } => shape.duration(),
            Self::Replay(replay) => replay.duration,
            Self::Sum(parts) => parts.iter().map(Self::duration).max().unwrap_or_default(),
            Self::Sequence(parts) => parts
                .last()
                .map_or(Duration::ZERO, |(start, node)| *start + node.duration()),
        }
    }

    fn rate_at(&self, offset: Duration) -> f64 {
        if offset >= self.duration() {
            return 0.0;
        }
        match self {
            Self::Steady { rate, .. } => *rate,
            Self::Varying { shape, .. } => shape.rate_at(offset),
            Self::Replay(replay) => replay.rate_at(offset),
            Self::Sum(parts) => parts.iter().map(|node| node.rate_at(offset)).sum(),
            Self::Sequence(parts) => {
                let following = parts.partition_point(|(start, _)| *start <= offset);
                let part = following.checked_sub(1).and_then(|part| parts.get(part));
                part.map_or(0.0, |(start, node)| {
                    node.rate_at(offset.saturating_sub(*start))
                })
            }
        }
    }

    fn expected(&self) -> f64 {
        match self {
            Self::Steady { rate, duration, .. } => rate * duration.as_secs_f64(),
            Self::Varying { shape, .. } => shape.expected(),
            Self::Replay(replay) => replay.expected(),
            Self::Sum(parts) => parts.iter().map(Self::expected).sum(),
            Self::Sequence(parts) => parts.iter().map(|(_, node)| node.expected()).sum(),
        }
    }
}
