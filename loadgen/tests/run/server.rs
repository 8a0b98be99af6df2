//! A server for the tests, on a thread of its own, that does what a test wants of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// What the server does with the n-th request, counted from 0.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Behaviour {
    /// 200, with `x-revision: even` or `odd`.
    Answer,
    /// 200, and the connection is closed after it.
    AnswerAndClose,
    /// 503.
    Refuse,
    /// The connection is closed without an answer.
    Hangup,
    /// Bytes that are not HTTP.
    Nonsense,
    /// No answer, ever.
    Silence,
    /// As `Answer`, but before it answers request `at` it does nothing at all for `pause`.
    Stall { at: u64, pause: Duration },
    /// As `Answer`, over HTTP/2.
    Http2,
}

/// A running server; it stops when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Seen>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicU64,
    requests: AtomicU64,
}

impl Server {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let (stop, stopped) = oneshot::channel();
        let shared = Arc::clone(&seen);
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                tokio::select! {
                    () = accept(listener, behaviour, shared) => {}
                    _ = stopped => {}
                }
            });
        });
        Self {
            address,
            seen,
            stop: Some(stop),
            thread: Some(thread),
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    pub(crate) fn connections(&self) -> u64 {
        self.seen.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn requests(&self) -> u64 {
        self.seen.requests.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

async fn accept(listener: TcpListener, behaviour: Behaviour, seen: Arc<Seen>) {
    let mut connections = JoinSet::new();
    while let Ok((mut stream, _)) = listener.accept().await {
        seen.connections.fetch_add(1, Ordering::SeqCst);
        let seen = Arc::clone(&seen);
        connections.spawn(async move {
            if matches!(behaviour, Behaviour::Nonsense) {
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"220 this is a mail server\r\n\r\n").await;
                return;
            }
            let io = TokioIo::new(stream);
            let service = service_fn(move |request| answer(request, behaviour, Arc::clone(&seen)));
            // The connection of a hang-up ends with the error that the service made.
            let _ = match behaviour {
                Behaviour::Http2 => {
                    let http2 = http2::Builder::new(TokioExecutor::new());
                    http2.serve_connection(io, service).await
                }
                _ => http1::Builder::new().serve_connection(io, service).await,
            };
        });
    }
}

#[derive(Debug, thiserror::Error)]
#[error("hang up")]
struct HangUp;

async fn answer(
    _request: Request<Incoming>,
    behaviour: Behaviour,
    seen: Arc<Seen>,
) -> Result<Response<Full<Bytes>>, HangUp> {
    let position = seen.requests.fetch_add(1, Ordering::SeqCst);
    let mut response = Response::new(Full::from("hello"));
    let revision = if position.is_multiple_of(2) {
        "even"
    } else {
        "odd"
    };
    let headers = response.headers_mut();
    headers.insert("x-revision", http::HeaderValue::from_static(revision));
    match behaviour {
        Behaviour::Stall { at, pause } if at == position => tokio::time::sleep(pause).await,
        Behaviour::Silence => std::future::pending().await,
        Behaviour::Hangup => return Err(HangUp),
        Behaviour::Refuse => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
        Behaviour::AnswerAndClose => {
            headers.insert("connection", http::HeaderValue::from_static("close"));
        }
        _ => {}
    }
    Ok(response)
}
