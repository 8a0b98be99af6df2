//! `ebbtide`: the autoscaler's binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    ebbtide::cli::main()
}
