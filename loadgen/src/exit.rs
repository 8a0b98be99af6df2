//! How the program exits.

use crate::report::model::Report;

/// Every threshold holds; without thresholds, every request succeeded.
pub(crate) const GOOD: u8 = 0;
/// The command line or a file is wrong, or something could not be set up.
pub(crate) const SET_UP_ERROR: u8 = 1;
/// There are no thresholds, and requests failed or were abandoned.
pub(crate) const REQUESTS_FAILED: u8 = 2;
/// The generator itself lagged or left requests out.
pub(crate) const INVALID: u8 = 3;
/// A threshold does not hold.
pub(crate) const THRESHOLD: u8 = 99;

/// The code of a run. Figures that are not valid judge nothing, so that goes before all else.
pub(crate) fn of_run(report: &Report) -> u8 {
    if !report.valid {
        INVALID
    } else if report.thresholds.iter().any(|threshold| !threshold.holds) {
        THRESHOLD
    } else if report.thresholds.is_empty() && report.total.failed + report.total.abandoned > 0 {
        REQUESTS_FAILED
    } else {
        GOOD
    }
}
