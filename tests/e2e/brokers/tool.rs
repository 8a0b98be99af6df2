//! The brokers' own command-line clients.

use std::process::Command;

/// What it prints, if it succeeds.
pub(super) fn try_run(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; see tests/run"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program}, {}: {text}{errors}", output.status))
}

/// What it prints; it must succeed.
pub(super) fn run(command: &mut Command) -> String {
    try_run(command).unwrap_or_else(|error| panic!("{error}"))
}
