//! Room for as many sockets as a run may have.

use anyhow::Context as _;
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Beside the connections: files, timers, what the runtimes need.
const OTHERS: usize = 64;

/// The most that room is made for ahead of time.
const MOST: usize = 1 << 17;

/// Lets the process open as many sockets as the system allows at all: the usual soft limit of 1,024
/// is less than a burst needs.
pub(crate) fn raise_limit() -> anyhow::Result<()> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).context("cannot raise the limit of open files")
}

/// Makes room for so many connections.
///
/// Linux doubles a process's table of descriptors when it is full, and if the process has several threads, the one
/// that opens a socket then waits for all processors (RCU): ten milliseconds, in the middle of a burst. A descriptor
/// with a high number makes the table that large at once.
pub(super) fn reserve(connections: usize) {
    let highest = connections.saturating_add(OTHERS).min(MOST);
    let highest = i32::try_from(highest).unwrap_or(i32::MAX);
    // Without it requests are late, which the run's lateness tells.
    drop(fcntl_dupfd_cloexec(std::io::stderr(), highest));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn there_is_room_for_what_was_asked_for() {
        raise_limit().unwrap();
        reserve(5000);
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let size = status.lines().find_map(|line| line.strip_prefix("FDSize:"));
        let size: usize = size.unwrap().trim().parse().unwrap();
        assert!(size > 5000, "{size}");
    }
}
