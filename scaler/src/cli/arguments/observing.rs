//! What the ingress tells of each request.

use clap::Args;
use ebbtide_ingress::Share;

use crate::access_log::Destination;

/// What the ingress tells of each request.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Access log and traces")]
pub struct ObservingArguments {
    /// A file that gets a line of JSON for each request, or - for standard output. It is opened again
    /// at SIGHUP
    #[arg(long, value_name = "FILE|-")]
    pub access_log: Option<Destination>,
    /// Of all requests, the share from 0 to 1 that gets a line
    #[arg(long, value_name = "SHARE", default_value = "1")]
    pub access_log_sample: Share,
    /// Write queries too, which may have secrets
    #[arg(long)]
    pub access_log_query: bool,
    /// Of the traces that begin at the ingress (no valid `traceparent` came), the share from 0 to 1 that
    /// is said to be sampled
    #[arg(long, value_name = "SHARE", default_value = "1")]
    pub trace_sample: Share,
}
