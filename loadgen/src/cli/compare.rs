//! `loadgen compare`

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::Output;
use crate::exit;
use crate::report::compare::{Comparison, compare, write_text};
use crate::report::read::read;

pub(crate) const NOTES: &str = "\
Each difference has a 95% confidence interval; `better` and `worse` are said where
0 is not in it. Percentiles have the interval of the share of requests below them,
shares Wilson's, rates Poisson's, and the interval of a difference is made of the
two. Requests that come together are alike, so each second is taken as a cluster.
What happens once in a run, such as the time to zero, is shown and not judged.

Exit codes: 0 (with --fail-if-worse: nothing is worse), 1 a file is wrong, 99
something is worse.";

#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// The report that is compared with
    #[arg(value_name = "A.json")]
    a: PathBuf,
    /// The report that is said to be better or worse
    #[arg(value_name = "B.json")]
    b: PathBuf,
    /// Exits with 99 if a figure is worse beyond chance and by more than PERCENT
    #[arg(long, value_name = "PERCENT", num_args = 0..=1, require_equals = true, default_missing_value = "0", value_parser = percent)]
    fail_if_worse: Option<f64>,
    /// The form of what is printed
    #[arg(short, long, value_enum, default_value = "text")]
    output: Output,
}

fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse::<f64>();
    let number = number
        .ok()
        .filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or_else(|| "it should be a percentage from 0, such as 5".to_owned())
}

/// Prints the comparison. Returns the code to exit with.
pub(crate) fn run(
    arguments: &CompareArgs,
    out: &mut dyn Write,
    colour: bool,
) -> anyhow::Result<u8> {
    let (a, b) = (read(&arguments.a)?, read(&arguments.b)?);
    let files = [&arguments.a, &arguments.b].map(|file| file.display().to_string());
    let comparison = compare(files, &a, &b)?;
    super::unless_nobody_reads(print(&comparison, arguments.output, out, colour))?;
    let worse = |limit| {
        comparison
            .figures
            .iter()
            .any(|figure| figure.is_worse_by(limit))
    };
    Ok(match arguments.fail_if_worse {
        Some(limit) if worse(limit) => exit::THRESHOLD,
        _ => exit::GOOD,
    })
}

fn print(
    comparison: &Comparison,
    output: Output,
    out: &mut dyn Write,
    colour: bool,
) -> io::Result<()> {
    match output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut *out, comparison)?;
            writeln!(out)
        }
        Output::Text => write_text(comparison, out, colour),
    }
}
