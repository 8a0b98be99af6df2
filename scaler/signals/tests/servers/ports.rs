//! Ports for servers that cannot be told to let the system choose.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that Linux gives to outgoing connections, so that none of these takes a port between its
/// choice here and its use by the server.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

static CHOSEN: AtomicU16 = AtomicU16::new(0);

/// A port of loopback that nothing listens on, and that was not returned before.
pub(crate) fn free() -> u16 {
    free_on(&["127.0.0.1"])
}

/// A port on which nothing listens at any of these addresses, and that was not returned before.
pub(crate) fn free_on(hosts: &[&str]) -> u16 {
    // Test processes that run at the same time begin at different places.
    let begin = std::process::id().wrapping_mul(101) % u32::from(COUNT);
    for _ in 0..COUNT {
        let offset = begin + u32::from(CHOSEN.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + u16::try_from(offset % u32::from(COUNT)).expect("it is below");
        let mut hosts = hosts.iter();
        if hosts.all(|host| TcpListener::bind((*host, port)).is_ok()) {
            return port;
        }
    }
    panic!("no port from {FIRST} on is free");
}
