//! `loadgen report`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::Output;
use super::files::Files;
use crate::exit;
use crate::report::merge::{Merged, merge};
use crate::report::model::Report;
use crate::report::read::read;
use crate::threshold::Threshold;

pub(crate) const NOTES: &str = "\
Several files are merged: counts and histograms add up exactly, seconds are put
upon each other by when the runs started, so the machines' clocks should agree.
The runs must be of the same scenario, made at the same time. Thresholds are held
against the whole.

Exit codes are those of the run: 0 all thresholds hold (or every request
succeeded), 1 a file is wrong, 2 requests failed, 3 the run is not valid, 99 a
threshold does not hold.";

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// Reports that `loadgen run … --json FILE` wrote, of one machine each
    #[arg(required = true, value_name = "RUN.json")]
    reports: Vec<PathBuf>,
    #[command(flatten)]
    files: Files,
    /// The form of what goes to stdout
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
    /// Nothing on stdout, where files are written
    #[arg(short, long)]
    quiet: bool,
}

/// Reads, merges, and writes in every form that was asked for. Returns the code to exit with.
pub(crate) fn run(
    arguments: &ReportArgs,
    out: &mut dyn Write,
    errors: &mut dyn Write,
    colour: bool,
) -> anyhow::Result<u8> {
    anyhow::ensure!(
        !arguments.quiet || !arguments.files.is_empty(),
        "--quiet leaves nothing to do: name a file with --html, --csv, --hgrm or --json"
    );
    arguments.files.check()?;
    let reports: Vec<_> = arguments
        .reports
        .iter()
        .map(|file| read(file))
        .collect::<Result<_, _>>()?;
    let Merged {
        mut report,
        warnings,
    } = merge(&reports)?;
    for warning in warnings {
        writeln!(errors, "loadgen: warning: {warning}")?;
    }
    if reports.len() > 1 {
        judge(&mut report, &reports)?;
    }
    arguments.files.write(&report)?;
    if !arguments.quiet {
        arguments.output.print(&report, out, colour)?;
    }
    Ok(exit::of_run(&report))
}

/// Holds every threshold that one of the runs had against all of them together.
fn judge(report: &mut Report, runs: &[Report]) -> anyhow::Result<()> {
    let mut expressions: Vec<_> = Vec::new();
    for threshold in runs.iter().flat_map(|run| &run.thresholds) {
        if !expressions.contains(&&threshold.expression) {
            expressions.push(&threshold.expression);
        }
    }
    let results = expressions.iter().map(|expression| {
        let threshold = Threshold::parse(expression);
        let threshold =
            threshold.with_context(|| format!("the threshold `{expression}` of a report"))?;
        Ok(threshold.evaluate(report))
    });
    report.thresholds = results.collect::<anyhow::Result<_>>()?;
    Ok(())
}
