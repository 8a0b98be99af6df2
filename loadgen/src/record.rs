//! What became of each request, and how it is kept: in histograms and in seconds, never request by request.

pub(crate) mod outcome;
pub(crate) mod recorder;
pub(crate) mod recording;
pub(crate) mod seconds;
pub(crate) mod tally;
