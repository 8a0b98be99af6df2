//! A connection that has switched to another protocol (WebSocket): bytes both ways until both
//! sides have ended.

mod counted;

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::sync::oneshot;

use crate::request::visit::Visit;
use crate::upstream::Upgraded;
use counted::Counted;

/// What is needed to connect a client with a replica once the answer 101 is written. The request
/// counts until the tunnel ends.
pub(crate) struct Tunnel {
    pub(crate) replica: oneshot::Receiver<Upgraded>,
    pub(crate) visit: Visit,
}

impl Tunnel {
    /// Passes bytes on until both sides have ended or one has broken. `read` is what the client
    /// has sent already.
    pub(crate) async fn run<S>(self, client: S, read: Bytes)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Ok(replica) = self.replica.await else {
            return;
        };
        self.visit.received(read.len());
        let client = Counted::new(client, &self.visit);
        if let Err(error) = splice(client, &read, replica).await {
            tracing::debug!(%error, "a tunnel broke");
        }
    }
}

async fn splice<S>(mut client: Counted<'_, S>, read: &[u8], replica: Upgraded) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = replica.stream;
    stream.write_all(read).await?;
    client.write_all(&replica.read).await?;
    client.flush().await?;
    copy_bidirectional(&mut client, &mut stream).await?;
    Ok(())
}
