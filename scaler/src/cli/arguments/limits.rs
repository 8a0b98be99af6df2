//! What one client may ask of the ingress.

use std::num::{NonZeroU16, NonZeroU32};
use std::time::Duration;

use clap::Args;
use ebbtide_ingress::Limits;

use super::duration;

/// What one client may ask of the ingress.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits of the ingress")]
pub struct LimitArguments {
    /// Connections in all; further ones are closed
    #[arg(long, value_name = "N", default_value = "65536")]
    pub max_connections: NonZeroU32,
    /// Connections of one client's address (of IPv6, of 64 bits of it); further ones are closed
    #[arg(long, value_name = "N", default_value = "16384")]
    pub max_connections_per_client: NonZeroU32,
    /// Bytes of a request's head (431)
    #[arg(long, value_name = "BYTES", default_value = "65536")]
    #[arg(value_parser = clap::value_parser!(u32).range(1024..=1_048_576))]
    pub max_header_bytes: u32,
    /// Headers of a request (431)
    #[arg(long, value_name = "N", default_value = "100")]
    pub max_headers: NonZeroU16,
    /// Bytes of a request's target, which is its path and query (414)
    #[arg(long, value_name = "BYTES", default_value = "16384")]
    pub max_target_bytes: NonZeroU16,
    /// Bytes of a request's body (413); as many as the app takes if absent
    #[arg(long, value_name = "BYTES")]
    pub max_body_bytes: Option<u64>,
    /// Requests at a time on an HTTP/2 connection; further ones wait at the client
    #[arg(long, value_name = "N", default_value = "256")]
    pub max_streams: NonZeroU32,
    /// How long a client may take to send a request's head (408)
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub head_timeout: Duration,
    /// How long a client may take for each 4 KiB of a body that the app waits for (408)
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub body_timeout: Duration,
    /// How long a connection may be without a request; then it is closed
    #[arg(long, value_name = "TIME", default_value = "4m", value_parser = duration)]
    pub idle_timeout: Duration,
    /// How long a client may take none of an answer that is there; then it is cut off
    #[arg(long, value_name = "TIME", default_value = "4m", value_parser = duration)]
    pub write_timeout: Duration,
}

impl LimitArguments {
    /// The limits as the ingress has them.
    pub(in crate::cli) fn limits(&self) -> Limits {
        Limits {
            connections: self.max_connections.get(),
            connections_per_client: self.max_connections_per_client.get(),
            header_bytes: self.max_header_bytes,
            headers: self.max_headers.get(),
            target_bytes: self.max_target_bytes.get(),
            body_bytes: self.max_body_bytes,
            streams: self.max_streams.get(),
            head_timeout: self.head_timeout,
            body_timeout: self.body_timeout,
            idle_timeout: self.idle_timeout,
            write_timeout: self.write_timeout,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Alone {
        #[command(flatten)]
        limits: LimitArguments,
    }

    #[test]
    fn the_defaults_are_those_of_the_ingress() {
        let alone = Alone::parse_from(["test"]);
        assert_eq!(alone.limits.limits(), Limits::default());
    }

    #[test]
    fn every_limit_can_be_given() {
        let line = "test --max-connections 1 --max-connections-per-client 2 --max-header-bytes 1024 \
                    --max-headers 4 --max-target-bytes 5 --max-body-bytes 6 --max-streams 7 \
                    --head-timeout 8s --body-timeout 9s --idle-timeout 10s --write-timeout 11s";
        let limits = Alone::parse_from(line.split_whitespace()).limits.limits();
        let expected = Limits {
            connections: 1,
            connections_per_client: 2,
            header_bytes: 1024,
            headers: 4,
            target_bytes: 5,
            body_bytes: Some(6),
            streams: 7,
            head_timeout: Duration::from_secs(8),
            body_timeout: Duration::from_secs(9),
            idle_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(11),
        };
        assert_eq!(limits, expected);
    }
}
