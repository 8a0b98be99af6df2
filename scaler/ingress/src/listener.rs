//! The listeners of the workers, on one address.

use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

use crate::options::StartError;

/// Connections that the system accepts before a worker does; it lowers this to its own limit.
const BACKLOG: i32 = 4096;

/// One listener for each worker; the system spreads connections over them.
pub(crate) fn bind(address: SocketAddr, workers: usize) -> Result<Vec<TcpListener>, StartError> {
    bind_all(address, workers).map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::AddressInUse { address },
        _ => StartError::Listen { address, source },
    })
}

fn bind_all(address: SocketAddr, workers: usize) -> io::Result<Vec<TcpListener>> {
    // The first is bound without sharing the address: of two processes that would share it, as two
    // of this program, the second would otherwise not notice the first.
    let first = socket(address)?;
    first.bind(&address.into())?;
    first.set_reuse_port(true)?;
    let first = listen(first)?;
    let address = first.local_addr()?;
    let others = (1..workers).map(|_| {
        let other = socket(address)?;
        other.set_reuse_port(true)?;
        other.bind(&address.into())?;
        listen(other)
    });
    std::iter::once(Ok(first)).chain(others).collect()
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

fn listen(socket: Socket) -> io::Result<TcpListener> {
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_share_an_address_and_nobody_else_does() {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let ours = bind(any, 3).unwrap();
        let address = ours[0].local_addr().unwrap();
        assert!(ours.iter().all(|one| one.local_addr().unwrap() == address));
        let error = bind(address, 2).unwrap_err();
        assert_eq!(error.to_string(), format!("{address} is in use"));
        drop(ours);
        assert_eq!(bind(address, 2).unwrap().len(), 2);
    }
}
