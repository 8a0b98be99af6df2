//! The command line.

pub(crate) mod compare;
pub(crate) mod files;
pub(crate) mod report;
pub(crate) mod request;
pub(crate) mod run;
mod schedule;
pub(crate) mod schema;
pub(crate) mod validate;

use std::io::{self, Write};

use clap::{Parser, Subcommand, ValueEnum};

use self::compare::CompareArgs;
use self::report::ReportArgs;
use self::run::RunArgs;
pub(crate) use self::schedule::ScheduleArgs;
use self::schema::SchemaArgs;
use self::validate::ValidateArgs;
use crate::report::model::Report;
use crate::report::text;

/// A load generator whose figures can be believed, made for autoscalers.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sends requests as a scenario says, or to a URL, and reports how they were answered
    #[command(after_help = run::NOTES)]
    Run(Box<RunArgs>),
    /// Shows reports that were written before in other forms, and merges those of several machines
    #[command(after_help = report::NOTES)]
    Report(ReportArgs),
    /// Says where two runs differ, and whether by more than chance
    #[command(after_help = compare::NOTES)]
    Compare(CompareArgs),
    /// Checks scenario files without sending anything
    Validate(ValidateArgs),
    /// Makes a schedule of arrivals, shows it and writes its times to a file
    #[command(after_help = schedule::NOTES)]
    Schedule(ScheduleArgs),
    /// Prints the JSON schema of scenario files or of reports
    Schema(SchemaArgs),
}

/// The form of what goes to stdout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Output {
    /// Prints a report in this form.
    pub(crate) fn print(
        self,
        report: &Report,
        out: &mut dyn Write,
        colour: bool,
    ) -> io::Result<()> {
        let printed = match self {
            Self::Json => files::write_json(report, out),
            Self::Text => text::write(report, out, colour),
        };
        unless_nobody_reads(printed.and_then(|()| out.flush()))
    }
}

/// How the gaps between requests are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ArrivalName {
    /// Evenly spaced
    Constant,
    /// Independent of each other, as from many users
    Poisson,
    /// In bursts, or more regular than independent ones, as --burstiness says
    Gamma,
}

/// A closed pipe leaves nobody to tell.
fn unless_nobody_reads(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests;
