//! What one client may ask of the ingress.

pub(crate) mod gate;
pub(crate) mod listeners;
pub(crate) mod reason;

use std::time::Duration;

/// Bounds of requests and connections, so that no client takes more than its share. What is beyond one
/// is refused, and counted in [`LimitReading`](crate::LimitReading).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections in all. Further ones are closed as they come.
    pub connections: u32,
    /// Connections of one client: an IPv4 address, or 64 bits of an IPv6 address. Further ones are
    /// closed as they come.
    pub connections_per_client: u32,
    /// Bytes of a request's head, and of its trailers. Beyond: 431.
    pub header_bytes: u32,
    /// Headers of a request. Beyond: 431.
    pub headers: u16,
    /// Bytes of a request's target. Beyond: 414.
    pub target_bytes: u16,
    /// Bytes of a request's body, if they are bounded. Beyond: 413.
    pub body_bytes: Option<u64>,
    /// Requests that an HTTP/2 connection may have at a time. Further ones wait for the client's turn.
    pub streams: u32,
    /// How long a client may take from the first byte of a request's head to its last one, and from
    /// connecting to the first byte. After that: 408.
    pub head_timeout: Duration,
    /// How long a client may take to send [`BODY_PROGRESS`] bytes of a body, or its rest, while the app
    /// waits for them and has not begun to answer. After that: 408. Bodies of gRPC are streams, which
    /// may pause.
    pub body_timeout: Duration,
    /// How long a connection may be without a request. After that it is closed.
    pub idle_timeout: Duration,
    /// How long a client may take none of an answer that is there for it. After that its connection
    /// is reset.
    pub write_timeout: Duration,
}

/// Bytes of a body that make a client's time for it begin anew.
pub const BODY_PROGRESS: u64 = 4096;

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 65_536,
            connections_per_client: 16_384,
            header_bytes: 64 * 1024,
            headers: 100,
            target_bytes: 16 * 1024,
            body_bytes: None,
            streams: 256,
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(240),
            write_timeout: Duration::from_secs(240),
        }
    }
}
