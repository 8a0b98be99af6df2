//! The ports of TCP apps, which come and go with the table: a listener on each for every worker.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::listener;
use crate::options::IngressOptions;

/// The most ports; each takes a listener for every worker, at which each of them looks.
const MOST: usize = 256;

/// What is listened on, and what cannot be.
#[derive(Default)]
pub(crate) struct Ports {
    state: Mutex<State>,
    /// Counts what has changed, so that workers need not take the lock to see that nothing has.
    version: AtomicU64,
}

#[derive(Default)]
struct State {
    setting: Option<Setting>,
    listeners: BTreeMap<u16, Arc<[TcpListener]>>,
    failures: BTreeMap<u16, String>,
}

/// How to listen.
struct Setting {
    /// With any port.
    address: SocketAddr,
    workers: usize,
    takes_over: bool,
    /// Ports of the ingress itself.
    taken: Vec<u16>,
}

impl Ports {
    /// Lets ports be opened, on the ingress's address. `taken` are those of its own.
    pub(crate) fn start(&self, options: &IngressOptions, taken: Vec<u16>) {
        self.lock().setting = Some(Setting {
            address: options.listen,
            workers: options.workers.get(),
            takes_over: options.takes_over,
            taken,
        });
    }

    /// Closes all, and opens no more.
    pub(crate) fn end(&self) {
        *self.lock() = State::default();
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Opens the ports of `wanted` that are not open, and closes all others.
    pub(crate) fn follow(&self, wanted: impl Iterator<Item = u16>) {
        let mut state = self.lock();
        let State {
            setting: Some(setting),
            listeners,
            failures,
        } = &mut *state
        else {
            return;
        };
        let mut before = std::mem::take(listeners);
        let said = std::mem::take(failures);
        let mut has_changed = false;
        for port in wanted {
            if let Some(open) = before.remove(&port) {
                listeners.insert(port, open);
                continue;
            }
            match setting.open(port, listeners.len()) {
                Ok(open) => {
                    tracing::info!(port, "a port is open for a TCP app");
                    listeners.insert(port, open);
                    has_changed = true;
                }
                Err(because) => {
                    if said.get(&port) != Some(&because) {
                        tracing::error!(port, because, "a port cannot be opened for a TCP app");
                    }
                    failures.insert(port, because);
                }
            }
        }
        if has_changed || !before.is_empty() {
            self.version.fetch_add(1, Ordering::Release);
        }
    }

    /// Tries again to open those that could not be. Says whether one was.
    pub(crate) fn retry(&self) -> bool {
        let state = self.lock();
        if state.failures.is_empty() {
            return false;
        }
        let wanted: Vec<u16> = state
            .listeners
            .keys()
            .chain(state.failures.keys())
            .copied()
            .collect();
        drop(state);
        let before = self.version();
        self.follow(wanted.into_iter());
        self.version() != before
    }

    /// The ports that cannot be opened, and why.
    pub(crate) fn failures(&self) -> BTreeMap<u16, String> {
        self.lock().failures.clone()
    }

    /// A number that is another once there are other ports.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The ports that are open, with the listeners of all workers.
    pub(crate) fn open(&self) -> BTreeMap<u16, Arc<[TcpListener]>> {
        self.lock().listeners.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Setting {
    fn open(&self, port: u16, open: usize) -> Result<Arc<[TcpListener]>, String> {
        if open >= MOST {
            return Err(format!("{MOST} ports are open, which is the most"));
        }
        if self.taken.contains(&port) {
            return Err(format!(
                "{port} is a port of the ingress itself; give the app another exposedPort"
            ));
        }
        let address = SocketAddr::new(self.address.ip(), port);
        let listeners = listener::bind(address, self.workers, self.takes_over);
        let listeners = listeners
            .map_err(|error| format!("{error}; free it, or give the app another exposedPort"))?;
        let begin = listeners
            .iter()
            .filter(|_| self.takes_over)
            .try_for_each(listener::listen);
        begin.map_err(|error| format!("cannot listen on {address}: {error}"))?;
        Ok(listeners.into())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use ebbtide_core::time::{Clock, Timestamp};

    use super::*;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::ORIGIN
        }
    }

    fn ports(taken: Vec<u16>) -> Ports {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let ports = Ports::default();
        ports.start(&IngressOptions::new(any, Arc::new(Still)), taken);
        ports
    }

    fn free() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    fn answers(port: u16) -> bool {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    }

    #[test]
    fn ports_come_and_go() {
        let ports = ports(Vec::new());
        let (one, two) = (free().1, free().1);
        ports.follow([one, two].into_iter());
        let version = ports.version();
        assert!(answers(one) && answers(two));
        ports.follow([two].into_iter());
        assert!(!answers(one) && answers(two));
        assert_ne!(ports.version(), version);
        ports.end();
        ports.follow([one].into_iter());
        assert!(!answers(one) && !answers(two));
    }

    #[test]
    fn a_port_in_use_fails_alone_and_is_tried_again() {
        let (other, port) = free();
        let (_, good) = free();
        let ports = ports(vec![1]);
        ports.follow([1, port, good].into_iter());
        assert!(answers(good));
        let failures = ports.failures();
        assert_eq!(failures.keys().copied().collect::<Vec<_>>(), [1, port]);
        assert!(failures[&1].contains("the ingress itself"));
        assert!(failures[&port].contains("is in use"), "{failures:?}");
        assert!(!ports.retry());
        drop(other);
        assert!(ports.retry());
        assert_eq!(ports.failures().len(), 1);
    }
}
