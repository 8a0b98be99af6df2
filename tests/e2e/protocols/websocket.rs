//! WebSocket, with Python's `websockets` on both ends.

use std::process::Command;

use super::bed::{App, HOST, printed, python};
use crate::harness::{Ebbtide, SOON, eventually, machine};

const CLIENT: &str = include_str!("websocket/client.py");

pub(super) fn up() -> Ebbtide {
    let python = python().display().to_string();
    let app = App {
        file: "app.py",
        source: include_str!("websocket/app.py"),
        run: (&python, ""),
        transport: "auto",
    };
    app.up()
}

#[test]
fn a_websocket_is_held_from_zero_and_passes_everything_with_the_codes_of_its_end() {
    let _machine = machine();
    let ebbtide = up();
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
    eventually(SOON, "every tunnel has ended and is counted", || {
        ebbtide.revision("web", "web--one")["finishedRequests"] == 24
    });
}
