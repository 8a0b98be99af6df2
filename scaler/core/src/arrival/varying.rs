//! Requests at a rate that varies: a renewal process of rate 1 whose time runs at that rate.

use std::time::Duration;

use super::gaps::Gaps;
use super::piece::Piece;
use super::shape::Pieces;

/// The start times at a varying rate.
#[derive(Clone, Debug)]
pub(super) struct Varying {
    gaps: Gaps,
    pieces: Pieces,
    piece: Option<Piece>,
    /// When the piece begins.
    start: Duration,
    /// How far the renewal process is beyond what it was at the start of the piece. Counting from
    /// there keeps whole numbers whole and small gaps exact, however long the schedule.
    depth: f64,
    /// The last start time that was given out.
    last: Duration,
}

impl Varying {
    pub(super) fn new(gaps: Gaps, mut pieces: Pieces) -> Self {
        let piece = pieces.next();
        Self {
            gaps,
            pieces,
            piece,
            start: Duration::ZERO,
            depth: 0.0,
            last: Duration::ZERO,
        }
    }

    pub(super) fn next(&mut self) -> Option<Duration> {
        let mut piece = self.piece?;
        self.depth += self.gaps.next();
        // A request falls where the integral goes beyond its number, so never where the rate is 0.
        while self.depth >= piece.mass {
            self.depth -= piece.mass;
            self.start += piece.length;
            self.piece = self.pieces.next();
            piece = self.piece?;
        }
        // A root that is found in steps may be a nanosecond before that of an integral just less.
        self.last = self.last.max(self.start + piece.when(self.depth));
        Some(self.last)
    }
}
