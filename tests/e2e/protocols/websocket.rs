//! WebSocket, with Python's `websockets` on both ends.

use std::process::Command;

use super::bed::{App, HOST, printed, python};
use crate::harness::{Ebbtide, SOON, eventually, machine};
use crate::load::Load;

const CLIENT: &str = include_str!("websocket/client.py");

/// Over HTTP/2 by TLS, as browsers do.
const HTTP2_CLIENT: &str = include_str!("websocket/http2_client.py");

/// What comes of the HTTP/2 client's requests.
const OVER_HTTP2: &str = "\
answer 200 chat web.localhost https /talk?a=b chat
answer 200 chat web.localhost https /talk?a=b chat
answer 200 chat web.localhost https /talk?a=b chat
echo one 0 one 1 one 2
echo two 0 two 1 two 2
closed 4000
left 4321
refused 403 not here
refused 501 CONNECT for this protocol is not supported here; websocket is the one that is
";

/// An app over HTTP/1.1, or one over HTTP/2 alone.
fn up(source: &str, transport: &str) -> Ebbtide {
    let python = python().display().to_string();
    let app = App {
        file: "app.py",
        source,
        run: (&python, ""),
        transport,
    };
    app.up()
}

fn over_http2(ebbtide: &Ebbtide) -> String {
    let port = ebbtide.tls.to_string();
    printed(Command::new(python()).args(["-c", HTTP2_CLIENT, &port, HOST, &ebbtide.root]))
}

/// Waits until as many requests have ended, those that were tunnels too.
fn all_end(ebbtide: &Ebbtide, requests: u64) {
    eventually(SOON, "every tunnel has ended and is counted", || {
        ebbtide.revision("web", "web--one")["finishedRequests"] == requests
    });
}

#[test]
fn a_websocket_is_held_from_zero_and_passes_everything_with_the_codes_of_its_end() {
    let _machine = machine();
    let ebbtide = up(include_str!("websocket/app.py"), "auto");
    let port = ebbtide.ingress.to_string();
    let said = printed(Command::new(python()).args(["-c", CLIENT, &port, HOST]));
    let expected = "\
zero 20 web.localhost http /talk?a=b chat
first web.localhost http /talk?a=b chat
echo True
echo True
echo True
echo True
echo in pieces
pong True
closed 4000 done
leave (4321, 'as asked')
break None
refused 403 not here
";
    assert_eq!(said, expected);
    all_end(&ebbtide, 24);
}

#[test]
fn over_http2_it_is_held_from_zero_and_is_one_of_many_on_its_connection() {
    let _machine = machine();
    let ebbtide = up(include_str!("websocket/app.py"), "auto");
    assert_eq!(over_http2(&ebbtide), OVER_HTTP2);
    all_end(&ebbtide, 4);
}

#[test]
fn an_app_that_speaks_http2_alone_takes_it_from_clients_of_either_version() {
    let _machine = machine();
    let ebbtide = up(include_str!("websocket/http2_app.py"), "http2");
    assert_eq!(over_http2(&ebbtide), OVER_HTTP2);
    all_end(&ebbtide, 4);
    let port = ebbtide.ingress.to_string();
    let said = printed(Command::new(python()).args(["-c", SHORT_CLIENT, &port, HOST]));
    assert_eq!(
        said,
        "web.localhost http /short chat\nhello\n4321 as asked\n"
    );
    all_end(&ebbtide, 5);
}

#[test]
fn loadgen_sends_messages_from_zero_and_takes_leave() {
    let _machine = machine();
    let ebbtide = up(include_str!("websocket/app.py"), "auto");
    let url = format!("ws://127.0.0.1:{}/talk?a=b", ebbtide.ingress);
    let scenario = LOAD.replace("URL", &url).replace("HOST", HOST);
    let report = Load::of_scenario(&scenario).without_loss();
    let total = &report["total"];
    assert_eq!(
        (&total["sent"], &total["statusCodes"]["101"]),
        (&200.into(), &200.into()),
        "{report:#}"
    );
    let opened = total["connectionsOpened"].as_u64().expect("a number");
    assert!((1..=5).contains(&opened), "{report:#}");
    all_end(&ebbtide, opened);
}

/// The app speaks first, so only a message with the request's own position is its answer.
const LOAD: &str = "
targets:
  - url: URL
    host: HOST
    headers: {sec-websocket-protocol: chat}
    body: 'message #${sequence}.'
    webSocket: {answerContains: '#${sequence}.'}
    connections: 5
schedule: {constant: {rate: 200, duration: 1s}}
";

/// Python's `websockets`, which speaks HTTP/1.1.
const SHORT_CLIENT: &str = r#"
import socket
import sys
from websockets.sync.client import connect
from websockets.exceptions import ConnectionClosed
port, host = sys.argv[1:]
there = socket.create_connection(("127.0.0.1", int(port)))
with connect(f"ws://{host}/short", sock=there, subprotocols=["chat"], proxy=None, open_timeout=60) as talk:
    print(talk.recv())
    talk.send("hello")
    print(talk.recv())
    talk.send("leave")
    try:
        talk.recv()
    except ConnectionClosed as error:
        print(error.rcvd.code, error.rcvd.reason)
"#;
