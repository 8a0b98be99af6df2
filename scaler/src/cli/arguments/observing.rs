//! What the ingress tells of each request.

use clap::Args;
use ebbtide_ingress::Share;

/// What the ingress tells of each request.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Access log and traces")]
pub struct ObservingArguments {
    /// Of the traces that begin at the ingress (no valid `traceparent` came), the share from 0 to 1 that
    /// is said to be sampled
    #[arg(long, value_name = "SHARE", default_value = "1")]
    pub trace_sample: Share,
}
