//! `loadgen`: an open-loop HTTP load generator.

mod cli;
mod client;
mod clock;
mod duration;
mod exit;
mod nearest;
mod observe;
mod old_cli;
mod old_report;
mod outcome;
mod pacer;
mod plan;
mod progress;
mod record;
mod report;
mod run;
mod scenario;
mod schedule;
mod tally;
mod target;
mod threshold;
mod timeline;

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use crate::cli::{Cli, Command, Output};
use crate::exit::{INVALID, REQUESTS_FAILED, SET_UP_ERROR};
use crate::old_cli::RunArgs;
use crate::old_report::Report;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let wrong = error.use_stderr();
            // A closed pipe leaves nobody to tell.
            let _ = error.print();
            return if wrong {
                SET_UP_ERROR.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    match command(cli.command) {
        Ok(code) => code.into(),
        Err(error) => {
            let _ = writeln!(io::stderr(), "loadgen: {error:#}");
            SET_UP_ERROR.into()
        }
    }
}

/// The code to exit with.
fn command(command: Command) -> anyhow::Result<u8> {
    let (mut out, mut errors) = (io::stdout().lock(), io::stderr());
    match command {
        Command::Run(arguments) => {
            drop(out);
            Ok(exit_code(&run(*arguments)?))
        }
        Command::Report(arguments) => cli::report::run(&arguments, &mut out, &mut errors, colour()),
        Command::Compare(arguments) => cli::compare::run(&arguments, &mut out, colour()),
        Command::Validate(arguments) => {
            let valid = cli::validate::validate(&arguments, &mut out, &mut errors);
            Ok(if written(valid)?.unwrap_or(true) {
                exit::GOOD
            } else {
                SET_UP_ERROR
            })
        }
        Command::Schedule(arguments) => {
            drop(out);
            schedule::run(&arguments)?;
            Ok(exit::GOOD)
        }
        Command::Schema(arguments) => {
            written(cli::schema::print(&arguments, &mut out))?;
            Ok(exit::GOOD)
        }
    }
}

/// What was printed; nothing if nobody reads it.
fn written<T>(result: io::Result<T>) -> anyhow::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
        Err(error) => Err(error).context("cannot write to stdout"),
    }
}

/// Runs on one thread beside the pacer's: what is measured usually shares the machine.
fn run(arguments: RunArgs) -> anyhow::Result<Report> {
    let output = arguments.output;
    client::raise_socket_limit()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let report = runtime.block_on(async { run::run(arguments.into_plan().await?).await })?;
    match print(&report, output) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the report")
        }
        _ => Ok(report),
    }
}

/// Whether stdout is to have colours.
fn colour() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !plain && io::stdout().is_terminal()
}

fn print(report: &Report, output: Output) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, report)?;
            writeln!(out)?;
        }
        Output::Text => {
            old_report::write_text(report, &mut out, colour())?;
        }
    }
    out.flush()
}

fn exit_code(report: &Report) -> u8 {
    if report.failed + report.abandoned > 0 {
        REQUESTS_FAILED
    } else if !report.valid {
        INVALID
    } else {
        0
    }
}
