//! The arguments of the front door.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use ebbtide_core::network::Network;

use super::{AcmeArguments, LimitArguments, ObservingArguments, duration};

/// The front door.
#[derive(Clone, Debug, Args)]
pub struct DoorArguments {
    /// Where the ingress takes requests
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// Where the ingress takes HTTPS, or off. If absent, 127.0.0.1:8443: for `up` unless that is in
    /// use, for `ingress` with --certificates
    #[arg(long, value_name = "ADDRESS|off")]
    pub listen_tls: Option<Listen>,
    /// A folder of certificates and keys in PEM for HTTPS: NAME.crt and NAME.key, or NAME/tls.crt and
    /// NAME/tls.key as cert-manager has them. Each is for the hosts it names; the one called default
    /// is for all others. It is followed. For other hosts of this machine `up` has certificates made
    /// by an authority of this user's own
    #[arg(long, value_name = "DIR")]
    pub certificates: Option<PathBuf>,
    /// Certificates that are ordered.
    #[command(flatten)]
    pub acme: AcmeArguments,
    /// Take the place of another `ebbtide` that listens on these addresses: connections come to either
    /// until that is told to stop (SIGTERM), and none is refused. Give this one another --status-listen
    #[arg(long)]
    pub take_over: bool,
    /// Threads of the ingress; as many as there are cores if absent
    #[arg(long, value_name = "N")]
    pub workers: Option<NonZeroUsize>,
    /// Requests that may wait for a replica, per revision
    #[arg(long, value_name = "N", default_value = "10000")]
    pub waiting_requests: NonZeroU32,
    /// Bytes that the heads of those requests may take, per revision. Their bodies are not read
    /// meanwhile
    #[arg(long, value_name = "BYTES", default_value = "33554432")]
    pub waiting_bytes: NonZeroUsize,
    /// How long a request may wait for a replica
    #[arg(long, value_name = "TIME", default_value = "4m", value_parser = duration)]
    pub waiting_timeout: Duration,
    /// Proxies in front of the ingress, as networks or addresses: what they say of who is behind them
    /// (X-Forwarded-For and its like, Forwarded) goes on to the apps. Nobody else's word does
    #[arg(long, value_name = "NETWORK,…", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    /// A file with the key that cookies of sessions (stickySessions) are signed with, of 16 bytes or more.
    /// If absent, one is made that lasts as long as the process. Ingresses that stand for each other, and
    /// one that is to know the sessions of the one before, need the same
    #[arg(long, value_name = "FILE")]
    pub affinity_key: Option<PathBuf>,
    /// Proxies whose connections begin with the PROXY protocol (version 1 or 2), as networks or
    /// addresses: who it names is the client. One that does not send it is refused, and so is
    /// anyone else who does
    #[arg(long, value_name = "NETWORK,…", value_delimiter = ',')]
    pub proxy_protocol: Vec<Network>,
    /// What one client may ask.
    #[command(flatten)]
    pub limits: LimitArguments,
    /// What is told of each request.
    #[command(flatten)]
    pub observing: ObservingArguments,
}

/// Where something that can be off listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere.
    Off,
    /// Here.
    At(SocketAddr),
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::Off);
        }
        let address = text.parse();
        address
            .map(Self::At)
            .map_err(|_| "give an address, such as 127.0.0.1:8443, or off".to_owned())
    }
}
