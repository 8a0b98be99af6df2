//! The command line, and the plan that is made of it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use bytes::Bytes;
use clap::Args;
use ebbtide_core::arrival::{Arrival, Schedule};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};

use crate::cli::{ArrivalName, Output};
use crate::client::{Body, ClientOptions};
use crate::duration;
use crate::old_report::Load;
use crate::run::Plan;
use crate::target::Target;

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Where to send requests, http:// only; localhost and *.localhost are 127.0.0.1
    url: String,
    /// Requests per second, on average
    #[arg(short, long, requires = "duration", required_unless_present = "burst")]
    rate: Option<f64>,
    /// How long to start requests for: 500ms, 60s, 5m, 1m30s
    #[arg(short, long, requires = "rate", value_parser = duration::parse)]
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
        ensure!(self.connections > 0, "--connections must be at least 1");
        ensure!(!self.timeout.is_zero(), "--timeout must be longer than 0");
        let schedule = self.schedule()?;
        let host = self.host.clone().unwrap_or(target.authority.clone());
        let load = self.load(&host, schedule.is_some());
        let request = self.request(&target, &host)?;
        Ok(Plan {
            load,
            schedule,
            client: ClientOptions {
                address: target.resolve().await?,
                request,
                timeout: self.timeout,
                connections: self.connections,
                http2: self.http2,
                count_header: self.count_header,
            },
            quiet: self.quiet,
        })
    }

    fn schedule(&self) -> anyhow::Result<Option<Schedule>> {
        let burst = self.burst.unwrap_or(0);
        let (Some(rate), Some(duration)) = (self.rate, self.duration) else {
            ensure!(
                burst > 0,
                "--burst must be at least 1 if there is no --rate"
            );
            return Ok(None);
        };
        let arrival = match self.arrival {
            ArrivalName::Constant => Arrival::Constant,
            ArrivalName::Poisson => Arrival::Poisson,
            ArrivalName::Gamma => anyhow::bail!("--arrival gamma needs a scenario"),
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
            arrival: scheduled.then_some(match self.arrival {
                ArrivalName::Constant => "constant",
                ArrivalName::Poisson => "poisson",
                ArrivalName::Gamma => "gamma",
            }),
            rate: self.rate,
            duration_seconds: self.duration.map(|duration| duration.as_secs_f64()),
            seed: self.seed,
            burst: self.burst.unwrap_or(0),
            connections: self.connections,
        }
    }

    fn request(&self, target: &Target, host: &str) -> anyhow::Result<Request<Body>> {
        let authority: Authority = host
            .parse()
            .with_context(|| format!("--host `{host}` is not a host name"))?;
        let mut uri = Uri::builder().path_and_query(target.path.clone());
        let mut headers = HeaderMap::new();
        if self.http2 {
            uri = uri.scheme(Scheme::HTTP).authority(authority);
        } else {
            headers.insert(header::HOST, HeaderValue::try_from(host)?);
        }
        let agent = concat!("ebbtide-loadgen/", env!("CARGO_PKG_VERSION"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(agent));
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        let mut own = HeaderMap::new();
        for (name, value) in &self.headers {
            ensure!(name != header::HOST, "the Host header is set with --host");
            own.append(name, value.clone());
        }
        headers.extend(own);
        let mut request = Request::new(Body::new(self.read_body()?));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri.build()?;
        *request.headers_mut() = headers;
        Ok(request)
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
