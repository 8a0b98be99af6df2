//! The command line.
//!
//! `up` runs everything in this process; `serve` and `ingress` are its parts for where something
//! else runs the replicas. All the other commands ask the status API of a running one, or only
//! read documents.

mod actions;
mod apply;
pub mod arguments;
mod ask;
mod client;
mod decisions;
mod failure;
mod ingress;
mod logs;
mod output;
mod routes;
mod serve;
mod serving;
mod show;
mod table;
mod traffic;
mod up;
mod validate;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command, SampleAppArguments, SampleWorkerArguments};

use crate::sample::{self, SampleOptions, worker};

pub use failure::exit_code;
pub use output::colours_wanted;

/// Reads the process's arguments and does what they say.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help goes to a pipe that may be closed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() {
                failure::USAGE
            } else {
                0
            });
        }
    };
    match run(arguments.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            failure::report(&error);
            ExitCode::from(exit_code(&error))
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Up(arguments) => up::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Ingress(arguments) => ingress::run(arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::SampleApp(arguments) => sample_app(arguments),
        Command::SampleWorker(arguments) => sample_worker(arguments),
        Command::Guardian => Ok(ebbtide_runtime::guardian_main()?),
        Command::Ask(command) => ask::run(&command),
    }
}

fn sample_app(arguments: SampleAppArguments) -> anyhow::Result<()> {
    let SampleAppArguments {
        port,
        start_delay,
        work_time,
        color,
    } = arguments;
    sample_runtime()?.block_on(sample::run(SampleOptions {
        port,
        start_delay,
        work_time,
        color,
    }))
}

fn sample_worker(arguments: SampleWorkerArguments) -> anyhow::Result<()> {
    sample_runtime()?.block_on(worker::run(arguments))
}

/// What an example runs on, which needs no more than one thread.
fn sample_runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build()
}
