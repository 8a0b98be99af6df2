//! What the operating system allows this process.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

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
