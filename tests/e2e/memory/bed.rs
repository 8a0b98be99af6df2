//! How much memory an Ebbtide has, and clients that are many.

use std::io::Write;
use std::net::TcpStream;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::harness::{Ebbtide, curl};

/// What an Ebbtide has in memory, in KiB.
pub(super) fn resident_kib(ebbtide: &Ebbtide) -> u64 {
    let path = format!("/proc/{}/status", ebbtide.pid().as_raw_pid());
    let status = std::fs::read_to_string(path).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kib.and_then(|kib| kib.parse().ok()).expect("a number")
}

/// A metric of an Ebbtide, its series added up.
pub(super) fn metric(ebbtide: &Ebbtide, name: &str) -> u64 {
    let text = curl(&[&ebbtide.api_url("/metrics")]).body;
    let series = text.lines().filter(|line| {
        let rest = line.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with(['{', ' ']))
    });
    let values = series.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    values.sum()
}

/// Connections to the ingress, each of which has sent `text`.
pub(super) fn connect(ebbtide: &Ebbtide, many: usize, text: &str) -> Vec<TcpStream> {
    let connect = |_| {
        let mut stream = TcpStream::connect(("127.0.0.1", ebbtide.ingress)).expect("it listens");
        stream.write_all(text.as_bytes()).expect("it takes that");
        stream
    };
    (0..many).map(connect).collect()
}

/// Each client's connection is a file of this process.
pub(super) fn raise_file_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let current = maximum;
    setrlimit(Resource::Nofile, Rlimit { current, maximum }).expect("the soft limit may be raised");
}
