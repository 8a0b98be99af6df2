//! From zero, under load and back to zero: window and decisions together, second by second.

use std::time::Duration;

use crate::scale::fixtures::{Run, WINDOW, http};
use crate::window::{RequestSums, RequestWindow};

/// How many requests are in flight, from second 0 of the journey …
const REQUESTS: u64 = 35;
/// … to this one.
const LAST_SECOND: u64 = 60;

/// The replicas decided at every second second.
fn journey(seconds: u64) -> Vec<(u64, u32)> {
    let mut run = Run::new(0, vec![http()]);
    let begin = run.now;
    let sums = |second: u64| {
        let ended = if second < LAST_SECOND { 0 } else { REQUESTS };
        let end = begin + Duration::from_secs(LAST_SECOND);
        RequestSums {
            started: REQUESTS,
            ended,
            started_nanos: begin.as_nanos().wrapping_mul(REQUESTS),
            ended_nanos: end.as_nanos().wrapping_mul(ended),
        }
    };
    let mut window = RequestWindow::new(WINDOW);
    let mut decided = Vec::new();
    for second in (0..=seconds).step_by(2) {
        window.observe(run.now, sums(second));
        run.requests_are_exact = true;
        run.requests = sums(second).in_flight();
        let value = window.concurrency(run.now, WINDOW).unwrap_or(0.0);
        decided.push((second, run.decide(&[value]).to));
        run.wait(2_000);
    }
    decided
}

#[test]
fn a_revision_goes_up_under_load_and_to_zero_after_it() {
    let decided = journey(100);
    let changes: Vec<_> = decided
        .chunk_by(|before, after| before.1 == after.1)
        .map(|stretch| stretch[0])
        .collect();
    // The last decision that saw a request was at second 58. The cooldown of ten seconds counts
    // from there, not from second 75, when the window has forgotten the last of them.
    assert_eq!(changes, [(0, 1), (2, 4), (68, 0)]);
}
