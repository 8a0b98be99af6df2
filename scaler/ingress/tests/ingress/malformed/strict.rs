//! An app that reads requests to the letter of RFC 9112 and writes down what it has seen: one line a
//! request, and `BAD …` for what no intermediary should have let through.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::app::App;

/// Headers that are on every request, or are said in another way.
const USUAL: [&str; 9] = [
    "host",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "traceparent",
    "content-length",
    "transfer-encoding",
    "connection",
    "expect",
];

type Seen = Arc<Mutex<Vec<String>>>;

pub(super) struct StrictApp {
    app: App,
    seen: Seen,
}

impl StrictApp {
    pub(super) async fn start() -> Self {
        let seen = Seen::default();
        let kept = Arc::clone(&seen);
        let app = App::raw(move |stream| serve(stream, Arc::clone(&kept))).await;
        Self { app, seen }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.app.address
    }

    /// The requests seen to their end since the last look.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }
}

async fn serve(mut stream: TcpStream, seen: Seen) {
    while let Some(request) = read(&mut stream).await {
        seen.lock().unwrap().push(request);
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request; none if the connection ends before the request does.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let line = line(stream).await?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next()?, parts.next()?.to_owned());
    let mut seen = format!("{method} {target}");
    if parts.next() != Some("HTTP/1.1") || parts.next().is_some() {
        return Some(format!("BAD {line}"));
    }
    let headers = headers(stream).await?;
    let values = |name: &str| -> Vec<&str> {
        let named = headers.iter().filter(|(found, _)| found == name);
        named.map(|(_, value)| value.as_str()).collect()
    };
    if values("host").len() != 1 || values("x-forwarded-for").len() != 1 {
        seen.push_str(" BAD hosts");
    }
    if values("host") != ["hello"] {
        write!(seen, " @{}", values("host").join("|")).unwrap();
    }
    for (name, value) in &headers {
        if !USUAL.contains(&name.as_str()) {
            write!(seen, " {name}:{value}").unwrap();
        }
    }
    match (
        &values("transfer-encoding")[..],
        &values("content-length")[..],
    ) {
        ([], []) => {}
        ([], [length]) => {
            let mut body = vec![0; length.parse().ok()?];
            stream.read_exact(&mut body).await.ok()?;
            write!(seen, " ={}", String::from_utf8_lossy(&body)).unwrap();
        }
        (["chunked"], []) => write!(seen, " ~{}", chunked(stream).await?).unwrap(),
        lengths => write!(seen, " BAD {lengths:?}").unwrap(),
    }
    Some(seen)
}

/// A body in chunks, then its trailers.
async fn chunked(stream: &mut TcpStream) -> Option<String> {
    let mut body = String::new();
    loop {
        let size = line(stream).await?;
        let size = usize::from_str_radix(&size, 16).ok()?;
        if size == 0 {
            break;
        }
        let mut chunk = vec![0; size + 2];
        stream.read_exact(&mut chunk).await.ok()?;
        body.push_str(std::str::from_utf8(&chunk).ok()?.strip_suffix("\r\n")?);
    }
    for (name, value) in headers(stream).await? {
        write!(body, " ^{name}:{value}").unwrap();
    }
    Some(body)
}

async fn headers(stream: &mut TcpStream) -> Option<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let line = line(stream).await?;
        if line.is_empty() {
            return Some(headers);
        }
        let (name, value) = line.split_once(':').unwrap_or(("BAD", &line));
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
}

/// A line without its end, which is CR LF and nothing else.
async fn line(stream: &mut TcpStream) -> Option<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.ok()?);
    }
    line.truncate(line.len() - 2);
    let bare = line.iter().any(|b| b"\r\n\0".contains(b));
    let text = String::from_utf8_lossy(&line).into_owned();
    Some(if bare { format!("BAD {text:?}") } else { text })
}
