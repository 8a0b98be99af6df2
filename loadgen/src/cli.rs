//! The command line, and the plan that is made of it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use clap::{Args, Parser, Subcommand, ValueEnum};
use ebbtide_core::arrival::{Arrival, Schedule};
use http::uri::Authority;
use http::{HeaderName, HeaderValue, Method, header};

use crate::duration;
use crate::plan::{self, Connections, HttpTarget, TargetKind, Template, Validity, Version};
use crate::record::recorder::LATE_AFTER;
use crate::report::Load;
use crate::run::Plan;
use crate::target::Target;

const NOTES: &str = "\
What is measured:
  Requests start at times that a seeded schedule gives, however slow the answers
  are (an open loop). Response time counts from the intended start, so a stall of
  the server is seen by every request that was due in it; service time counts from
  when the request is handed to a connection. Times are of complete answers,
  whatever their status.

  A request is late if the generator turned to it more than 1 ms after its time.
  If more than 1% of the schedule is late, or a part of it was dropped because
  100,000 requests were outstanding, the run is reported as invalid. Those of
  --burst are sent as fast as can be: the first one says how late they are.

  The first Ctrl-C ends the schedule and waits for what is outstanding, the second
  gives that up.

Exit codes:
  0  every request was answered with a status below 400
  1  the command line is wrong, or the run could not be set up
  2  some requests failed, or were abandoned
  3  all were answered, but the generator itself lagged: the figures are not valid";

/// An open-loop HTTP load generator whose figures can be believed.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sends requests to a URL and reports how they were answered.
    #[command(after_help = NOTES)]
    Run(RunArgs),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArrivalName {
    /// Evenly spaced.
    Constant,
    /// Independent of each other, as from many users.
    Poisson,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Where to send requests, http:// only; localhost and *.localhost are 127.0.0.1
    url: String,
    /// Requests per second, on average
    #[arg(short, long, requires = "duration", required_unless_present_any = ["burst", "closed"])]
    rate: Option<f64>,
    /// How long to start requests for: 500ms, 60s, 5m, 1m30s
    #[arg(short, long, value_parser = duration::parse)]
    duration: Option<Duration>,
    /// How the gaps between requests are chosen
    #[arg(long, value_enum, default_value = "constant")]
    arrival: ArrivalName,
    /// What random gaps are made from: the same seed gives the same start times everywhere
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Sends this many requests at once at the start, before the schedule or without one
    #[arg(long, value_name = "N")]
    burst: Option<u64>,
    /// A closed loop instead of a rate: so many clients, each of which sends when it has its answer
    #[arg(long, value_name = "N", conflicts_with_all = ["rate", "burst"], requires = "duration")]
    closed: Option<NonZeroUsize>,
    /// A new connection for each request
    #[arg(long, conflicts_with = "fixed_connections")]
    connections_per_request: bool,
    /// Opens so many connections before the first request, and no more than these
    #[arg(long, value_name = "N")]
    fixed_connections: Option<NonZeroUsize>,
    /// Threads that send
    #[arg(long, value_name = "N", default_value = "1")]
    workers: NonZeroUsize,
    /// The Host header, if it is not the URL's
    #[arg(long)]
    host: Option<String>,
    /// The request method
    #[arg(short = 'X', long, default_value = "GET")]
    method: Method,
    /// A header of the request; may be repeated
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = parse_header)]
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The body of the request
    #[arg(long, conflicts_with = "body_file")]
    body: Option<String>,
    /// A file with the body of the request
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,
    /// How long a request may take in all
    #[arg(long, default_value = "300s", value_parser = duration::parse)]
    timeout: Duration,
    /// The most requests in flight; further ones wait, and that is part of their response time.
    /// With HTTP/1.1 each has a connection of its own
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    connections: usize,
    /// Speaks HTTP/2 with prior knowledge, over one connection
    #[arg(long)]
    http2: bool,
    /// Counts the answers by the value of this header
    #[arg(long, value_name = "NAME")]
    count_header: Option<HeaderName>,
    /// The form of the report, which goes to stdout
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: Output,
    /// No progress on stderr; there is none anyway if stderr is not a terminal
    #[arg(short, long)]
    quiet: bool,
}

impl RunArgs {
    /// Checks everything that can be checked before the first request.
    pub(crate) async fn into_plan(self) -> anyhow::Result<Plan> {
        let target = Target::parse(&self.url)?;
        let connections =
            NonZeroUsize::new(self.connections).context("--connections must be at least 1")?;
        ensure!(!self.timeout.is_zero(), "--timeout must be longer than 0");
        let schedule = self.schedule()?;
        let host = self.host.clone().unwrap_or(target.authority.clone());
        let http = self.http(&target, &host, connections).await?;
        Ok(Plan {
            load: self.load(&host, schedule.is_some()),
            engine: plan::Plan {
                name: self.url.clone(),
                seed: self.seed,
                load: self.load_of(schedule),
                stages: Vec::new(),
                targets: vec![plan::Target {
                    name: self.url.clone(),
                    share: 1.0,
                    kind: TargetKind::Http(http),
                    timeout: self.timeout,
                    checks: Vec::new(),
                }],
                workers: self.workers,
                validity: Validity {
                    lateness_p99: LATE_AFTER,
                },
            },
            quiet: self.quiet,
        })
    }

    fn load_of(&self, schedule: Option<Schedule>) -> plan::Load {
        match (self.closed, self.duration) {
            (Some(clients), Some(duration)) => plan::Load::Closed {
                clients,
                duration,
                pause: Duration::ZERO,
            },
            _ => plan::Load::Open {
                burst: self.burst.unwrap_or(0),
                schedule,
            },
        }
    }

    fn schedule(&self) -> anyhow::Result<Option<Schedule>> {
        let burst = self.burst.unwrap_or(0);
        if self.closed.is_some() {
            return Ok(None);
        }
        let (Some(rate), Some(duration)) = (self.rate, self.duration) else {
            ensure!(
                self.duration.is_none(),
                "--duration needs --rate or --closed"
            );
            ensure!(
                burst > 0,
                "--burst must be at least 1 if there is no --rate"
            );
            return Ok(None);
        };
        let arrival = match self.arrival {
            ArrivalName::Constant => Arrival::Constant,
            ArrivalName::Poisson => Arrival::Poisson,
        };
        let schedule =
            Schedule::new(arrival, rate, duration, self.seed).context("--rate cannot be used")?;
        ensure!(
            burst > 0 || schedule.clone().next().is_some(),
            "no request would be sent: {rate} per second for {duration:?} gives none; \
             make --duration longer"
        );
        Ok(Some(schedule))
    }

    fn load(&self, host: &str, scheduled: bool) -> Load {
        Load {
            url: self.url.clone(),
            host: host.to_owned(),
            method: self.method.to_string(),
            protocol: if self.http2 { "HTTP/2" } else { "HTTP/1.1" },
            clients: self.closed,
            arrival: scheduled.then_some(match self.arrival {
                ArrivalName::Constant => "constant",
                ArrivalName::Poisson => "poisson",
            }),
            rate: self.rate,
            duration_seconds: self.duration.map(|duration| duration.as_secs_f64()),
            seed: self.seed,
            burst: self.burst.unwrap_or(0),
            connections: self.connections,
        }
    }

    async fn http(
        &self,
        target: &Target,
        host: &str,
        connections: NonZeroUsize,
    ) -> anyhow::Result<HttpTarget> {
        let authority: Authority = host
            .parse()
            .with_context(|| format!("--host `{host}` is not a host name"))?;
        let own = |name: HeaderName| self.headers.iter().any(|(header, _)| *header == name);
        ensure!(!own(header::HOST), "the Host header is set with --host");
        let agent = concat!("ebbtide-loadgen/", env!("CARGO_PKG_VERSION"));
        let usual = [(header::USER_AGENT, agent), (header::ACCEPT, "*/*")];
        let usual = usual
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .into_iter()
            .filter(|(name, _)| !own(name.clone()));
        let headers = usual.chain(self.headers.iter().cloned());
        let fixed = |bytes: &[u8]| Template::Fixed(Bytes::copy_from_slice(bytes));
        Ok(HttpTarget {
            url: self.url.clone(),
            address: target.resolve().await?,
            tls: None,
            authority: authority.to_string(),
            version: if self.http2 {
                Version::Http2
            } else {
                Version::Http1
            },
            connections: match self.fixed_connections {
                Some(count) => Connections::Fixed(count),
                None if self.connections_per_request => Connections::PerRequest(connections),
                None => Connections::Pool(connections),
            },
            method: self.method.clone(),
            path: fixed(target.path.as_str().as_bytes()),
            headers: headers
                .map(|(name, value)| (name, fixed(value.as_bytes())))
                .collect(),
            body: Template::Fixed(self.read_body()?),
            count_header: self.count_header.clone(),
        })
    }

    fn read_body(&self) -> anyhow::Result<Bytes> {
        match (&self.body, &self.body_file) {
            (Some(body), _) => Ok(Bytes::from(body.clone())),
            (None, Some(file)) => std::fs::read(file)
                .map(Bytes::from)
                .with_context(|| format!("cannot read --body-file {}", file.display())),
            (None, None) => Ok(Bytes::new()),
        }
    }
}

fn parse_header(text: &str) -> Result<(HeaderName, HeaderValue), String> {
    let (name, value) = text.split_once(':').ok_or("write it as `name: value`")?;
    let name = HeaderName::try_from(name.trim()).map_err(|error| error.to_string())?;
    let value = HeaderValue::try_from(value.trim()).map_err(|error| error.to_string())?;
    Ok((name, value))
}

#[cfg(test)]
mod tests;
