//! How connections come to the gRPC services: bounded in number, in the clear or by TLS.

mod acceptor;
mod connection;
mod router;
mod tls;

pub use acceptor::Acceptor;
pub use connection::{Connections, ConnectionsSample};
pub(crate) use router::router;
pub use tls::{Tls, TlsFiles};
