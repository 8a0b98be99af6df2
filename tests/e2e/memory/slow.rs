//! Clients that hardly read, and clients that hardly write.

use std::io::{Read, Write};

use super::bed::{connect, resident_kib};
use crate::harness::{Ebbtide, SOON, eventually, folder, machine};
use crate::load::Document;

const CLIENTS: usize = 64;

/// What each of them may take, in KiB: some buffers, and far from the gibibyte that is there for it.
const CLIENT_KIB: u64 = 4 * 1024;

/// How often each moves by a byte.
const BYTES: usize = 20;

fn up() -> Ebbtide {
    let yaml = Document {
        args: "[app.py]",
        scale: "{minReplicas: 1, maxReplicas: 1}",
        ..Document::default()
    }
    .yaml()
    .replace("[\"$(EBBTIDE_PROGRAM)\", sample-app]", "[python3]");
    let app = include_str!("app.py");
    let ebbtide = Ebbtide::up_in(folder(&[("web.yaml", &yaml), ("app.py", app)]), &[]);
    eventually(SOON, "its app is ready", || {
        ebbtide.ready("web", "web--one") == 1
    });
    ebbtide
}

/// Bytes that the app has sent and received.
fn progress(ebbtide: &Ebbtide) -> (u64, u64) {
    let body = ebbtide.request("web.localhost", "/progress").body;
    let (sent, received) = body.split_once(' ').expect("two numbers");
    (sent.parse().unwrap(), received.parse().unwrap())
}

fn assert_grew_little(ebbtide: &Ebbtide, before: u64) {
    let most = before + CLIENT_KIB * CLIENTS as u64;
    let now = resident_kib(ebbtide);
    assert!(now < most, "{now} KiB, {before} before: more than {most}");
}

#[test]
fn large_answers_wait_in_the_app_for_clients_that_read_byte_by_byte() {
    let _machine = machine();
    let ebbtide = up();
    let before = resident_kib(&ebbtide);
    let text = "GET /large HTTP/1.1\r\nHost: web.localhost\r\n\r\n";
    let mut clients = connect(&ebbtide, CLIENTS, text);
    for _ in 0..BYTES {
        for client in &mut clients {
            client.read_exact(&mut [0]).unwrap();
        }
        assert_grew_little(&ebbtide, before);
    }
    let mut last = 0;
    eventually(SOON, "nobody takes any more of the app", || {
        let sent = progress(&ebbtide).0;
        sent == std::mem::replace(&mut last, sent)
    });
    assert!(last < (CLIENTS as u64) << 26, "{last} bytes were taken");
    assert_grew_little(&ebbtide, before);
}

#[test]
fn requests_that_come_byte_by_byte_take_little() {
    let _machine = machine();
    let ebbtide = up();
    let before = resident_kib(&ebbtide);
    let text = "POST / HTTP/1.1\r\nHost: web.localhost\r\nContent-Length: 1000000000\r\n\r\n";
    let mut bodies = connect(&ebbtide, CLIENTS / 2, text);
    let mut heads = connect(&ebbtide, CLIENTS / 2, "GET /");
    for byte in 1..=BYTES {
        for client in bodies.iter_mut().chain(&mut heads) {
            client.write_all(b"x").unwrap();
        }
        let all = (bodies.len() * byte) as u64;
        eventually(SOON, "each byte goes on to the app", || {
            progress(&ebbtide).1 == all
        });
        assert_grew_little(&ebbtide, before);
    }
}
