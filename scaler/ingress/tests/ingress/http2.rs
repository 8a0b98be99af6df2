//! HTTP/2 on either side, with a client that is not ours where there is one.

use std::convert::Infallible;
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;

use ebbtide_ingress::UpstreamProtocol;
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2;
use hyper::server::conn::http2 as server;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::app::{App, full};
use crate::bed::{Bed, HOST, replica, replica_with, until};

async fn curl(bed: &Bed, arguments: &[&str]) -> String {
    let url = format!("http://{}/path", bed.address);
    let mut command = Command::new("curl");
    command.args([
        "-sS",
        "-i",
        "--max-time",
        "20",
        "-H",
        "Host: hello.localhost",
    ]);
    command.args(arguments).arg(url).stdin(Stdio::null());
    let output = command.output().await.expect("curl is installed");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().to_lowercase()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_speaks_http2_to_the_ingress() {
    let bed = Bed::new();
    let app = App::http1(|request| async move {
        assert_eq!(request.version(), Version::HTTP_11);
        let host = request.headers()["host"].to_str().unwrap().to_owned();
        let forwarded = request.headers()["x-forwarded-host"]
            .to_str()
            .unwrap()
            .to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Response::new(full(format!("{host} {forwarded} {}", body.len())))
    })
    .await;
    bed.serve(&[replica(app.address)]);
    let answer = curl(&bed, &["--http2-prior-knowledge", "--data", "body"]).await;
    assert!(answer.starts_with("http/2 200"), "{answer}");
    assert!(
        answer.ends_with("hello.localhost hello.localhost 4"),
        "{answer}"
    );
    // An upgrade to HTTP/2 is not taken up; the request is answered as it is.
    let answer = curl(&bed, &["--http2"]).await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    let answer = curl(&bed, &["--http1.0"]).await;
    assert!(answer.starts_with("http/1.0 200"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_may_speak_http2() {
    let bed = Bed::new();
    let app = App::http2(|request| async move {
        assert_eq!(request.version(), Version::HTTP_2);
        Response::new(full(request.uri().to_string()))
    })
    .await;
    bed.serve(&[replica_with(app.address, UpstreamProtocol::Http2)]);
    for arguments in [["--http2-prior-knowledge"], ["--http1.1"]] {
        let answer = curl(&bed, &arguments).await;
        assert!(answer.ends_with("http://hello.localhost/path"), "{answer}");
    }
    assert!(app.connections() <= 2, "one for each worker");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_of_one_connection_wait_and_are_cancelled_each_for_itself() {
    let bed = Bed::new();
    bed.serve(&[]);
    let stream = TcpStream::connect(bed.address).await.unwrap();
    let builder = http2::Builder::new(TokioExecutor::new());
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { connection.await.unwrap() });
    let get = || {
        let mut sender = sender.clone();
        let request = Request::builder().uri(format!("http://{HOST}/"));
        let request = request.body(Empty::<bytes::Bytes>::new()).unwrap();
        async move {
            sender
                .send_request(request)
                .await
                .unwrap()
                .status()
                .as_u16()
        }
    };
    let mut kept = JoinSet::new();
    let mut cancelled = JoinSet::new();
    for _ in 0..3 {
        kept.spawn(get());
        cancelled.spawn(get());
    }
    until("all wait", || bed.meter.read().waiting == 6).await;
    cancelled.shutdown().await;
    until("three have left", || bed.meter.read().waiting == 3).await;
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    assert_eq!(kept.join_all().await, [200, 200, 200]);
    until("all are counted", || bed.meter.read().sums.in_flight() == 0).await;
    assert_eq!(
        bed.meter.read().codes.into_iter().collect::<Vec<_>>(),
        [(200, 3), (499, 3)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_may_close_its_connection_after_any_answer() {
    let bed = Bed::new();
    let app = App::raw(|stream| async move {
        let answered = Arc::new(Notify::new());
        let tell = Arc::clone(&answered);
        let service = service_fn(move |_| {
            tell.notify_one();
            async { Ok::<_, Infallible>(Response::new(full("hello"))) }
        });
        let builder = server::Builder::new(TokioExecutor::new());
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = answered.notified() => {}
        }
        connection.as_mut().graceful_shutdown();
        drop(connection.await);
    })
    .await;
    bed.serve(&[replica_with(app.address, UpstreamProtocol::Http2)]);
    for _ in 0..10 {
        let answer = curl(&bed, &["--http1.1"]).await;
        assert!(answer.ends_with("hello"), "{answer}");
    }
    // A request that comes before the connection's end is answered on it.
    assert!((2..=10).contains(&app.connections()));
}
