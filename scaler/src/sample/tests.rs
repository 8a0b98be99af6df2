use http_body_util::{BodyExt as _, Empty};
use hyper::Request;
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::*;

/// A server on a port of its own, on the test's own paused clock.
struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    tasks: JoinSet<anyhow::Result<()>>,
}

fn start(work_time: Duration) -> Running {
    let listener = listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let identity = Identity::new("hello".to_owned(), "hello--blue", "hello--blue-1", "blue");
    let (stop, stopped) = oneshot::channel();
    let mut tasks = JoinSet::new();
    tasks.spawn(serve(listener, identity.unwrap(), work_time, async {
        let _ = stopped.await;
    }));
    Running {
        address,
        stop,
        tasks,
    }
}

fn request(path: &str, accept: &str) -> Request<Empty<Bytes>> {
    Request::get(path)
        .header("host", "hello.localhost")
        .header("accept", accept)
        .body(Empty::new())
        .unwrap()
}

async fn ask(address: SocketAddr, path: &str, accept: &str) -> Response<Incoming> {
    let io = TokioIo::new(TcpStream::connect(address).await.unwrap());
    let (mut sender, connection) = http1::handshake(io).await.unwrap();
    // Detached: it is driven until the body has come, which is after this function.
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    driver.detach_all();
    let answer = sender.send_request(request(path, accept)).await;
    answer.unwrap()
}

async fn text(response: Response<Incoming>) -> String {
    let body = response.into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_path_answers_as_the_replica_that_it_is() {
    let server = start(Duration::from_secs(3600));
    for (path, accept, status, part) in [
        ("/healthz", "*/*", 200, "ok"),
        (
            "/",
            "*/*",
            200,
            "Hello from hello\n  revision hello--blue\n",
        ),
        ("/", "text/html,*/*", 200, "<h1>Hello from hello</h1>"),
        ("/any/path?work=5", "*/*", 200, "replica  hello--blue-1"),
        ("/?work=soon", "*/*", 400, "work"),
        ("/burn", "*/*", 400, "ms"),
    ] {
        let response = ask(server.address, path, accept).await;
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["x-revision"], "hello--blue");
        assert_eq!(response.headers()["x-replica"], "hello--blue-1");
        let text = text(response).await;
        assert!(text.contains(part), "{path}: {text}");
    }
}

#[tokio::test]
async fn burning_ends() {
    let server = start(Duration::ZERO);
    let response = ask(server.address, "/burn?ms=5", "*/*").await;
    assert_eq!(response.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn http2_is_spoken_without_an_upgrade() {
    let server = start(Duration::ZERO);
    let io = TokioIo::new(TcpStream::connect(server.address).await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let mut driver = JoinSet::new();
    driver.spawn(connection);
    let request = Request::get("http://hello.localhost/").body(Empty::<Bytes>::new());
    let response = sender.send_request(request.unwrap()).await.unwrap();
    assert_eq!(response.version(), hyper::Version::HTTP_2);
    assert!(text(response).await.contains("Hello from hello"));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_flight_is_answered_before_the_end() {
    let mut server = start(Duration::from_secs(10));
    let mut asking = JoinSet::new();
    asking.spawn(async move { ask(server.address, "/", "*/*").await });
    // The clock moves on only when all is idle: by now the request is at work.
    sleep(Duration::from_secs(5)).await;
    server.stop.send(()).unwrap();
    sleep(Duration::from_secs(1)).await;
    assert!(TcpStream::connect(server.address).await.is_err());
    let response = asking.join_next().await.unwrap().unwrap();
    assert_eq!(response.status(), 200);
    assert!(text(response).await.contains("hello--blue-1"));
    server.tasks.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stream_has_a_line_each_second_and_ends_with_the_process() {
    let mut server = start(Duration::ZERO);
    let response = ask(server.address, "/stream", "*/*").await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    for line in ["data: line 0\n\n", "data: line 1\n\n"] {
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), line);
    }
    server.stop.send(()).unwrap();
    while let Some(frame) = body.frame().await {
        frame.unwrap();
    }
    server.tasks.join_next().await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = listen(0).unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = listen(port).unwrap_err();
    assert!(
        error.to_string().contains(&format!("127.0.0.1:{port}")),
        "{error}"
    );
}
