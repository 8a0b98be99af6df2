//! The flags that say what a URL gets: what a scenario file says of itself.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;
use clap::Args;
use ebbtide_core::duration::{self, Span};

use super::ArrivalName;
use super::schedule::steady;
use crate::scenario::Headers;
use crate::scenario::document::{
    CheckDocument, ClosedDocument, ConnectionPolicy, ConnectionsDocument, Document, StatusDocument,
    TargetDocument, TlsDocument, VersionDocument,
};

/// When requests start.
#[derive(Debug, Args)]
#[command(next_help_heading = "Load of a URL")]
pub(crate) struct LoadArgs {
    /// Requests per second, on average
    #[arg(short, long, requires = "duration")]
    rate: Option<f64>,
    /// How long to start requests for: 500ms, 60s, 5m, 1m30s
    #[arg(short, long, value_parser = duration::parse)]
    duration: Option<Duration>,
    /// How the gaps between requests are chosen; constant if it is not given
    #[arg(long, value_enum, requires = "rate")]
    arrival: Option<ArrivalName>,
    /// The variance of gamma distributed gaps over the square of their mean: 1 is Poisson, more is burstier
    #[arg(long, value_name = "NUMBER", requires = "rate")]
    burstiness: Option<f64>,
    /// Sends this many requests at once at the start, before the schedule or without one
    #[arg(long, value_name = "N")]
    burst: Option<u64>,
    /// Keeps this many requests in flight in place of a schedule: a closed loop, whose figures leave out
    /// what nobody asked for while an answer was late
    #[arg(long, value_name = "CLIENTS", requires = "duration", conflicts_with_all = ["rate", "burst"])]
    closed: Option<usize>,
}

/// What is sent.
#[derive(Debug, Args)]
#[command(next_help_heading = "Requests to a URL")]
pub(crate) struct TargetArgs {
    /// The Host header, if it is not the URL's
    #[arg(long)]
    host: Option<String>,
    /// The request method; GET if it is not given
    #[arg(short = 'X', long)]
    method: Option<String>,
    /// A header of the request; may be repeated, and its value may have templates such as ${uuid}
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    headers: Vec<(String, String)>,
    /// The body of the request; may have templates
    #[arg(long, conflicts_with = "body_file")]
    body: Option<String>,
    /// A file with the body of the request, which is sent as it is
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// How long a request may take in all, from its intended start; 300s if it is not given
    #[arg(long, value_parser = duration::parse)]
    timeout: Option<Duration>,
    /// The most requests in flight; further ones wait, and that is part of their response time.
    /// With HTTP/1.1 each has a connection of its own. 10,000 if it is not given
    #[arg(long, value_name = "N", conflicts_with = "fixed_connections")]
    connections: Option<usize>,
    /// Opens a connection for each request
    #[arg(long, conflicts_with = "fixed_connections")]
    connections_per_request: bool,
    /// Opens this many connections before the first request and uses no others
    #[arg(long, value_name = "N")]
    fixed_connections: Option<usize>,
    /// Speaks HTTP/2: with prior knowledge, or by ALPN to https://
    #[arg(long)]
    http2: bool,
    /// A PEM file with authorities to trust beside the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    ca: Option<PathBuf>,
    /// Trusts any certificate
    #[arg(long)]
    insecure: bool,
    /// The status codes of right answers: 200-299,404; below 400 if it is not given
    #[arg(long, value_name = "CODES")]
    check_status: Option<String>,
    /// Counts the answers by the value of this header
    #[arg(long, value_name = "NAME")]
    count_header: Option<String>,
}

impl LoadArgs {
    /// The flags that are given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        given(&[
            ("--rate", self.rate.is_some()),
            ("--duration", self.duration.is_some()),
            ("--arrival", self.arrival.is_some()),
            ("--burstiness", self.burstiness.is_some()),
            ("--burst", self.burst.is_some()),
            ("--closed", self.closed.is_some()),
        ])
    }

    /// Says in a document when requests start.
    pub(super) fn write(&self, document: &mut Document) -> anyhow::Result<()> {
        ensure!(
            self.rate.is_some() || self.burst.is_some() || self.closed.is_some(),
            "how much load? Write --rate with --duration, --burst, or --closed with --duration"
        );
        ensure!(
            self.duration.is_none() || self.rate.is_some() || self.closed.is_some(),
            "--duration needs --rate or --closed"
        );
        document.burst = self.burst;
        if let (Some(rate), Some(duration)) = (self.rate, self.duration) {
            let arrival = self.arrival.unwrap_or(ArrivalName::Constant);
            document.schedule = Some(steady(arrival, self.burstiness, rate, duration)?);
        }
        if let (Some(clients), Some(duration)) = (self.closed, self.duration) {
            let duration = Span(duration);
            document.closed = Some(ClosedDocument {
                clients,
                duration,
                pause: Span::default(),
            });
        }
        Ok(())
    }
}

impl TargetArgs {
    /// The flags that are given.
    pub(super) fn given(&self) -> Vec<&'static str> {
        given(&[
            ("--host", self.host.is_some()),
            ("--method", self.method.is_some()),
            ("--header", !self.headers.is_empty()),
            ("--body", self.body.is_some()),
            ("--body-file", self.body_file.is_some()),
            ("--timeout", self.timeout.is_some()),
            ("--connections", self.connections.is_some()),
            ("--connections-per-request", self.connections_per_request),
            ("--fixed-connections", self.fixed_connections.is_some()),
            ("--http2", self.http2),
            ("--ca", self.ca.is_some()),
            ("--insecure", self.insecure),
            ("--check-status", self.check_status.is_some()),
            ("--count-header", self.count_header.is_some()),
        ])
    }

    /// The target that `url` is with these flags.
    pub(super) fn target(self, url: String) -> TargetDocument {
        let connections = self.connections();
        let path = |file: PathBuf| file.to_string_lossy().into_owned();
        let tls = (self.ca.is_some() || self.insecure).then(|| TlsDocument {
            ca: self.ca.map(path),
            insecure: self.insecure,
            server_name: None,
        });
        let status = |codes| CheckDocument::Status(StatusDocument::Range(codes));
        TargetDocument {
            name: None,
            share: None,
            timeout: self.timeout.map(Span),
            checks: self.check_status.map(status).into_iter().collect(),
            url: Some(url),
            queue: None,
            host: self.host,
            method: self.method,
            headers: Headers(self.headers),
            body: self.body,
            body_file: self.body_file.map(path),
            version: self.http2.then_some(VersionDocument::Http2),
            connections,
            tls,
            count_header: self.count_header,
            web_socket: None,
            grpc: None,
        }
    }

    fn connections(&self) -> Option<ConnectionsDocument> {
        let policy = match (
            self.fixed_connections,
            self.connections,
            self.connections_per_request,
        ) {
            (Some(number), ..) => ConnectionPolicy::Fixed(number),
            (None, most, true) => ConnectionPolicy::PerRequest(most.unwrap_or(10_000)),
            (None, Some(most), false) => ConnectionPolicy::Pool(most),
            (None, None, false) => return None,
        };
        Some(ConnectionsDocument::Policy(policy))
    }
}

fn given(flags: &[(&'static str, bool)]) -> Vec<&'static str> {
    let given = flags.iter().filter(|(_, given)| *given);
    given.map(|(flag, _)| *flag).collect()
}

fn parse_header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `name: value`")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}
