//! The handshake, and what is said to clients that do not begin one.

use std::io;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::rustls::server::Acceptor;
use tokio_rustls::server::TlsStream;

use super::{Presented, SharedTls};
use crate::stream::{ClientWatch, SharedStream};

/// What a TLS connection begins with: a record of the handshake (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 22;

/// For those who ask this port in the clear.
const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\
    Content-Length: 74\r\n\
    Connection: close\r\n\r\n\
    This port takes HTTPS, and the request came in the clear; ask by https://\n";

/// A connection by TLS.
pub(crate) struct Handshaken {
    pub(crate) stream: TlsStream<SharedStream>,
    pub(crate) watch: ClientWatch,
    /// Whether the client chose HTTP/2.
    pub(crate) is_http2: bool,
    /// What the client has shown of itself, if it was asked.
    pub(crate) presented: Option<Box<Presented>>,
}

/// Does the handshake.
///
/// # Errors
/// What is wrong with it; the client has been told.
pub(crate) async fn shake(tls: &SharedTls, mut stream: TcpStream) -> io::Result<Handshaken> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if first != [HANDSHAKE] {
        return Err(answer_in_the_clear(&mut stream, first[0]).await);
    }
    let stream = SharedStream::new(stream);
    let watch = stream.watch();
    let begun = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
    let host = begun
        .client_hello()
        .server_name()
        .map(str::to_ascii_lowercase);
    let (config, asks) = tls.config_for(host.as_deref());
    let stream = begun.into_stream(config).await?;
    let session = stream.get_ref().1;
    let is_http2 = session.alpn_protocol() == Some(b"h2");
    let host = host.filter(|_| asks);
    let presented = host.map(|host| Box::new(Presented::new(host.into(), session)));
    Ok(Handshaken {
        stream,
        watch,
        is_http2,
        presented,
    })
}

/// Says what is wrong, if it looks like a request of HTTP.
async fn answer_in_the_clear(stream: &mut TcpStream, first: u8) -> io::Error {
    if !first.is_ascii_uppercase() {
        return io::Error::other("what came is no TLS");
    }
    // What the client has sent is taken first: closing would otherwise reset the connection, and
    // the answer with it.
    let mut request = [0; 4096];
    let answered = match stream.try_read(&mut request) {
        Ok(_) => stream.write_all(PLAIN).await,
        Err(error) => Err(error),
    };
    let closed = match answered {
        Ok(()) => stream.shutdown().await,
        Err(error) => Err(error),
    };
    closed
        .err()
        .unwrap_or_else(|| io::Error::other("a request came in the clear"))
}

#[cfg(test)]
mod tests {
    use super::PLAIN;

    #[test]
    fn the_answer_in_the_clear_has_the_length_it_says() {
        let text = std::str::from_utf8(PLAIN).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("Content-Length: {}\r\n", body.len())),
            "{}",
            body.len()
        );
    }
}
