//! What the operating system allows this process.

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that there is a place for from the start.
const PLACES: u64 = 16 * 1024;

/// Allows as many open files as the hard limit does: a held request and its replica's connection
/// take two, and the usual soft limit is 1,024.
pub(in crate::cli) fn raise_open_files() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: maximum,
            maximum,
        },
    ) {
        let current = current.map_or_else(|| "no limit".to_owned(), |limit| limit.to_string());
        tracing::warn!("the limit of open files stays at {current}: {error}");
    }
}

/// Makes the process's table of open files so large that it need not grow in most runs. Once there are threads, Linux
/// lets each growth wait until all processors have been seen (an RCU grace period): a request that met one waited for
/// ten milliseconds and more. A place takes eight bytes.
pub(in crate::cli) fn reserve_open_files() {
    let most = getrlimit(Resource::Nofile).current.unwrap_or(PLACES);
    let last = i32::try_from(PLACES.min(most).saturating_sub(1)).unwrap_or(0);
    // The table keeps its size when the file is closed. Without it all works, now and then slower.
    drop(fcntl_dupfd_cloexec(std::io::stderr(), last));
}
