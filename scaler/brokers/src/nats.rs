//! NATS's client protocol, as far as it takes to publish, to subscribe and to use streams of JetStream:
//! <https://docs.nats.io/reference/reference-protocols/nats-protocol>.
//!
//! Who connects is handed no stream here: where it leads and what secures it is its owner's to say. A server
//! [greets](Greeting) before TLS begins, so that is heard first; then the owner [logs in](Connection::login).

mod connection;
mod decoder;
mod encode;
mod greeting;
pub mod jetstream;
mod message;
mod writer;

pub use connection::Connection;
pub use greeting::Greeting;
pub use message::Message;
pub use writer::Writer;

/// Who connects, as it tells the server.
#[derive(Clone, Copy)]
pub struct Client<'c> {
    /// What it is called where the server lists its connections.
    pub name: &'c str,
    /// Who logs in, if the server wants to know.
    pub login: Option<&'c Login>,
}

/// A user with a password. It does not print.
#[derive(Clone)]
pub struct Login {
    /// Who.
    pub user: String,
    /// The password.
    pub password: String,
}
