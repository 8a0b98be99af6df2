//! What became of each request, and how it is kept: in histograms and in seconds, never request by request.

#![expect(
    dead_code,
    reason = "until the parts of the new load generator are joined"
)]

pub(crate) mod outcome;
pub(crate) mod recording;
