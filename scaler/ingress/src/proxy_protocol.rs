//! The PROXY protocol: what a proxy that passes bytes on says first of who is behind it. Both versions, as
//! HAProxy's specification has them (proxy-protocol.txt, revision 2020/03/05).

mod binary;
#[cfg(test)]
mod properties;
mod text;

use std::io;
use std::net::IpAddr;

use thiserror::Error;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// The most bytes of a header that are read. Version 2 could have 64 KiB of extensions.
const MOST: usize = 4096;

/// A whole header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    /// Its length in bytes.
    length: usize,
    /// Who connected to the proxy; none if the proxy speaks for itself, or does not know.
    client: Option<IpAddr>,
}

/// Why a connection does not begin as it has to.
#[derive(Debug, Error)]
pub(crate) enum Wrong {
    /// What comes is something else.
    #[error(
        "it does not begin with the PROXY protocol; have the proxy send it, or leave its network out"
    )]
    Absent,
    /// What comes is no header that there may be.
    #[error("its header of the PROXY protocol is wrong: {0}")]
    Header(&'static str),
    /// The connection ended or broke before.
    #[error("it ended before its header of the PROXY protocol: {0}")]
    Ended(#[from] io::Error),
}

/// Takes the header that `stream` begins with, and nothing that comes after it. Returns who connected to the
/// proxy; none if the proxy speaks for itself, or does not know.
///
/// # Errors
/// When there is none, or it is not what it has to be.
pub(crate) async fn take(stream: &mut TcpStream) -> Result<Option<IpAddr>, Wrong> {
    let mut bytes = vec![0; MOST];
    let mut taken = 0;
    loop {
        // A parser never says that 4096 bytes are too few, so there is room.
        let seen = taken + stream.peek(&mut bytes[taken..]).await?;
        if seen == taken {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let header = parse(&bytes[..seen])?;
        // Where it is not whole, all that has come is of it.
        let end = header.map_or(seen, |header| header.length);
        stream.read_exact(&mut bytes[taken..end]).await?;
        taken = end;
        if let Some(header) = header {
            return Ok(header.client);
        }
    }
}

/// Reads a header from the first bytes of a connection; none if it is not whole. Then all `bytes` are of it, and
/// fewer than [`MOST`].
fn parse(bytes: &[u8]) -> Result<Option<Header>, Wrong> {
    if begins(bytes, binary::SIGNATURE) {
        return binary::parse(bytes);
    }
    if begins(bytes, text::SIGNATURE) {
        return text::parse(bytes);
    }
    Err(Wrong::Absent)
}

/// Whether `bytes` begin with `signature`, or may once there are more.
fn begins(bytes: &[u8], signature: &[u8]) -> bool {
    bytes.starts_with(signature) || signature.starts_with(bytes)
}
