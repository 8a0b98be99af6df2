//! The guardian: a process that kills what is left when the runtime's own process dies.
//!
//! It reads from its stdin, which nobody but the runtime's process holds the other end of. So the
//! end of input means that that process is gone, however it went. A child between fork and exec
//! holds it too, until exec closes it; hence at the end of input every child carries its marker.
//!
//! Input, one to a line: `+GROUP` and `-GROUP` as process groups come and go. Output: one line, when
//! it is ready. The instance is in its environment, so that it knows it from its first moment.

mod keeper;
mod sweep;

use std::collections::HashSet;
use std::io::{self, BufRead, Write as _};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use keeper::Keeper;

/// The argument that makes the program a guardian.
pub(crate) const ARGUMENT: &str = "guardian";
/// The environment variable that tells the guardian its instance.
pub(crate) const INSTANCE: &str = "EBBTIDE_GUARDIAN_OF";
/// What the guardian writes when it listens.
pub(crate) const READY: &str = "guardian ready";

/// What the hidden `guardian` subcommand runs: reads process groups from stdin, and when stdin ends
/// kills all that are left, and every process that carries the instance's marker.
///
/// It sets up a tokio runtime of its own, so call it outside of any other. SIGINT, SIGTERM and
/// SIGHUP do nothing to it.
///
/// # Errors
/// When nothing says which instance to guard, the signal handlers cannot be set up, or stdin or
/// stdout fails. In the last case what it knew of is killed first.
pub fn guardian_main() -> io::Result<()> {
    let instance = std::env::var(INSTANCE).map_err(|_| {
        io::Error::other(format!(
            "{INSTANCE} is not set: ebbtide runs this command itself"
        ))
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let entered = runtime.enter();
    // A signal that has a handler no longer ends the process; nothing needs to read these.
    let handled = [
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
        signal(SignalKind::hangup())?,
    ];
    drop(entered);
    let mut groups = Groups::default();
    let read = announce().and_then(|()| groups.follow(io::stdin().lock()));
    for group in &groups.0 {
        // One that has ended meanwhile is no error, and there is nobody to tell of others.
        let _ = kill_process_group(*group, Signal::KILL);
    }
    runtime.block_on(sweep::kill_marked(&instance));
    drop(handled);
    read
}

fn announce() -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{READY}")?;
    output.flush()
}

/// The process groups that are alive.
#[derive(Debug, Default)]
struct Groups(HashSet<Pid>);

impl Groups {
    /// Reads until the input ends.
    fn follow(&mut self, input: impl BufRead) -> io::Result<()> {
        for line in input.lines() {
            self.apply(&line?);
        }
        Ok(())
    }

    /// What it cannot read it passes over: the other end is the same program.
    fn apply(&mut self, line: &str) {
        if let Some(group) = line.strip_prefix('+').and_then(group) {
            self.0.insert(group);
        } else if let Some(group) = line.strip_prefix('-').and_then(group) {
            self.0.remove(&group);
        }
    }
}

/// A process group that may be killed: a number above 1, since 0 means our own and 1 is init's.
fn group(digits: &str) -> Option<Pid> {
    let number = digits.parse().ok().filter(|number| *number > 1)?;
    Pid::from_raw(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_input_says_which_groups_are_left() {
        let mut groups = Groups::default();
        let input = b"+10\n+11\n-10\n+0\n+1\n+-5\n+x\n\n+12\n-13\n";
        groups.follow(&input[..]).unwrap();
        assert_eq!(
            groups.0,
            HashSet::from([11, 12].map(|id| Pid::from_raw(id).unwrap()))
        );
    }
}
