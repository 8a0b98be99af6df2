//! Free ports on 127.0.0.1, one for each replica.

use std::collections::BTreeSet;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};

/// Draws before giving up. Each keeps the port of the one before bound, so they differ.
const DRAWS: usize = 64;

/// The ports that replicas hold at present.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports(Arc<Mutex<BTreeSet<u16>>>);

/// A port that no other replica gets until this is dropped.
#[derive(Debug)]
pub(crate) struct PortLease {
    port: u16,
    ports: Ports,
}

impl Ports {
    /// A port that nothing listens on and no other replica holds.
    ///
    /// The system picks it, out of those that it avoids for outgoing connections.
    pub(crate) fn lease(&self) -> io::Result<PortLease> {
        let mut drawn = Vec::new();
        while drawn.len() < DRAWS {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            let port = listener.local_addr()?.port();
            if self.with(|held| held.insert(port)) {
                return Ok(PortLease {
                    port,
                    ports: self.clone(),
                });
            }
            drawn.push(listener);
        }
        Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "every free port drawn on 127.0.0.1 is promised to another replica",
        ))
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeSet<u16>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PortLease {
    /// The port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Whether it can still be listened on.
    pub(crate) fn is_free(&self) -> bool {
        TcpListener::bind((Ipv4Addr::LOCALHOST, self.port)).is_ok()
    }
}

impl Drop for PortLease {
    fn drop(&mut self) {
        self.ports.with(|held| held.remove(&self.port));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_differ_and_end_when_dropped() {
        let ports = Ports::default();
        let leases: Vec<PortLease> = (0..50).map(|_| ports.lease().unwrap()).collect();
        let distinct: BTreeSet<u16> = leases.iter().map(PortLease::port).collect();
        assert_eq!(distinct.len(), 50);
        drop(leases);
        assert!(ports.with(|held| held.is_empty()));
    }

    #[test]
    fn a_taken_port_is_not_free() {
        let lease = Ports::default().lease().unwrap();
        assert!(lease.is_free());
        let _other = TcpListener::bind((Ipv4Addr::LOCALHOST, lease.port())).unwrap();
        assert!(!lease.is_free());
    }
}
