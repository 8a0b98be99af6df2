//! A TCP connection to a replica that speaks HTTP/1.1, of which an answer can be read even if the replica
//! takes no more of the request.

use std::cell::Cell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// A connection to a replica.
///
/// A server may answer before it has read a request's body, and close (RFC 9112, section 9.6). What is
/// written from then on fails, while the answer is there to be read; hyper takes the failure for the end of
/// both. So what can no longer be sent is thrown away instead: reading then gives the answer, or says that
/// there is none.
pub(super) struct ReplicaStream {
    stream: TcpStream,
    refuses: Refuses,
}

/// Whether the replica takes no more, as whoever has the connection sees it.
#[derive(Clone, Default)]
pub(super) struct Refuses(Rc<Cell<bool>>);

impl Refuses {
    /// Whether something has been thrown away.
    pub(super) fn get(&self) -> bool {
        self.0.get()
    }
}

impl ReplicaStream {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            refuses: Refuses::default(),
        }
    }

    /// The way to know that the replica takes no more.
    pub(super) fn refuses(&self) -> Refuses {
        self.refuses.clone()
    }

    /// The connection itself.
    pub(super) fn into_inner(self) -> TcpStream {
        self.stream
    }

    /// What a write of `length` bytes comes to.
    fn wrote(&self, written: Poll<io::Result<usize>>, length: usize) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Err(error)) if is_refusal(&error) => {
                self.refuses.0.set(true);
                Poll::Ready(Ok(length))
            }
            written => written,
        }
    }
}

fn is_refusal(error: &io::Error) -> bool {
    let kinds = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
    kinds.contains(&error.kind())
}

impl AsyncRead for ReplicaStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for ReplicaStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.wrote(written, buf.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.wrote(written, bufs.iter().map(|buf| buf.len()).sum())
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_read_after_the_replica_has_reset_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut stream = ReplicaStream::new(TcpStream::connect(address).await.unwrap());
        let refuses = stream.refuses();
        let (mut replica, _) = listener.accept().await.unwrap();
        stream
            .write_all(b"a request that nobody reads")
            .await
            .unwrap();
        replica.readable().await.unwrap();
        replica.write_all(b"the answer").await.unwrap();
        // What is unread makes this a reset.
        drop(replica);
        while !refuses.get() {
            stream.write_all(b"more of it").await.unwrap();
            tokio::task::yield_now().await;
        }
        let mut answer = [0; 10];
        stream.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"the answer");
        assert_eq!(stream.read(&mut answer).await.unwrap_or(0), 0);
    }
}
