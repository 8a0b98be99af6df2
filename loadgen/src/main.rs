//! `loadgen`: an open-loop HTTP load generator.

mod cli;
mod clock;
mod duration;
mod engine;
mod plan;
mod progress;
mod record;
mod report;
mod run;
mod target;

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use crate::cli::{Cli, Command, Output, RunArgs};
use crate::report::Report;

const SET_UP_ERROR: u8 = 1;
const REQUESTS_FAILED: u8 = 2;
const GENERATOR_LAGGED: u8 = 3;

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
    let Command::Run(arguments) = cli.command;
    match run(arguments) {
        Ok(report) => exit_code(&report).into(),
        Err(error) => {
            let _ = writeln!(io::stderr(), "loadgen: {error:#}");
            SET_UP_ERROR.into()
        }
    }
}

/// Runs on one thread beside that of the worker: what is measured usually shares the machine.
fn run(arguments: RunArgs) -> anyhow::Result<Report> {
    let output = arguments.output;
    engine::raise_socket_limit()?;
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

fn print(report: &Report, output: Output) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match output {
        Output::Json => {
            serde_json::to_writer_pretty(&mut out, report)?;
            writeln!(out)?;
        }
        Output::Text => {
            let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
            report::write_text(report, &mut out, !plain && io::stdout().is_terminal())?;
        }
    }
    out.flush()
}

fn exit_code(report: &Report) -> u8 {
    if report.failed + report.abandoned > 0 {
        REQUESTS_FAILED
    } else if !report.valid {
        GENERATOR_LAGGED
    } else {
        0
    }
}
