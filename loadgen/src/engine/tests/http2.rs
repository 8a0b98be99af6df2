//! HTTP/2.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::*;

/// Where a server listens that answers with what it was sent.
async fn echo() -> (std::net::SocketAddr, JoinSet<()>) {
    static ANSWERED: AtomicU64 = AtomicU64::new(0);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(|request: Request<Incoming>| async {
                ANSWERED.fetch_add(1, Ordering::SeqCst);
                let path = request.uri().path().to_owned();
                let body = request.into_body().collect().await.unwrap().to_bytes();
                let response = Response::builder().header("x-revision", path);
                Ok::<_, Infallible>(response.body(Full::new(body)).unwrap())
            });
            let server = Builder::new(TokioExecutor::new());
            connections.spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    (address, serving)
}

#[tokio::test]
async fn requests_share_connections_as_the_plan_says() {
    let (address, _serving) = echo().await;
    for (connections, opened, waited) in [
        (pool(1000), 1, 0),
        (pool(10), 1, 40),
        (Connections::Fixed(count(3)), 3, 0),
        (Connections::PerRequest(count(7)), 50, 43),
    ] {
        let server = Server::silent();
        let mut target = target(&server, connections);
        http(&mut target).address = address;
        http(&mut target).version = Version::Http2;
        http(&mut target).method = Method::POST;
        http(&mut target).body = text("hello");
        let recording = run(plan(burst(50), vec![target])).await;
        let total = &recording.total;
        assert_eq!(
            total.succeeded,
            50,
            "{connections:?}: {:?}",
            failures(&recording)
        );
        assert_eq!(
            (total.connections_opened, total.waited),
            (opened, waited),
            "{connections:?}"
        );
        assert_eq!(total.bytes, 250);
        assert_eq!(recording.revisions.len(), 50);
        assert_adds_up(&recording);
    }
}

#[tokio::test]
async fn a_server_of_http1_is_no_server_of_http2() {
    let server = Server::answering(super::server::HELLO);
    let mut target = target(&server, pool(5));
    http(&mut target).version = Version::Http2;
    target.timeout = LONG;
    let recording = run(plan(burst(1), vec![target])).await;
    assert_eq!(recording.total.answered, 0);
    assert_eq!(failures(&recording).len(), 1);
    assert_adds_up(&recording);
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up() {
    let server = Server::silent();
    let mut target = target(&server, pool(2));
    http(&mut target).version = Version::Http2;
    target.timeout = Duration::from_millis(50);
    let recording = run(plan(burst(5), vec![target])).await;
    let found = failures(&recording);
    assert_eq!(
        (found[0].0, found[0].1),
        (FailureKind::Timeout, 5),
        "{found:?}"
    );
    assert_adds_up(&recording);
}
