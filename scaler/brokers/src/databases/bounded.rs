//! A stream of which only so much is taken in.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The most that is taken in for one question, in bytes.
const MOST: usize = 4 << 20;

/// A stream that fails after [`MOST`] bytes, unless its [`Allowance`] is renewed.
pub(super) struct Bounded<S> {
    stream: S,
    allowance: Allowance,
}

/// How much may still be taken in.
#[derive(Clone)]
pub(super) struct Allowance(Arc<AtomicUsize>);

impl Allowance {
    /// All of it, for the next question.
    pub(super) fn renew(&self) {
        self.0.store(MOST, Ordering::Relaxed);
    }
}

impl<S> Bounded<S> {
    /// The stream with a whole allowance.
    pub(super) fn new(stream: S) -> Self {
        let allowance = Allowance(Arc::new(AtomicUsize::new(MOST)));
        Self { stream, allowance }
    }

    /// What bounds it.
    pub(super) fn allowance(&self) -> Allowance {
        self.allowance.clone()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Bounded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        let read = buffer.filled().len() - before;
        let left = self.allowance.0.load(Ordering::Relaxed);
        let Some(left) = left.checked_sub(read) else {
            let most = MOST >> 20;
            let message = format!("the answer has more than {most} MiB, which is not read");
            return Poll::Ready(Err(io::Error::other(message)));
        };
        self.allowance.0.store(left, Ordering::Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Bounded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn no_more_is_taken_in_than_the_allowance() {
        let mut stream = Bounded::new(tokio::io::repeat(0));
        let allowance = stream.allowance();
        let mut half = vec![0; MOST / 2];
        for _ in 0..3 {
            allowance.renew();
            stream.read_exact(&mut half).await.unwrap();
            stream.read_exact(&mut half).await.unwrap();
        }
        let error = stream.read_exact(&mut [0]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the answer has more than 4 MiB, which is not read"
        );
    }
}
