//! WebSocket where one side speaks HTTP/2 (RFC 8441).

mod apps;

use std::time::Duration;

use ebbtide_ingress::{LimitReading, UpstreamProtocol};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http2 as client;
use hyper::ext::Protocol;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::app::{App, full};
use crate::bed::{Bed, HOST, replica, replica_with, until};
use crate::client::Client;
use apps::{http1_app, http2_app, right, switching};

/// The example of RFC 6455, section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

type Sender = client::SendRequest<Empty<bytes::Bytes>>;

/// An HTTP/2 client that has heard what the ingress takes.
async fn http2_client(bed: &Bed, tasks: &mut JoinSet<()>) -> Sender {
    let stream = TokioIo::new(TcpStream::connect(bed.address).await.unwrap());
    let builder = client::Builder::new(TokioExecutor::new());
    let (mut sender, connection) = builder.handshake(stream).await.unwrap();
    tasks.spawn(async move { drop(connection.await) });
    let first = Request::get("http://unknown.localhost/").body(Empty::new());
    assert_eq!(
        sender.send_request(first.unwrap()).await.unwrap().status(),
        404
    );
    sender
}

async fn connect(sender: &mut Sender, protocol: &'static str) -> Response<Incoming> {
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(format!("http://{HOST}/chat?a=b"))
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "chat")
        .body(Empty::new())
        .unwrap();
    let protocol = Protocol::from_static(protocol);
    request.extensions_mut().insert(protocol);
    sender.send_request(request).await.unwrap()
}

/// Bytes go both ways over what an answer has switched to, until the client ends.
async fn passes(answer: &mut Response<Incoming>) {
    let mut stream = TokioIo::new(hyper::upgrade::on(answer).await.unwrap());
    let mut buffer = [0; 5];
    for text in ["hello", "again"] {
        stream.write_all(text.as_bytes()).await.unwrap();
        stream.read_exact(&mut buffer).await.unwrap();
        assert_eq!(buffer, text.as_bytes());
    }
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut buffer).await.unwrap(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2_it_is_a_stream_and_an_app_over_http2_is_asked_the_same_way() {
    let bed = Bed::new();
    let app = http2_app().await;
    let replica = replica_with(app.address, UpstreamProtocol::Http2);
    bed.serve(std::slice::from_ref(&replica));
    let mut tasks = JoinSet::new();
    let mut sender = http2_client(&bed, &mut tasks).await;
    let mut answers = [
        connect(&mut sender, "websocket").await,
        connect(&mut sender, "websocket").await,
    ];
    assert_eq!(
        (replica.in_flight(), bed.meter.read().sums.in_flight()),
        (2, 2)
    );
    for answer in &mut answers {
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["sec-websocket-protocol"], "chat");
        passes(answer).await;
    }
    until("the tunnels have ended", || replica.in_flight() == 0).await;
    until("they are counted", || {
        bed.meter.read().codes.get(&200) == Some(&2)
    })
    .await;
    // A connection that breaks ends them.
    let mut broken = connect(&mut sender, "websocket").await;
    let stream = hyper::upgrade::on(&mut broken).await.unwrap();
    until("it is there", || replica.in_flight() == 1).await;
    tasks.shutdown().await;
    drop(stream);
    until("it has ended", || replica.in_flight() == 0).await;
    // Over HTTP/1.1 the client has its own key proved.
    let mut client = Client::connect(bed.address).await;
    client.write(&format!("GET /chat?a=b HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: {KEY}\r\n\r\n")).await;
    let reply = client.head().await;
    assert_eq!(reply.status, 101, "{reply:?}");
    assert_eq!(reply.header("sec-websocket-accept"), Some(ACCEPT));
    assert_eq!(reply.header("upgrade"), Some("websocket"));
    client.write("hello").await;
    let mut buffer = [0; 5];
    client.0.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"hello");
    client.0.shutdown().await.unwrap();
    assert_eq!(client.rest().await.unwrap(), "");
    until("it has ended", || replica.in_flight() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_over_http1_is_asked_to_upgrade_and_has_to_prove_that_it_has() {
    let bed = Bed::new();
    let mut tasks = JoinSet::new();
    let mut sender = http2_client(&bed, &mut tasks).await;
    for (respond, expected) in [
        (right as fn(&str) -> String, 200),
        (|_| switching("Sec-WebSocket-Accept: wrong\r\n"), 502),
        (|_| switching(""), 502),
        (
            |_| "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno".to_owned(),
            502,
        ),
        (
            |_| "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno".to_owned(),
            403,
        ),
    ] {
        let app = http1_app(respond).await;
        let replica = replica(app.address);
        bed.serve(std::slice::from_ref(&replica));
        let mut answer = connect(&mut sender, "websocket").await;
        assert_eq!(answer.status(), expected);
        assert!(!answer.headers().contains_key("sec-websocket-accept"));
        if expected == 200 {
            passes(&mut answer).await;
        } else {
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body == "no", expected == 403, "{body:?}");
        }
        until("it has ended", || replica.in_flight() == 0).await;
    }
    until("all are counted", || bed.meter.read().sums.in_flight() == 0).await;
    let counted: Vec<_> = bed.meter.read().codes.into_iter().collect();
    assert_eq!(counted, [(200, 1), (403, 1), (502, 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_the_reason() {
    let bed = Bed::new();
    let app = App::http2(|_| async { Response::new(full("ordinary")) }).await;
    bed.serve(&[replica_with(app.address, UpstreamProtocol::Http2)]);
    let mut tasks = JoinSet::new();
    let mut sender = http2_client(&bed, &mut tasks).await;
    for (protocol, reason) in [("websocket", "RFC 8441"), ("other", "websocket is the one")] {
        let answer = connect(&mut sender, protocol).await;
        assert_eq!(answer.status(), 501);
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains(reason), "{body}");
    }
    let plain = Request::connect(HOST).body(Empty::new()).unwrap();
    assert_eq!(sender.send_request(plain).await.unwrap().status(), 501);
    let ordinary = Request::get(format!("http://{HOST}/")).body(Empty::new());
    assert_eq!(
        sender
            .send_request(ordinary.unwrap())
            .await
            .unwrap()
            .status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http2_it_outlasts_the_idle_time_and_is_waited_for_at_the_end() {
    let bed = Bed::new();
    let app = http1_app(right).await;
    bed.serve(&[replica(app.address)]);
    let mut tasks = JoinSet::new();
    let _idle = http2_client(&bed, &mut tasks).await;
    let mut sender = http2_client(&bed, &mut tasks).await;
    let mut answer = connect(&mut sender, "websocket").await;
    assert_eq!(answer.status(), 200);
    let idle = |limits: LimitReading| {
        let mut reached = limits.reached.into_iter();
        reached.any(|(name, times)| name == "idle-time" && times > 0)
    };
    bed.clock.advance(Duration::from_secs(3600));
    until("the idle connection ends", || {
        idle(bed.ingress.limits().read())
    })
    .await;
    bed.ingress.stop_accepting();
    let refused = async {
        while TcpStream::connect(bed.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    refused.await;
    passes(&mut answer).await;
    bed.ingress.shutdown(Duration::from_secs(30)).await;
    assert_eq!(bed.meter.read().codes.get(&200), Some(&1));
}
