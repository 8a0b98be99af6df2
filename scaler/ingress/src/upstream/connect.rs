//! Opening a connection to a replica.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use hyper::client::conn::http2;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::http1::Connection;
use crate::body::RequestBody;

/// How long a replica may take to accept a connection. The system repeats its attempt after 1, 3
/// and 7 s when the replica's queue of connections is full.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// An HTTP/2 connection, which requests share.
#[derive(Clone)]
pub(crate) struct Http2Connection {
    pub(super) sender: http2::SendRequest<RequestBody>,
    /// None once it has ended: only then does the sender say that it takes no more.
    connection: Rc<RefCell<Option<Http2Task>>>,
}

type Http2Task = http2::Connection<TokioIo<TcpStream>, RequestBody, LocalExecutor>;

impl Http2Connection {
    /// Whether the replica has said by now that it takes extended CONNECT (RFC 8441, section 3).
    pub(super) fn takes_connect(&self) -> bool {
        let connection = self.connection.borrow();
        let takes = Http2Task::is_extended_connect_protocol_enabled;
        connection.as_ref().is_some_and(takes)
    }
}

/// Opens an HTTP/1.1 connection.
pub(super) async fn http1(address: SocketAddr) -> io::Result<Box<Connection>> {
    Ok(Box::new(Connection::new(tcp(address).await?)))
}

/// Opens an HTTP/2 connection.
pub(super) async fn http2(address: SocketAddr) -> io::Result<Http2Connection> {
    let stream = TokioIo::new(tcp(address).await?);
    let mut builder = http2::Builder::new(LocalExecutor);
    builder
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW * 2);
    let (sender, connection) = builder.handshake(stream).await.map_err(io::Error::other)?;
    let connection = Rc::new(RefCell::new(Some(connection)));
    let running = Rc::clone(&connection);
    run(async move {
        let ended = poll_fn(|cx| match &mut *running.borrow_mut() {
            Some(connection) => Pin::new(connection).poll(cx),
            None => Poll::Ready(Ok(())),
        });
        let ended = ended.await;
        running.take();
        if let Err(error) = ended {
            tracing::debug!(%address, %error, "a connection to a replica broke");
        }
    });
    Ok(Http2Connection { sender, connection })
}

/// How much a replica may send on an HTTP/2 stream before the client has taken it, in bytes.
const WINDOW: u32 = 1 << 20;

/// Opens a connection.
pub(crate) async fn tcp(address: SocketAddr) -> io::Result<TcpStream> {
    let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
    let stream = connected.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    refuse_ourselves(&stream)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Where nobody listens (the replica has just died), the system may pick the replica's port for our
/// end, and TCP then connects us with ourselves.
fn refuse_ourselves(stream: &TcpStream) -> io::Result<()> {
    if stream.local_addr()? != stream.peer_addr()? {
        return Ok(());
    }
    // A reset frees the port at once.
    stream.set_zero_linger()?;
    Err(io::ErrorKind::ConnectionRefused.into())
}

/// Runs what hyper needs run beside a connection. The worker's `LocalSet` owns the tasks and ends
/// those that are left when the worker ends.
#[derive(Clone, Copy)]
pub(crate) struct LocalExecutor;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for LocalExecutor {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

fn run(connection: impl Future<Output = ()> + 'static) {
    hyper::rt::Executor::execute(&LocalExecutor, connection);
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpSocket;

    use super::*;

    #[tokio::test]
    async fn a_connection_with_ourselves_is_none() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let address = socket.local_addr().unwrap();
        let stream = socket.connect(address).await.unwrap();
        let error = refuse_ourselves(&stream).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        drop(stream);
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        assert!(tcp(listener.local_addr().unwrap()).await.is_ok());
    }
}
