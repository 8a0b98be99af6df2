//! WebSocket, against a server that does what the text of a message says.

use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_hdr_async;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::tungstenite::{Bytes as Payload, Message};

use super::*;
use crate::plan::{Check, WebSocketTarget};

/// A server, and what it saw.
struct Talk {
    address: std::net::SocketAddr,
    seen: Arc<Seen>,
    _serving: JoinSet<()>,
}

#[derive(Default)]
struct Seen {
    opened: AtomicU64,
    /// Clients that closed with a close frame.
    left: AtomicU64,
    pongs: AtomicU64,
}

impl Talk {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::<Seen>::default();
        let mut serving = JoinSet::new();
        let shared = Arc::clone(&seen);
        serving.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                connections.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            seen,
            _serving: serving,
        }
    }

    /// Sends `message` to `/N`, where N is the request's position.
    fn target(&self, connections: Connections, message: &str) -> PlanTarget {
        let mut target = target(&Server::silent(), connections);
        let mut http = http(&mut target).clone();
        http.address = self.address;
        http.url = format!("ws://{}/", self.address);
        http.body = text(message);
        target.kind = TargetKind::WebSocket(WebSocketTarget {
            http,
            binary: false,
            answer: None,
        });
        target
    }

    fn seen(&self) -> (u64, u64, u64) {
        let of = |count: &AtomicU64| count.load(Ordering::SeqCst);
        (
            of(&self.seen.opened),
            of(&self.seen.left),
            of(&self.seen.pongs),
        )
    }
}

#[expect(clippy::result_large_err, reason = "the library's callback has it so")]
fn shake_hands(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    if request.uri().path() == "/refused" {
        let refusal = http::Response::builder().status(403);
        return Err(refusal.body(Some("not here".to_owned())).unwrap());
    }
    let value = |text| http::HeaderValue::from_static(text);
    let headers = response.headers_mut();
    headers.insert("x-revision", value("talk--one"));
    headers.insert("server-timing", value("coldstart;dur=40"));
    Ok(response)
}

async fn serve(stream: TcpStream, seen: Arc<Seen>) {
    let Ok(mut socket) = accept_hdr_async(stream, shake_hands).await else {
        return;
    };
    seen.opened.fetch_add(1, Ordering::SeqCst);
    let part = |text: &'static str, opcode, last| {
        Message::Frame(Frame::message(text, OpCode::Data(opcode), last))
    };
    while let Some(Ok(message)) = socket.next().await {
        let sends = match &message {
            Message::Text(text) => match text.as_str() {
                "silence" => continue,
                "break" => return,
                "nonsense" => vec![part("x", Data::Continue, true)],
                "not text" => vec![Message::Frame(Frame::message(
                    Payload::from_static(b"\xff"),
                    OpCode::Data(Data::Text),
                    true,
                ))],
                "leave" => {
                    let code = 4321.into();
                    let reason = "as asked".into();
                    vec![Message::Close(Some(CloseFrame { code, reason }))]
                }
                "pieces" => vec![
                    Message::Ping(Payload::from_static(b"1")),
                    part("pi", Data::Text, false),
                    Message::Ping(Payload::from_static(b"2")),
                    part("ec", Data::Continue, false),
                    part("es", Data::Continue, true),
                ],
                "once" => vec![message, Message::Close(None)],
                "later" => vec![Message::text("not yet"), Message::text("nor now"), message],
                _ => vec![message],
            },
            Message::Binary(_) => vec![message],
            Message::Pong(_) => {
                seen.pongs.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            Message::Close(_) => {
                seen.left.fetch_add(1, Ordering::SeqCst);
                continue;
            }
            _ => continue,
        };
        // All at once. Who does not listen any more need not hear it.
        for send in sends {
            let _ = socket.feed(send).await;
        }
        let _ = socket.flush().await;
    }
}

fn of(target: &mut PlanTarget) -> &mut WebSocketTarget {
    let TargetKind::WebSocket(of) = &mut target.kind else {
        panic!("it is one of WebSockets");
    };
    of
}

#[tokio::test]
async fn messages_share_connections_as_the_plan_says() {
    for (connections, opened, waited) in [
        (pool(1000), 50, 0),
        (pool(5), 5, 45),
        (Connections::Fixed(count(3)), 3, 47),
        (Connections::PerRequest(count(7)), 50, 43),
    ] {
        let talk = Talk::start().await;
        let target = talk.target(connections, "hello");
        let recording = run(plan(burst(50), vec![target])).await;
        let total = &recording.total;
        assert_eq!(total.succeeded, 50, "{:?}", failures(&recording));
        assert_eq!(
            (total.connections_opened, total.waited, total.connect.len()),
            (opened, waited, opened),
            "{connections:?}"
        );
        assert_eq!(total.bytes, 250);
        // Whoever opened a connection for its message waited for a cold start; those before the run are no requests.
        let fixed = matches!(connections, Connections::Fixed(_));
        assert_eq!(total.cold_starts, if fixed { 0 } else { opened });
        assert_eq!(recording.revisions["talk--one"].answered, 50);
        assert_adds_up(&recording);
        // Every connection is closed as RFC 6455 has it.
        until(|| talk.seen() == (opened, opened, 0)).await;
    }
}

#[tokio::test]
async fn fragments_are_one_message_and_pings_between_them_are_answered() {
    let talk = Talk::start().await;
    let mut target = talk.target(pool(1), "pieces");
    target.checks = vec![Check::BodyContains("pieces".to_owned())];
    let recording = run(plan(burst(3), vec![target])).await;
    let total = &recording.total;
    assert_eq!((total.succeeded, total.bytes), (3, 3 * 6));
    until(|| talk.seen() == (1, 1, 6)).await;
}

#[tokio::test]
async fn an_answer_may_be_one_that_holds_a_text() {
    let talk = Talk::start().await;
    let mut target = talk.target(pool(1), "later");
    of(&mut target).answer = Some(text("ate"));
    let recording = run(plan(burst(4), vec![target])).await;
    assert_eq!((recording.total.succeeded, recording.total.bytes), (4, 20));
    assert_eq!(talk.seen().0, 1);
    // Each holds its own position.
    let mut target = talk.target(pool(1), "");
    let position = Template::Pieces(vec![Piece::Text(Bytes::from_static(b"#")), Piece::Sequence]);
    of(&mut target).http.body = position.clone();
    of(&mut target).answer = Some(position);
    of(&mut target).binary = true;
    let recording = run(plan(burst(4), vec![target])).await;
    assert_eq!((recording.total.succeeded, recording.total.bytes), (4, 8));
}

#[tokio::test]
async fn failures_are_told_apart() {
    for (message, kind, words) in [
        ("leave", FailureKind::Reset, "code 4321: as asked"),
        ("break", FailureKind::Reset, "without closing handshake"),
        ("nonsense", FailureKind::Protocol, "protocol error"),
        ("not text", FailureKind::Protocol, "UTF-8"),
        ("silence", FailureKind::Timeout, "no complete answer"),
    ] {
        let talk = Talk::start().await;
        let mut target = talk.target(pool(1), message);
        if message == "silence" {
            target.timeout = Duration::from_millis(50);
        }
        let recording = run(plan(burst(2), vec![target])).await;
        let found = failures(&recording);
        assert_eq!((found[0].0, found[0].1), (kind, 2), "{message}: {found:?}");
        assert!(found[0].2.contains(words), "{found:?}");
        assert_adds_up(&recording);
    }
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let talk = Talk::start().await;
    let target = talk.target(pool(1), "once");
    let recording = run(plan(burst(5), vec![target])).await;
    let total = &recording.total;
    assert_eq!(total.succeeded, 5, "{:?}", failures(&recording));
    assert_eq!(total.connections_opened, 5);
}

#[tokio::test]
async fn a_refused_handshake_is_an_answer_and_one_that_is_no_http_is_none() {
    let talk = Talk::start().await;
    let mut target = talk.target(pool(2), "hello");
    of(&mut target).http.path = text("/refused");
    let recording = run(plan(burst(3), vec![target])).await;
    let total = &recording.total;
    assert_eq!((total.answered, total.succeeded), (3, 0));
    assert_eq!((total.statuses[&403], total.wrong_status.count), (3, 3));
    assert_eq!(total.connections_opened, 0);

    for (answer, kind) in [
        ("220 mail\r\n\r\n", FailureKind::Protocol),
        (
            "HTTP/1.1 101 Fine\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
            FailureKind::Protocol,
        ),
        ("", FailureKind::Connect),
    ] {
        let server = Server::start(move |peer| {
            peer.request();
            peer.say(answer);
        });
        let mut target = talk.target(pool(2), "hello");
        of(&mut target).http.address = server.address;
        let recording = run(plan(burst(1), vec![target])).await;
        let found = failures(&recording);
        assert_eq!((found[0].0, found[0].1), (kind, 1), "{answer}: {found:?}");
    }
    let mut target = talk.target(Connections::Fixed(count(1)), "hello");
    of(&mut target).http.path = text("/refused");
    let error = prepare(plan(burst(1), vec![target])).await.err().unwrap();
    assert!(format!("{error:#}").contains("403"), "{error:#}");
}
