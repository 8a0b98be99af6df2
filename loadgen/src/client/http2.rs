//! One HTTP/2 connection that all requests share.

use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::TokioExecutor;
use tokio::sync::Mutex;

use super::Body;
use super::dial::Dialer;
use crate::outcome::Failure;

/// The connection, once there is one; a new one is opened when it closes.
///
/// Beyond the number of streams that the server allows at once, requests queue inside of it, and
/// that counts as service time.
#[derive(Default)]
pub(super) struct Shared {
    sender: Mutex<Option<SendRequest<Body>>>,
}

impl Shared {
    pub(super) async fn sender(&self, dialer: &Dialer) -> Result<SendRequest<Body>, Failure> {
        let mut shared = self.sender.lock().await;
        if let Some(sender) = shared.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let io = dialer.connect().await?;
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await?;
        dialer.drive(connection);
        Ok(shared.insert(sender).clone())
    }
}
