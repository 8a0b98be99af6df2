//! One try of a probe.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use ebbtide_core::document::{Probe, ProbeAction};
use http::header::{HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Request};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustix::io::Errno;
use socket2::{Domain, Socket, Type};
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Bytes of an answer's body that are read.
const LONGEST_BODY: usize = 64 * 1024;

/// Why a try failed.
#[derive(Debug, Error)]
pub(super) enum ProbeError {
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("the answer had status {0}, which is not one of 200 to 399")]
    Status(u16),
    #[error("the request cannot be made from the document: {0}")]
    Request(#[from] http::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
}

impl ProbeError {
    /// Whether nothing listens on the port.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused)
    }
}

/// Tries once, on 127.0.0.1.
pub(super) async fn attempt(probe: &Probe) -> Result<(), ProbeError> {
    let tried = async {
        match &probe.action {
            ProbeAction::TcpSocket { port } => connect(*port).await.map(drop),
            ProbeAction::HttpGet { port, .. } => {
                let request = request(&probe.action)?;
                get(connect(*port).await?, request).await
            }
        }
    };
    match timeout(probe.timeout, tried).await {
        Ok(result) => result,
        Err(_) => Err(ProbeError::Timeout(probe.timeout)),
    }
}

async fn connect(port: u16) -> Result<TcpStream, ProbeError> {
    let stream = TcpStream::from_std(begin(port)?)?;
    stream.writable().await?;
    if let Some(error) = stream.take_error()? {
        return Err(error.into());
    }
    // Where nobody listens, the system may pick the port itself for our end, and TCP then connects
    // us with ourselves. A reset frees the port at once.
    if stream.local_addr()? == stream.peer_addr()? {
        stream.set_zero_linger()?;
        return Err(io::Error::from(io::ErrorKind::ConnectionRefused).into());
    }
    Ok(stream)
}

/// Begins to connect. Within a machine it is known at once if nobody listens, so that such a try costs next to nothing
/// and needs no waiting.
fn begin(port: u16) -> io::Result<std::net::TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match socket.connect(&address.into()) {
        Err(error) if Errno::from_io_error(&error) != Some(Errno::INPROGRESS) => Err(error),
        _ => socket.take_error()?.map_or(Ok(socket.into()), Err),
    }
}

async fn get(stream: TcpStream, request: Request<Empty<Bytes>>) -> Result<(), ProbeError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let asked = async move {
        let response = sender.send_request(request).await?;
        let status = response.status().as_u16();
        // Reads the body, as the app would fail to write it to a connection that was closed.
        let body = Limited::new(response.into_body(), LONGEST_BODY);
        let _ = body.collect().await;
        Ok::<_, hyper::Error>(status)
    };
    let (mut asked, mut connection) = (pin!(asked), pin!(connection));
    let status = tokio::select! {
        status = &mut asked => status?,
        // Once it has ended, however, all that was to come is there.
        _ = &mut connection => asked.await?,
    };
    match status {
        200..=399 => Ok(()),
        _ => Err(ProbeError::Status(status)),
    }
}

fn request(action: &ProbeAction) -> Result<Request<Empty<Bytes>>, http::Error> {
    let ProbeAction::HttpGet {
        port,
        path,
        host,
        headers,
        ..
    } = action
    else {
        return Ok(Request::new(Empty::new()));
    };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let mut request = Request::get(format!("{slash}{path}")).body(Empty::new())?;
    let host = host.clone().unwrap_or_else(|| format!("127.0.0.1:{port}"));
    let own = request.headers_mut();
    own.insert(HOST, HeaderValue::try_from(host)?);
    own.insert(USER_AGENT, HeaderValue::from_static("ebbtide-probe"));
    for (name, value) in headers {
        own.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;
    use crate::probe::plan::tests::tcp_probe;
    use ebbtide_core::document::ProbeKind;

    async fn listener() -> (TcpListener, u16) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        (listener, port)
    }

    fn http_probe(port: u16) -> Probe {
        let mut probe = tcp_probe(ProbeKind::Readiness, port);
        probe.action = ProbeAction::HttpGet {
            port,
            path: "ready?x=1".to_owned(),
            host: Some("app.example".to_owned()),
            https: false,
            headers: vec![("x-key".to_owned(), "secret".to_owned())],
        };
        probe
    }

    /// Answers one connection with `answer` and returns what was asked.
    async fn serve_once(listener: &TcpListener, answer: &[u8]) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let mut length = 0;
        while !asked[..length].ends_with(b"\r\n\r\n") {
            length += stream.read(&mut asked[length..]).await.unwrap();
        }
        stream.write_all(answer).await.unwrap();
        String::from_utf8_lossy(&asked[..length]).into_owned()
    }

    #[tokio::test]
    async fn tcp_succeeds_when_something_listens() {
        let (listener, port) = listener().await;
        let probe = tcp_probe(ProbeKind::Readiness, port);
        assert!(attempt(&probe).await.is_ok());
        drop(listener);
        assert!(attempt(&probe).await.unwrap_err().is_refused());
    }

    #[tokio::test]
    async fn http_succeeds_from_200_to_399() {
        let (listener, port) = listener().await;
        for (status, good) in [
            (200, true),
            (204, true),
            (302, true),
            (404, false),
            (503, false),
        ] {
            // Without a length the body ends with the connection.
            let answer = format!("HTTP/1.1 {status} X\r\n\r\nbody");
            let probe = http_probe(port);
            let (result, asked) =
                tokio::join!(attempt(&probe), serve_once(&listener, answer.as_bytes()));
            assert_eq!(result.is_ok(), good, "{status}");
            assert!(asked.starts_with("GET /ready?x=1 HTTP/1.1\r\n"), "{asked}");
            assert!(asked.contains("host: app.example\r\n"), "{asked}");
            assert!(asked.contains("x-key: secret\r\n"), "{asked}");
        }
    }

    #[tokio::test]
    async fn http_fails_with_a_reason() {
        let (listener, port) = listener().await;
        let mut probe = http_probe(port);
        let (result, _) = tokio::join!(attempt(&probe), serve_once(&listener, b"nonsense\r\n\r\n"));
        assert!(matches!(result, Err(ProbeError::Http(_))), "{result:?}");

        probe.timeout = Duration::from_millis(10);
        let silent = attempt(&probe).await;
        assert!(matches!(silent, Err(ProbeError::Timeout(_))), "{silent:?}");

        if let ProbeAction::HttpGet { headers, .. } = &mut probe.action {
            headers.push(("not a name".to_owned(), String::new()));
        }
        let unmade = attempt(&probe).await;
        assert!(matches!(unmade, Err(ProbeError::Request(_))), "{unmade:?}");
    }
}
