//! The ports for TCP as one worker has them.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::task::{Context, Poll, Waker};

use tokio::net::{TcpListener, TcpStream};

use crate::ports::Ports;

/// The same listener for the runtime; the other stays for the next one, should it panic.
fn open_again(listener: &StdListener) -> io::Result<TcpListener> {
    TcpListener::from_std(listener.try_clone()?)
}

/// A connection, and the port it came to.
pub(super) type ToPort = (u16, TcpStream, SocketAddr);

/// This worker's listeners.
#[derive(Default)]
pub(super) struct OpenPorts {
    version: Option<u64>,
    /// By their ports, each with which opening it is of.
    listeners: BTreeMap<u16, (u64, TcpListener)>,
}

impl OpenPorts {
    /// Listens on what there is now.
    pub(super) fn follow(&mut self, ports: &Ports, worker: usize) {
        let version = ports.version();
        if self.version == Some(version) {
            return;
        }
        self.version = Some(version);
        let open = ports.open();
        self.listeners.retain(|port, (id, _)| {
            let now = open.get(port);
            now.is_some_and(|one| one.id == *id)
        });
        for (port, one) in &open {
            if self.listeners.contains_key(port) {
                continue;
            }
            match one.listeners.get(worker).map(open_again) {
                Some(Ok(listener)) => drop(self.listeners.insert(*port, (one.id, listener))),
                Some(Err(error)) => tracing::error!(port, %error, "a worker cannot listen"),
                None => {}
            }
        }
    }

    /// Waits for a connection. Cancel safe.
    pub(super) async fn accept(&self) -> io::Result<ToPort> {
        poll_fn(|cx| self.poll_accept(cx)).await
    }

    /// The connections that the system has accepted already.
    pub(super) fn queued(&self) -> impl Iterator<Item = ToPort> {
        let mut context = Context::from_waker(Waker::noop());
        std::iter::from_fn(move || match self.poll_accept(&mut context) {
            Poll::Ready(Ok(accepted)) => Some(accepted),
            Poll::Ready(Err(_)) | Poll::Pending => None,
        })
    }

    fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<ToPort>> {
        for (port, (_, listener)) in &self.listeners {
            if let Poll::Ready(accepted) = listener.poll_accept(cx) {
                return Poll::Ready(accepted.map(|(stream, address)| (*port, stream, address)));
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use crate::ports::tests::{follow, free, ports};

    use super::*;

    #[tokio::test]
    async fn a_port_that_went_and_came_between_two_looks_is_another_one() {
        // One that takes over shares the address, so that the system has both.
        let ports = ports(Vec::new(), true);
        let (_, port) = free();
        let mut open = OpenPorts::default();
        follow(&ports, &[port]);
        open.follow(&ports, 0);
        follow(&ports, &[]);
        follow(&ports, &[port]);
        open.follow(&ports, 0);
        assert_eq!(open.listeners[&port].0, ports.open()[&port].id);
    }
}
