//! Finding and killing every process that carries an instance's marker.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, getpid, kill_process};
use tokio::time::sleep;

use crate::instance;

/// Looks in a row that must find nothing. A process may fork while the list is read, so one is not
/// enough.
const EMPTY_LOOKS: u32 = 3;
/// Between looks.
const PAUSE: Duration = Duration::from_millis(10);
/// Looks in all. A process that does not die of SIGKILL hangs in the kernel; it dies when that
/// lets go of it, without us.
const LOOKS: u32 = 3000;

/// Kills each process that carries the marker of `instance` until none is left.
pub(super) async fn kill_marked(instance: &str) {
    let marker = format!("{}={instance}", instance::VARIABLE);
    let mut empty = 0;
    for _ in 0..LOOKS {
        let found = marked(marker.as_bytes());
        for process in &found {
            // It may have ended by itself.
            let _ = kill_process(*process, Signal::KILL);
        }
        empty = if found.is_empty() { empty + 1 } else { 0 };
        if empty == EMPTY_LOOKS {
            return;
        }
        sleep(PAUSE).await;
    }
}

/// The processes that have `marker` in their environment, other than this one. None where there is
/// no `/proc`.
fn marked(marker: &[u8]) -> Vec<Pid> {
    let own = getpid();
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
        .filter(|process| *process != own && carries(*process, marker))
        .collect()
}

/// A process that ended, or is someone else's, carries nothing.
fn carries(process: Pid, marker: &[u8]) -> bool {
    let path = format!("/proc/{}/environ", process.as_raw_nonzero());
    let environment = fs::read(path).unwrap_or_default();
    environment
        .split(|byte| *byte == 0)
        .any(|entry| entry == marker)
}
