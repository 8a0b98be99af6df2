//! `loadgen`: a load generator whose figures can be believed, made for autoscalers.

mod cli;
mod clock;
mod duration;
mod engine;
mod exit;
mod live;
mod nearest;
mod observe;
mod plan;
mod record;
mod report;
mod run;
mod scenario;
mod schedule;
mod threshold;
mod timeline;

use std::io::{self, IsTerminal as _, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;

use crate::cli::{Cli, Command};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let wrong = error.use_stderr();
            // A closed pipe leaves nobody to tell.
            let _ = error.print();
            return if wrong {
                exit::SET_UP_ERROR
            } else {
                exit::GOOD
            }
            .into();
        }
    };
    match command(cli.command) {
        Ok(code) => code.into(),
        Err(error) => {
            let _ = writeln!(io::stderr(), "loadgen: {error:#}");
            exit::SET_UP_ERROR.into()
        }
    }
}

/// Does it and gives the code to exit with.
fn command(command: Command) -> anyhow::Result<u8> {
    let (mut out, mut errors) = (io::stdout(), io::stderr());
    match command {
        Command::Run(arguments) => run(*arguments),
        Command::Report(arguments) => cli::report::run(&arguments, &mut out, &mut errors, colour()),
        Command::Compare(arguments) => cli::compare::run(&arguments, &mut out, colour()),
        Command::Validate(arguments) => cli::validate::run(&arguments, &mut out, &mut errors),
        Command::Schedule(arguments) => schedule::run(&arguments).map(|()| exit::GOOD),
        Command::Schema(arguments) => cli::schema::run(&arguments, &mut out).map(|()| exit::GOOD),
    }
}

/// Runs on one thread beside those of the workers: what is measured usually shares the machine.
fn run(arguments: cli::run::RunArgs) -> anyhow::Result<u8> {
    let (output, progress) = (arguments.outputs.output, arguments.outputs.progress());
    let prepared = arguments.prepare()?;
    if let Some(folder) = &prepared.folder {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    }
    let files = prepared.outputs.clone();
    files.check()?;
    engine::raise_socket_limit()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let report = runtime.block_on(run::run(prepared, progress))?;
    let printed = output.print(&report, &mut io::stdout(), colour());
    files.write(&report)?;
    printed.context("cannot write the report")?;
    Ok(exit::of_run(&report))
}

/// Whether stdout is to have colours.
fn colour() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !plain && io::stdout().is_terminal()
}
