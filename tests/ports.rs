//! Ports for what cannot be told to let the system choose, in the tests and benchmarks of each crate that starts it.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below those that Linux gives to outgoing connections and to whoever listens on port 0 (from 32768), so that
/// none of these takes a port between its choice here and its use: not even the program under test, whose other
/// listeners the system chooses ports for.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

static CHOSEN: AtomicU16 = AtomicU16::new(0);

/// A port of loopback that nothing listens on, and that was not returned before.
pub(crate) fn free() -> u16 {
    // Test processes that run at the same time begin at different places.
    let begin = u16::try_from(std::process::id() * 97 % u32::from(COUNT)).expect("it is below");
    for _ in 0..COUNT {
        let offset = begin.wrapping_add(CHOSEN.fetch_add(1, Ordering::Relaxed));
        let port = FIRST + offset % COUNT;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no port from {FIRST} on is free on loopback");
}
