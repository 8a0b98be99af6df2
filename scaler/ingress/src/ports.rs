//! The ports for TCP, which come and go with the table: a listener on each for every worker.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
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
    open: BTreeMap<u16, OpenPort>,
    /// How many were opened.
    opened: u64,
    failures: BTreeMap<u16, Failure>,
}

/// A port that is open.
#[derive(Clone)]
pub(crate) struct OpenPort {
    /// Tells it from one of the same number before.
    pub(crate) id: u64,
    on_loopback: bool,
    /// Those of all workers.
    pub(crate) listeners: Arc<[TcpListener]>,
}

/// A port that could not be opened.
struct Failure {
    on_loopback: bool,
    because: String,
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

    /// Opens the ports of `wanted` that are not open, and closes all others. Each says whether it is for
    /// this machine alone.
    pub(crate) fn follow(&self, wanted: impl Iterator<Item = (u16, bool)>) {
        let mut state = self.lock();
        let State {
            setting: Some(setting),
            open,
            opened,
            failures,
        } = &mut *state
        else {
            return;
        };
        let mut before = std::mem::take(open);
        let said = std::mem::take(failures);
        let mut has_changed = false;
        for (port, on_loopback) in wanted {
            match before.remove(&port) {
                Some(same) if same.on_loopback == on_loopback => {
                    open.insert(port, same);
                    continue;
                }
                earlier => has_changed |= earlier.is_some(),
            }
            match setting.open(port, on_loopback, open.len()) {
                Ok(listeners) => {
                    tracing::info!(port, "a port is open for TCP");
                    has_changed = true;
                    *opened += 1;
                    let one = OpenPort {
                        id: *opened,
                        on_loopback,
                        listeners,
                    };
                    open.insert(port, one);
                }
                Err(because) => {
                    let is_new = said.get(&port).is_none_or(|one| one.because != because);
                    if is_new {
                        tracing::error!(port, because, "a port cannot be opened for TCP");
                    }
                    let failure = Failure {
                        on_loopback,
                        because,
                    };
                    failures.insert(port, failure);
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
        let open = state.open.iter();
        let open = open.map(|(port, one)| (*port, one.on_loopback));
        let failed = state.failures.iter();
        let failed = failed.map(|(port, one)| (*port, one.on_loopback));
        let wanted: Vec<(u16, bool)> = open.chain(failed).collect();
        drop(state);
        let before = self.version();
        self.follow(wanted.into_iter());
        self.version() != before
    }

    /// The ports that cannot be opened, and why.
    pub(crate) fn failures(&self) -> BTreeMap<u16, String> {
        let state = self.lock();
        let failures = state.failures.iter();
        let failures = failures.map(|(port, one)| (*port, one.because.clone()));
        failures.collect()
    }

    /// A number that is another once there are other ports.
    pub(crate) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The ports that are open.
    pub(crate) fn open(&self) -> BTreeMap<u16, OpenPort> {
        self.lock().open.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Setting {
    fn open(
        &self,
        port: u16,
        on_loopback: bool,
        open: usize,
    ) -> Result<Arc<[TcpListener]>, String> {
        if open >= MOST {
            return Err(format!(
                "{port} is one too many: {MOST} ports are open, which is the most"
            ));
        }
        if self.taken.contains(&port) {
            return Err(format!(
                "{port} is a port of the ingress itself; give the app another exposedPort"
            ));
        }
        let ip = self.address.ip();
        let ip = if on_loopback { loopback(ip) } else { ip };
        let address = SocketAddr::new(ip, port);
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

/// The address of this machine alone, in the family of `ip`.
fn loopback(ip: IpAddr) -> IpAddr {
    match ip {
        _ if ip.is_loopback() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::TcpStream;

    use ebbtide_core::time::{Clock, Timestamp};

    use super::*;

    struct Still;

    impl Clock for Still {
        fn now(&self) -> Timestamp {
            Timestamp::ORIGIN
        }
    }

    pub(crate) fn ports(taken: Vec<u16>, takes_over: bool) -> Ports {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let ports = Ports::default();
        let mut options = IngressOptions::new(any, Arc::new(Still));
        options.takes_over = takes_over;
        ports.start(&options, taken);
        ports
    }

    pub(crate) fn follow(ports: &Ports, wanted: &[u16]) {
        ports.follow(wanted.iter().map(|port| (*port, false)));
    }

    pub(crate) fn free() -> (TcpListener, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    fn answers(port: u16) -> bool {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    }

    #[test]
    fn ports_come_and_go() {
        let ports = ports(Vec::new(), false);
        let (one, two) = (free().1, free().1);
        follow(&ports, &[one, two]);
        let version = ports.version();
        assert!(answers(one) && answers(two));
        follow(&ports, &[two]);
        assert!(!answers(one) && answers(two));
        assert_ne!(ports.version(), version);
        ports.end();
        follow(&ports, &[one]);
        assert!(!answers(one) && !answers(two));
    }

    #[test]
    fn a_port_in_use_fails_alone_and_is_tried_again() {
        let (other, port) = free();
        let (_, good) = free();
        let ports = ports(vec![1], false);
        follow(&ports, &[1, port, good]);
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
    #[test]
    fn a_port_for_this_machine_alone_is_opened_anew_where_all_may_come() {
        let (_, port) = free();
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        let ports = Ports::default();
        ports.start(&IngressOptions::new(any, Arc::new(Still)), Vec::new());
        let mut ids = Vec::new();
        for (on_loopback, expected) in [
            (true, "127.0.0.1"),
            (true, "127.0.0.1"),
            (false, "0.0.0.0"),
            (true, "127.0.0.1"),
        ] {
            ports.follow([(port, on_loopback)].into_iter());
            let open = &ports.open()[&port];
            let address = open.listeners[0].local_addr().unwrap();
            assert_eq!(address.to_string(), format!("{expected}:{port}"));
            ids.push(open.id);
        }
        assert_eq!(ids, [1, 1, 2, 3]);
    }
}
