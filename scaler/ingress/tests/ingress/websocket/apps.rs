//! Apps that take WebSocket.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Method, Request, Response};
use hyper::body::Incoming;
use hyper::ext::Protocol;
use hyper::server::conn::http2 as server;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;

use crate::app::{App, answer, full};

/// An app over HTTP/2 that takes WebSocket, and gives back what comes until that ends.
pub(super) async fn http2_app() -> App {
    App::raw(|stream| async move {
        let running = Arc::new(Mutex::new(JoinSet::new()));
        let service = service_fn(move |mut request: Request<Incoming>| {
            let running = Arc::clone(&running);
            async move {
                let protocol = request.extensions().get::<Protocol>().map(Protocol::as_str);
                let is_right = protocol == Some("websocket")
                    && request.method() == Method::CONNECT
                    && request.uri() == "http://hello.localhost/chat?a=b"
                    && !request.headers().contains_key("sec-websocket-key")
                    && !request.headers().contains_key("upgrade");
                if !is_right {
                    return Ok::<_, Infallible>(
                        Response::builder().status(418).body(full("")).unwrap(),
                    );
                }
                let stream = hyper::upgrade::on(&mut request);
                running.lock().unwrap().spawn(async move {
                    let (mut from, mut to) = tokio::io::split(TokioIo::new(stream.await.unwrap()));
                    tokio::io::copy(&mut from, &mut to).await.unwrap();
                    to.shutdown().await.unwrap();
                });
                let accepted = Response::builder().header("sec-websocket-protocol", "chat");
                Ok(accepted.body(full("")).unwrap())
            }
        });
        let mut builder = server::Builder::new(TokioExecutor::new());
        builder.enable_connect_protocol();
        drop(
            builder
                .serve_connection(TokioIo::new(stream), service)
                .await,
        );
    })
    .await
}

/// An app over HTTP/1.1 that answers a request for WebSocket with what `respond` makes of its key.
pub(super) async fn http1_app(respond: fn(&str) -> String) -> App {
    App::raw(move |mut stream| async move {
        let head = answer(&mut stream, "").await.unwrap();
        let named = |name: &str| {
            let mut lines = head.lines().filter_map(|line| line.split_once(": "));
            lines
                .find(|(found, _)| *found == name)
                .map(|(_, value)| value)
        };
        assert!(head.starts_with("GET /chat?a=b HTTP/1.1\r\n"), "{head}");
        assert_eq!(named("upgrade"), Some("websocket"), "{head}");
        assert_eq!(named("connection"), Some("upgrade"), "{head}");
        assert_eq!(named("sec-websocket-version"), Some("13"), "{head}");
        let said = respond(named("sec-websocket-key").expect("a key"));
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut buffer = [0; 5];
        while stream.read_exact(&mut buffer).await.is_ok() {
            stream.write_all(&buffer).await.unwrap();
        }
    })
    .await
}

pub(super) fn switching(proof: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{proof}\r\n"
    )
}

pub(super) fn right(key: &str) -> String {
    use base64::Engine as _;
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let hash = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    let proof = base64::prelude::BASE64_STANDARD.encode(hash);
    switching(&format!("Sec-WebSocket-Accept: {proof}\r\n"))
}
