//! How connections come to the gRPC services: bounded in number, in the clear or by TLS.

mod acceptor;
mod connection;
mod tls;
mod validity;

use std::time::Duration;

pub use acceptor::Acceptor;
pub use connection::{Connections, ConnectionsSample};
pub use tls::{Tls, TlsFiles};

/// Clients send no keepalive of their own, so a connection that is gone is found out from here.
pub(crate) const KEEPALIVE: Duration = Duration::from_secs(30);
pub(crate) const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
