//! The listeners of the workers, on one address.

use std::io;
use std::net::{SocketAddr, TcpListener};

#[cfg(target_os = "linux")]
use socket2::SockFilter;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use crate::options::StartError;

/// Connections that the system accepts before a worker does; it lowers this to its own limit.
const BACKLOG: i32 = 4096;

/// One listener for each worker; the system spreads connections over them. Those of a process that takes
/// the place of another [`listen`] later.
pub(crate) fn bind(
    address: SocketAddr,
    workers: usize,
    takes_over: bool,
) -> Result<Vec<TcpListener>, StartError> {
    bind_all(address, workers, takes_over).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::AddressInUse { address },
        _ => StartError::Listen { address, source },
    })
}

fn bind_all(address: SocketAddr, workers: usize, takes_over: bool) -> io::Result<Vec<TcpListener>> {
    // The first is bound without sharing the address: of two processes that would share it, as two
    // of this program, the second would otherwise not notice the first.
    let first = socket(address)?;
    first.set_reuse_port(takes_over)?;
    first.bind(&address.into())?;
    first.set_reuse_port(true)?;
    let first = TcpListener::from(first);
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..workers {
        let other = socket(address)?;
        other.set_reuse_port(true)?;
        other.bind(&address.into())?;
        listeners.push(other.into());
    }
    if !takes_over {
        listeners.iter().try_for_each(listen)?;
    }
    Ok(listeners)
}

fn socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    // Connections of an earlier process that wait for their end do not keep the address.
    socket.set_reuse_address(true)?;
    Ok(socket)
}

/// Has connections come, if they do not yet.
pub(crate) fn listen(listener: &TcpListener) -> io::Result<()> {
    SockRef::from(listener).listen(BACKLOG)
}

/// What begins a connection (SYN without ACK) is dropped, as if it had been lost on the way; everything else
/// passes. The program is one of the classic packet filter, which sees a packet from its TCP header on.
#[cfg(target_os = "linux")]
const NO_BEGINNINGS: [SockFilter; 5] = [
    // Loads the byte with the flags, and keeps SYN and ACK.
    SockFilter::new(0x30, 0, 0, 13),
    SockFilter::new(0x54, 0, 0, 0x12),
    // SYN alone: none of the packet passes. Otherwise all of it.
    SockFilter::new(0x15, 0, 1, 0x02),
    SockFilter::new(0x06, 0, 0, 0),
    SockFilter::new(0x06, 0, 0, u32::MAX),
];

/// Has no more connections begin here, while those that have begun can still be accepted. Who tries begins
/// again after a second, and comes to another process that listens here, if there is one.
#[cfg(target_os = "linux")]
pub(crate) fn leave(listener: &tokio::net::TcpListener) {
    if let Err(error) = SockRef::from(listener).attach_filter(&NO_BEGINNINGS) {
        tracing::debug!(%error, "connections that begin as the listener closes are reset");
    }
}

/// Elsewhere connections that begin as the listener closes are reset.
#[cfg(not(target_os = "linux"))]
pub(crate) fn leave(_: &tokio::net::TcpListener) {}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::{Pin, pin};
    use std::task::Poll;

    use super::*;

    #[test]
    fn workers_share_an_address_and_only_a_successor_does() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let ours = bind(any, 3, false).unwrap();
        let address = ours[0].local_addr().unwrap();
        assert!(ours.iter().all(|one| one.local_addr().unwrap() == address));
        let error = bind(address, 2, false).unwrap_err();
        assert_eq!(error.to_string(), format!("{address} is in use"));
        let successors = bind(address, 2, true).unwrap();
        assert!(bind(address, 2, false).is_err());
        drop((ours, successors));
        assert_eq!(bind(address, 2, false).unwrap().len(), 2);
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn what_begins_as_one_leaves_comes_to_its_successor_and_what_has_begun_to_itself() {
        use tokio::net::{TcpListener, TcpStream};
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let open = |listeners: Vec<_>| {
            let first = listeners.into_iter().next().unwrap();
            TcpListener::from_std(first).unwrap()
        };
        let ours = open(bind(any, 1, false).unwrap());
        let address = ours.local_addr().unwrap();
        let begun = TcpStream::connect(address).await.unwrap();
        leave(&ours);
        let (accepted, _) = ours.accept().await.unwrap();
        assert_eq!(accepted.peer_addr().unwrap(), begun.local_addr().unwrap());
        let mut connecting = pin!(TcpStream::connect(address));
        for _ in 0..10 {
            assert!(is_pending(connecting.as_mut()).await);
            assert!(is_pending(pin!(ours.accept())).await);
            tokio::task::yield_now().await;
        }
        let successors = bind(address, 1, true).unwrap();
        listen(&successors[0]).unwrap();
        drop(ours);
        let successor = open(successors);
        let (connected, accepted) = tokio::join!(connecting, successor.accept());
        let theirs = connected.unwrap().local_addr().unwrap();
        assert_eq!(accepted.unwrap().1, theirs);
    }

    async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
        poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
    }
}
