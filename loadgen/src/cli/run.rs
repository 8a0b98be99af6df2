//! `loadgen run`

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use clap::Args;
use ebbtide_core::duration::{self, Span};

use super::Output;
use super::files::Files;
use super::request::{LoadArgs, TargetArgs};
use crate::live::Progress;
use crate::scenario::document::{
    Document, KubernetesDocument, ObserveDocument, ObservedDocument, OutputsDocument,
};
use crate::scenario::{self, Origin, Prepared, Resolve};
use crate::threshold::Threshold;

pub(crate) const NOTES: &str = "\
What is measured:
  Requests start at times that a seeded schedule gives, however slow the answers
  are (an open loop). Response time counts from the intended start, so a stall of
  the server is seen by every request that was due in it; service time counts from
  when the request is handed to a connection. Times are of complete answers,
  whatever their status.

  A request is late if the generator turned to it more than 1 ms after its time.
  If the 99th percentile of all is later than that, or a request of the schedule
  was left out, the run is reported as invalid. Those of --burst are sent as fast
  as can be and are not counted as late.

  --closed keeps requests in flight in place of a schedule, as most load generators
  do. While an answer is late nothing is asked for, so such figures leave out what
  users would have felt; every output says that it was a closed loop.

  The first Ctrl-C ends the schedule and waits for what is outstanding, the second
  gives that up. The report is written either way.

Thresholds:
  p99 < 250ms, lost == 0, coldStarts < 5, errorRate < 0.1%, rate >= 95/s,
  serviceTime.p99 <= 1s, stages.spike.p99 < 2s, targets.home.failed == 0,
  revisions.hello--blue.percent >= 8%, and with --observe timeToZero < 40s and others.
  docs/loadgen.md has them all.

Exit codes:
  0   every threshold holds; without thresholds: every request succeeded
  1   the command line or the scenario is wrong, or the run could not be set up
  2   there are no thresholds, and requests failed or were abandoned
  3   the generator itself lagged or left requests out: the figures are not valid,
      whether thresholds hold or not
  99  a threshold does not hold

Examples:
  loadgen run manifests/load/spike.yaml --html report.html
  loadgen run http://127.0.0.1:8080/ --host hello.localhost --rate 50 --duration 1m \\
      --arrival poisson --threshold 'p99 < 2s' --observe http://127.0.0.1:8081";

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// A scenario file, or where to send requests: http:// or https://; localhost and *.localhost are
    /// 127.0.0.1. The path of a URL may have templates such as ${number(1, 100)}
    #[arg(value_name = "SCENARIO.yaml|URL")]
    what: String,
    /// What random choices are made from: the same seed gives the same requests at the same times
    /// everywhere. 0, or the scenario's, if it is not given
    #[arg(long)]
    seed: Option<u64>,
    /// Threads that send; 1, or as the scenario says, if it is not given
    #[arg(long, value_name = "N")]
    workers: Option<usize>,
    /// How late requests may be at the 99th percentile for the figures to count; 1ms, or as the scenario
    /// says, if it is not given
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    lateness_limit: Option<Duration>,
    /// What must hold of the report, as in 'p99 < 250ms'; may be repeated
    #[arg(long = "threshold", value_name = "EXPRESSION", value_parser = checked_threshold)]
    thresholds: Vec<String>,
    /// Follows Ebbtide by its status API, and puts what it did on the report's time line
    #[arg(long, value_name = "URL", group = "observed")]
    observe: Option<String>,
    /// Follows a Deployment, whoever scales it
    #[arg(long, value_name = "NAMESPACE/DEPLOYMENT", group = "observed", value_parser = parse_deployment)]
    observe_kubernetes: Option<KubernetesDocument>,
    /// How long to go on looking at it after the last answer, or until no replica is left; 2m if a
    /// threshold asks for timeToZero, else not at all, if it is not given
    #[arg(long, value_name = "TIME", value_parser = duration::parse, requires = "observed")]
    observe_after: Option<Duration>,
    #[command(flatten)]
    load: LoadArgs,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    pub(crate) outputs: OutputArgs,
}

/// Where the report goes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Outputs")]
pub(crate) struct OutputArgs {
    /// The form of the report on stdout
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: Output,
    /// A folder that gets the report in all forms; it is made if it is not there
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    #[command(flatten)]
    files: Files,
    /// What is shown on stderr during the run
    #[arg(long, value_enum, default_value = "auto")]
    progress: Progress,
    /// Shows nothing during the run, as --progress off
    #[arg(short, long, conflicts_with = "progress")]
    quiet: bool,
}

impl RunArgs {
    /// Checks everything that can be checked before the first request.
    pub(crate) fn prepare(self) -> anyhow::Result<Prepared> {
        if is_url(&self.what) {
            return self.of_url();
        }
        let flags = [self.load.given(), self.target.given()].concat();
        ensure!(
            flags.is_empty(),
            "{} cannot be used with a scenario file: write it into {}",
            flags.join(", "),
            self.what
        );
        let file = PathBuf::from(&self.what);
        ensure!(
            file.exists() || file.extension().is_some(),
            "`{0}` is no file, and a URL starts with http://: http://{0}",
            self.what
        );
        Ok(scenario::load(&file, Resolve::Addresses, |document| {
            self.change(document);
        })?)
    }

    fn of_url(mut self) -> anyhow::Result<Prepared> {
        let mut document = Document {
            name: Some(self.what.clone()),
            ..Document::default()
        };
        self.load.write(&mut document)?;
        let url = std::mem::take(&mut self.what);
        self.change(&mut document);
        document.targets = vec![self.target.target(url)];
        let origin = Origin::CommandLine;
        Ok(scenario::prepare(
            document,
            Path::new(""),
            Resolve::Addresses,
            &origin,
        )?)
    }

    /// What flags say beside a scenario goes before what it says itself; thresholds are added.
    fn change(&self, document: &mut Document) {
        if let Some(seed) = self.seed {
            document.seed = seed;
        }
        if let Some(limit) = self.lateness_limit {
            document.validity.lateness_p99 = Some(Span(limit));
        }
        document.workers = self.workers.or(document.workers);
        document.thresholds.extend(self.thresholds.iter().cloned());
        if self.observe.is_some() || self.observe_kubernetes.is_some() {
            document.observe = Some(ObserveDocument::Other(ObservedDocument {
                ebbtide: self.observe.clone(),
                kubernetes: self.observe_kubernetes.clone(),
                after: self.observe_after.map(Span),
            }));
        }
        self.outputs.change(&mut document.outputs);
    }
}

impl OutputArgs {
    /// What is shown during the run.
    pub(crate) fn progress(&self) -> Progress {
        if self.quiet {
            Progress::Off
        } else {
            self.progress
        }
    }

    fn change(&self, outputs: &mut OutputsDocument) {
        let Files {
            json,
            html,
            csv,
            hgrm,
        } = &self.files;
        for (flag, field) in [
            (&self.out, &mut outputs.folder),
            (json, &mut outputs.json),
            (csv, &mut outputs.csv),
            (hgrm, &mut outputs.hgrm),
            (html, &mut outputs.html),
        ] {
            if let Some(path) = flag {
                *field = Some(path.to_string_lossy().into_owned());
            }
        }
    }
}

fn is_url(text: &str) -> bool {
    text.contains("://")
}

fn checked_threshold(expression: &str) -> Result<String, String> {
    let parsed = Threshold::parse(expression).map_err(|error| error.to_string())?;
    Ok(parsed.expression)
}

fn parse_deployment(text: &str) -> anyhow::Result<KubernetesDocument> {
    let (namespace, deployment) = text
        .split_once('/')
        .context("write it as NAMESPACE/DEPLOYMENT, as in default/hello")?;
    ensure!(
        !namespace.is_empty() && !deployment.is_empty() && !deployment.contains('/'),
        "write it as NAMESPACE/DEPLOYMENT, as in default/hello"
    );
    Ok(KubernetesDocument {
        namespace: namespace.to_owned(),
        deployment: deployment.to_owned(),
    })
}
