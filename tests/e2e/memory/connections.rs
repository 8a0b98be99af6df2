//! Ten thousand connections, and ten thousand requests that wait.

use super::bed::{connect, metric, raise_file_limit, resident_kib};
use crate::harness::{Ebbtide, SOON, eventually, machine};
use crate::load::Document;

const MANY: usize = 10_000;

/// What a connection may take that has just had an answer, in KiB.
const IDLE_KIB: u64 = 64;

/// What a held request may take, in KiB.
const HELD_KIB: u64 = 96;

/// What memory may grow by from the third round to the fifth, in KiB: in the first ones the allocator finds
/// how much there is to be kept.
const SLACK_KIB: u64 = 48 * 1024;

/// An app that is never ready.
fn up() -> Ebbtide {
    let document = Document {
        args: "[--start-delay, 1h]",
        ..Document::default()
    };
    Ebbtide::up(&[("web.yaml", &document.yaml())])
}

#[test]
fn ten_thousand_idle_connections_take_little_and_leave_nothing() {
    let _machine = machine();
    raise_file_limit();
    let ebbtide = up();
    // The request is answered at the door, so that each connection has been used.
    let text = "GET / HTTP/1.1\r\nHost: nobody.localhost\r\n\r\n";
    rounds(&ebbtide, text, "ebbtide_ingress_connections", IDLE_KIB);
}

#[test]
fn ten_thousand_held_requests_take_little_and_leave_nothing() {
    let _machine = machine();
    raise_file_limit();
    let ebbtide = up();
    let text = "GET / HTTP/1.1\r\nHost: web.localhost\r\n\r\n";
    rounds(&ebbtide, text, "ebbtide_waiting_requests", HELD_KIB);
}

/// Ten thousand come and go five times. `gauge` says how many are there; each may take `most_kib`.
fn rounds(ebbtide: &Ebbtide, text: &str, gauge: &str, most_kib: u64) {
    let before = resident_kib(ebbtide);
    let mut peaks = Vec::new();
    for _ in 0..5 {
        let clients = connect(ebbtide, MANY, text);
        eventually(SOON, "all are there", || {
            metric(ebbtide, gauge) == MANY as u64
        });
        peaks.push(resident_kib(ebbtide));
        drop(clients);
        eventually(SOON, "all have gone", || metric(ebbtide, gauge) == 0);
    }
    let most = before + most_kib * MANY as u64;
    assert!(
        peaks.iter().all(|peak| *peak < most),
        "{peaks:?} KiB, {before} before: more than {most}"
    );
    assert!(
        peaks[4] < peaks[2] + SLACK_KIB,
        "it grows with each round: {peaks:?} KiB, {before} before"
    );
}
