//! A connection, or a stream, that has switched to another protocol (WebSocket): bytes both ways until both
//! sides have ended.

mod counted;
mod end;

use std::io;

use bytes::Bytes;
use hyper::upgrade::OnUpgrade;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional};

use crate::request::visit::Visit;
use crate::upstream::Switched;
pub(crate) use counted::Counted;
use end::StreamEnd;

/// What is needed to connect a client with a replica once the answer that says so is written. The request
/// counts until the tunnel ends.
pub(crate) struct Tunnel {
    pub(crate) replica: Switched,
    pub(crate) visit: Visit,
}

impl Tunnel {
    /// Passes bytes on until both sides have ended or one has broken. `read` is what the client
    /// has sent already.
    pub(crate) async fn run<S>(self, client: S, read: Bytes)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.visit.received(read.len());
        let client = Counted::new(client, &self.visit);
        let passed = match self.replica {
            Switched::Connection(replica, first) => splice(client, &read, replica, &first).await,
            Switched::Stream(stream) => match stream.await {
                Ok(replica) => splice(client, &read, StreamEnd::new(replica), &[]).await,
                Err(error) => Err(io::Error::other(error)),
            },
        };
        if let Err(error) = passed {
            tracing::debug!(%error, "a tunnel broke");
        }
    }

    /// The same for a client whose end is a stream of HTTP/2.
    pub(crate) async fn run_stream(self, client: OnUpgrade) {
        match client.await {
            Ok(client) => self.run(StreamEnd::new(client), Bytes::new()).await,
            Err(error) => tracing::debug!(%error, "a client left before its tunnel began"),
        }
    }
}

/// Passes bytes on, those first that have come already, until both sides have ended.
pub(crate) async fn splice<C, R>(
    mut client: C,
    from_client: &[u8],
    mut replica: R,
    from_replica: &[u8],
) -> io::Result<()>
where
    C: AsyncRead + AsyncWrite + Unpin,
    R: AsyncRead + AsyncWrite + Unpin,
{
    replica.write_all(from_client).await?;
    client.write_all(from_replica).await?;
    client.flush().await?;
    copy_bidirectional(&mut client, &mut replica).await?;
    Ok(())
}
