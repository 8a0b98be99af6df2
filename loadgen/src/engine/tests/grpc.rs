//! gRPC, against a server that answers as the method's name says.

use std::convert::Infallible;

use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;

use super::*;
use crate::plan::{Answers, Check, GrpcTarget};

type Frames = Vec<Result<Frame<Bytes>, Infallible>>;

fn data(bytes: &'static [u8]) -> Frame<Bytes> {
    Frame::data(Bytes::from_static(bytes))
}

fn end(status: &'static str) -> Frame<Bytes> {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static(status));
    trailers.insert("grpc-message", HeaderValue::from_static("not%20today"));
    Frame::trailers(trailers)
}

async fn answer(
    request: Request<Incoming>,
) -> Result<
    Response<
        StreamBody<
            futures_util::stream::Iter<std::vec::IntoIter<Result<Frame<Bytes>, Infallible>>>,
        >,
    >,
    Infallible,
> {
    let (head, body) = request.into_parts();
    let asked = body.collect().await.unwrap().to_bytes();
    let frames = match head.uri.path() {
        "/t.T/Echo" => vec![Frame::data(asked), end("0")],
        "/t.T/Count" => vec![data(b"\0\0\0\0\x01a\0\0"), data(b"\0\0\x02bc"), end("0")],
        "/t.T/None" => vec![end("0")],
        "/t.T/Part" => vec![data(b"\0\0\0\0\x09a"), end("0")],
        "/t.T/Compressed" => vec![data(b"\x01\0\0\0\x01a"), end("0")],
        "/t.T/Later" => vec![data(b"\0\0\0\0\x01a"), end("15")],
        "/t.T/NoEnd" => vec![data(b"\0\0\0\0\x01a")],
        _ => vec![],
    };
    let frames: Frames = frames.into_iter().map(Ok).collect();
    let mut response = Response::builder().header("x-revision", "t--one");
    response = match head.uri.path() {
        "/t.T/AtOnce" => response.header("grpc-status", "9"),
        "/t.T/Proxy" => response.status(503),
        _ => response,
    };
    let is_grpc = head.uri.path() != "/t.T/Page" && head.headers["te"] == "trailers";
    let kind = if is_grpc {
        "application/grpc+proto"
    } else {
        "text/html"
    };
    let response = response.header("content-type", kind);
    let body = StreamBody::new(futures_util::stream::iter(frames));
    Ok(response.body(body).unwrap())
}

async fn serve() -> (std::net::SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let server = Builder::new(TokioExecutor::new());
            connections.spawn(server.serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    });
    (address, serving)
}

fn call(address: std::net::SocketAddr, method: &str, answers: Answers) -> PlanTarget {
    let mut target = target(&Server::silent(), pool(10));
    let mut http = http(&mut target).clone();
    http.address = address;
    http.version = Version::Http2;
    http.method = Method::POST;
    http.path = text(&format!("/t.T/{method}"));
    http.headers = vec![(HeaderName::from_static("te"), text("trailers"))];
    http.body = text("\0\0\0\0\u{2}hi");
    target.kind = TargetKind::Grpc(GrpcTarget { http, answers });
    target
}

#[tokio::test]
async fn calls_end_with_the_status_of_their_trailers() {
    let (address, _serving) = serve().await;
    let call = |method, answers| call(address, method, answers);
    for (method, answers, bytes, why) in [
        ("Echo", Answers::One, 7, None),
        ("Count", Answers::Any, 13, None),
        ("None", Answers::Any, 0, None),
        ("Later", Answers::Any, 6, Some("15 (DATA_LOSS): not today")),
        ("AtOnce", Answers::One, 0, Some("9 (FAILED_PRECONDITION)")),
        ("Proxy", Answers::One, 0, Some("503")),
    ] {
        let recording = run(plan(burst(4), vec![call(method, answers)])).await;
        let total = &recording.total;
        assert_eq!(total.answered, 4, "{method}: {:?}", failures(&recording));
        assert_eq!(total.bytes, 4 * bytes, "{method}");
        assert_eq!(
            total.succeeded,
            if why.is_some() { 0 } else { 4 },
            "{method}"
        );
        assert_eq!(recording.revisions["t--one"].answered, 4);
        let first = total.wrong_status.first.clone().unwrap_or_default();
        assert!(first.contains(why.unwrap_or_default()), "{method}: {first}");
        assert_eq!(total.wrong_status.count, if why.is_some() { 4 } else { 0 });
        assert_adds_up(&recording);
    }
}

#[tokio::test]
async fn what_is_no_answer_of_grpc_is_said() {
    let (address, _serving) = serve().await;
    for (method, words) in [
        ("Count", "is to be one message, and has 2"),
        ("None", "is to be one message, and has 0"),
        ("Part", "ends within a message"),
        ("Compressed", "compressed"),
        ("NoEnd", "no grpc-status"),
        ("Page", "text/html"),
    ] {
        let target = call(address, method, Answers::One);
        let recording = run(plan(burst(2), vec![target])).await;
        let found = failures(&recording);
        assert_eq!(
            (found[0].0, found[0].1),
            (FailureKind::Protocol, 2),
            "{found:?}"
        );
        assert!(found[0].2.contains(words), "{found:?}");
    }
}

#[tokio::test]
async fn checks_and_counts_see_messages_and_trailers() {
    let (address, _serving) = serve().await;
    let mut target = call(address, "Count", Answers::Any);
    http(&mut target).count_header = Some(HeaderName::from_static("grpc-status"));
    target.checks = vec![Check::BodyContains("abc".to_owned())];
    let recording = run(plan(burst(3), vec![target])).await;
    assert_eq!(recording.total.succeeded, 3);
    assert_eq!(recording.counted["0"], 3);
}
