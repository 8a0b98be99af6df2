//! The command line of `loadgen schedule`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use ebbtide_core::arrival::{Arrival, GammaSpec, ScheduleSpec, SteadySpec, TraceSpec, TraceUnit};
use ebbtide_core::duration::Span;

use super::{ArrivalName, Output};
use crate::duration;
use crate::schedule::{is_arrivals, read_file};

pub(super) const NOTES: &str = "\
Examples:
  loadgen schedule --rate 50 --duration 5m --arrival gamma --burstiness 4
  loadgen schedule --spec 'sine: {mean: 50, amplitude: 40, period: 1m, duration: 5m}'
  loadgen schedule day.yaml --seed 7 --out day.csv
  loadgen schedule day.csv

The same description and seed give the same times everywhere. What --out writes is read
back here, and by `trace: {file: day.csv, unit: arrivals}` in a description.
docs/loadgen.md has all processes that can be described.";

#[derive(Debug, Args)]
pub(crate) struct ScheduleArgs {
    /// A file that describes the schedule, YAML or JSON, or times that --out wrote
    #[arg(
        required_unless_present_any = ["spec", "rate"],
        conflicts_with_all = ["spec", "rate", "duration"],
    )]
    file: Option<PathBuf>,
    /// The description itself, YAML or JSON
    #[arg(long, value_name = "TEXT", conflicts_with = "rate")]
    spec: Option<String>,
    /// Requests per second, on average
    #[arg(short, long, requires = "duration")]
    rate: Option<f64>,
    /// How long requests start: 500ms, 60s, 5m, 1m30s
    #[arg(short, long, requires = "rate", value_parser = duration::parse)]
    duration: Option<Duration>,
    /// How the gaps between requests are chosen, with --rate
    #[arg(long, value_enum, default_value = "constant")]
    arrival: ArrivalName,
    /// With --arrival gamma: the variance of the gaps over the square of their mean; 1 is Poisson
    #[arg(long, value_name = "CV2")]
    burstiness: Option<f64>,
    /// What is random is made from: the same seed gives the same times everywhere
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Writes the times to this file; - is stdout, and the summary goes to stderr then
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The form of the summary
    #[arg(short, long, value_enum, default_value = "text")]
    pub(crate) output: Output,
    /// No progress on stderr; there is none anyway if stderr is not a terminal
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

impl ScheduleArgs {
    /// What is described, and the folder that the files it names are relative to.
    pub(crate) fn spec(&self) -> anyhow::Result<(ScheduleSpec, PathBuf)> {
        if let Some(file) = &self.file {
            return from_file(file);
        }
        if let Some(text) = &self.spec {
            let spec = text
                .parse()
                .context("--spec does not describe a schedule")?;
            return Ok((spec, PathBuf::new()));
        }
        let (Some(rate), Some(duration)) = (self.rate, self.duration) else {
            bail!("give a file, --spec, or --rate and --duration");
        };
        let spec = steady(self.arrival, self.burstiness, rate, duration)?;
        Ok((spec, PathBuf::new()))
    }
}

/// The steady schedule that `--rate`, `--duration`, `--arrival` and `--burstiness` ask for.
pub(super) fn steady(
    name: ArrivalName,
    burstiness: Option<f64>,
    rate: f64,
    duration: Duration,
) -> anyhow::Result<ScheduleSpec> {
    let duration = Span(duration);
    let steady = SteadySpec { rate, duration };
    Ok(match arrival(name, burstiness)? {
        Arrival::Constant => ScheduleSpec::Constant(steady),
        Arrival::Poisson => ScheduleSpec::Poisson(steady),
        Arrival::Gamma { burstiness } => ScheduleSpec::Gamma(GammaSpec {
            rate,
            burstiness,
            duration,
        }),
    })
}

fn from_file(file: &Path) -> anyhow::Result<(ScheduleSpec, PathBuf)> {
    let text = read_file(file)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    if is_arrivals(&text) {
        let name = file.strip_prefix(folder).unwrap_or(file);
        let spec = TraceSpec::new(name.display().to_string(), TraceUnit::Arrivals);
        return Ok((ScheduleSpec::Trace(spec), folder.to_owned()));
    }
    let spec = text.parse();
    let spec = spec.with_context(|| format!("{} does not describe a schedule", file.display()))?;
    Ok((spec, folder.to_owned()))
}

/// The arrivals that `--arrival` and `--burstiness` ask for.
pub(crate) fn arrival(name: ArrivalName, burstiness: Option<f64>) -> anyhow::Result<Arrival> {
    match (name, burstiness) {
        (ArrivalName::Constant, None) => Ok(Arrival::Constant),
        (ArrivalName::Poisson, None) => Ok(Arrival::Poisson),
        (ArrivalName::Gamma, Some(burstiness)) => Ok(Arrival::Gamma { burstiness }),
        (ArrivalName::Gamma, None) => bail!("--arrival gamma needs --burstiness, as in 4"),
        (_, Some(_)) => bail!("--burstiness is for --arrival gamma"),
    }
}
