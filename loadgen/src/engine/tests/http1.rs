//! Connections of HTTP/1.1: how they are opened, used again and lost.

use std::net::Shutdown;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::net::{SendFlags, send};

use super::server::{HELLO, Peer};
use super::*;
use crate::plan::Check;

/// What a server does on each connection, and what becomes of one request.
#[tokio::test]
async fn each_way_to_fail_has_its_name() {
    type Serve = fn(&mut Peer);
    let cases: &[(Serve, FailureKind, &str)] = &[
        (
            |_| {},
            FailureKind::Reset,
            "before a byte of the answer came",
        ),
        (
            |peer| {
                peer.request();
            },
            FailureKind::Reset,
            "before a byte of the answer came",
        ),
        (
            |peer| {
                peer.request();
                peer.say("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello");
            },
            FailureKind::Reset,
            "within the answer",
        ),
        (
            |peer| {
                peer.request();
                peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n");
            },
            FailureKind::Reset,
            "within the answer",
        ),
        (
            |peer| {
                peer.request();
                peer.say("220 mail\r\n\r\n");
                peer.request();
            },
            FailureKind::Protocol,
            "is not HTTP/1.1",
        ),
        (
            |peer| {
                peer.request();
                peer.say("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n");
                peer.request();
            },
            FailureKind::Protocol,
            "chunks",
        ),
    ];
    for (serve, kind, words) in cases {
        let server = Server::start(*serve);
        let recording = run(plan(burst(1), vec![target(&server, pool(1))])).await;
        let found = failures(&recording);
        assert_eq!((found[0].0, found[0].1), (*kind, 1), "{found:?}");
        assert!(found[0].2.contains(words), "{found:?}");
        assert_eq!(recording.total.connections_opened, 1);
        assert_adds_up(&recording);
    }
}

#[tokio::test]
async fn what_an_answer_says_is_recorded() {
    let server = Server::answering(
        "HTTP/1.1 503 No\r\nserver-timing: coldstart;dur=40\r\nx-revision: blue\r\n\
         x-replica: r1\r\ncontent-length: 3\r\n\r\nno.",
    );
    let mut strict = target(&server, pool(2));
    strict.checks = vec![
        Check::Status(vec![(500, 599)]),
        Check::BodyContains("yes".to_owned()),
    ];
    http(&mut strict).count_header = Some(HeaderName::from_static("x-revision"));
    let mut usual = target(&server, pool(2));
    usual.share = 3.0;
    http(&mut usual).count_header = Some(HeaderName::from_static("x-none"));
    let recording = run(plan(burst(40), vec![strict, usual])).await;
    let [strict, usual] = &recording.targets[..] else {
        panic!("{:?}", recording.targets);
    };
    assert_eq!(strict.sent + usual.sent, 40);
    assert!((9..=11).contains(&strict.sent), "{}", strict.sent);
    assert_eq!(
        (strict.wrong_check.count, strict.wrong_status.count),
        (strict.sent, 0)
    );
    assert_eq!(
        (usual.wrong_check.count, usual.wrong_status.count),
        (0, usual.sent)
    );
    let total = &recording.total;
    assert_eq!(
        (total.bytes, total.cold_starts, total.statuses[&503]),
        (120, 40, 40)
    );
    let slowest = total.cold_start.max();
    assert!(total.cold_start.equivalent(slowest, 40_000), "{slowest}");
    assert_eq!(recording.revisions["blue"].replicas["r1"], 40);
    assert_eq!(recording.counted["blue"], strict.sent);
    assert_eq!(recording.counted["(none)"], usual.sent);
    assert_adds_up(&recording);
}

#[tokio::test]
async fn a_connection_that_is_closed_while_it_is_idle_costs_no_request() {
    let server = Server::start(|peer| {
        peer.request();
        // The answer and the end of the connection come at once.
        send(&peer.stream, HELLO.as_bytes(), SendFlags::MORE).unwrap();
        peer.stream.shutdown(Shutdown::Both).unwrap();
    });
    let recording = run(plan(even(10, 500.0), vec![target(&server, pool(1))])).await;
    assert_eq!(recording.total.succeeded, 10, "{:?}", failures(&recording));
    assert_eq!(recording.total.connections_opened, 10);
    assert_eq!(server.heads().len(), 10);
    assert_adds_up(&recording);
}

/// A server that takes a second request and goes away without a word has lost it, and is to be seen to have.
#[tokio::test]
async fn a_request_that_was_sent_is_never_sent_again() {
    let server = Server::start(|peer| {
        peer.request();
        peer.say(HELLO);
        peer.request();
    });
    let recording = run(plan(even(10, 50.0), vec![target(&server, pool(1))])).await;
    assert_eq!(recording.total.succeeded, 5);
    let found = failures(&recording);
    assert_eq!((found[0].0, found[0].1), (FailureKind::Reset, 5));
    assert_eq!((server.heads().len(), server.connections()), (10, 5));
    assert_adds_up(&recording);
}

#[tokio::test]
async fn a_pool_has_no_more_connections_than_it_may() {
    // Nobody is answered before three are there.
    let there = Arc::new(Barrier::new(3));
    let server = Server::start(move |peer| {
        there.wait();
        while peer.request().is_some() {
            peer.say(HELLO);
        }
    });
    let recording = run(plan(burst(9), vec![target(&server, pool(3))])).await;
    assert_eq!((recording.total.succeeded, server.connections()), (9, 3));
    assert_eq!(
        (recording.total.waited, recording.total.connections_opened),
        (6, 3)
    );
    assert_eq!(recording.total.connect.len(), 3);
    assert_adds_up(&recording);
}

#[tokio::test]
async fn each_request_can_have_a_connection_of_its_own() {
    let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let server = Server::start(move |peer| {
        let head = peer.request().unwrap();
        assert!(head.contains("\r\nconnection: close\r\n"), "{head}");
        peer.say(answer);
    });
    let connections = Connections::PerRequest(count(2));
    let recording = run(plan(burst(20), vec![target(&server, connections)])).await;
    assert_eq!((recording.total.succeeded, server.connections()), (20, 20));
    assert_eq!(
        (recording.total.waited, recording.total.connections_opened),
        (18, 20)
    );
    assert_adds_up(&recording);
}

#[tokio::test]
async fn fixed_connections_are_open_before_the_first_request() {
    let server = Server::answering(HELLO);
    let connections = Connections::Fixed(count(70));
    let engine = prepare(plan(burst(100), vec![target(&server, connections)]));
    let engine = engine.await.unwrap();
    // The server may be slow to take them.
    until(|| server.connections() == 70).await;
    let (_stop, stopped) = watch::channel(Stop::No);
    let recording = engine.run(RunClock::start(), None, stopped).await.unwrap();
    assert_eq!((recording.total.succeeded, server.connections()), (100, 70));
    assert_eq!(recording.total.connections_opened, 70);
    // Some are answered before the last are begun.
    assert!(recording.total.waited <= 30, "{}", recording.total.waited);
    assert_adds_up(&recording);
}

#[tokio::test]
async fn fixed_connections_that_cannot_be_opened_are_said_before_the_run() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let server = Server::silent();
    let mut target = target(&server, Connections::Fixed(count(2)));
    http(&mut target).address = address;
    let error = prepare(plan(burst(1), vec![target])).await.err().unwrap();
    let error = format!("{error:#}");
    assert!(
        error.contains("cannot open the connections to http://"),
        "{error}"
    );
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_given_up_wherever_it_is() {
    let server = Server::silent();
    let mut target = target(&server, pool(1));
    target.timeout = Duration::from_millis(50);
    let recording = run(plan(burst(3), vec![target])).await;
    let found = failures(&recording);
    assert_eq!(
        (found[0].0, found[0].1),
        (FailureKind::Timeout, 3),
        "{found:?}"
    );
    assert!(found[0].2.contains("within 50ms"), "{found:?}");
    assert_eq!(recording.total.waited, 2);
    assert_adds_up(&recording);
}

/// What is left of a body is written when the server takes it.
#[tokio::test]
async fn a_body_is_sent_whole() {
    const LENGTH: usize = 20_000_000;
    let sum = Arc::new(AtomicU64::new(0));
    let summed = Arc::clone(&sum);
    let server = Server::start(move |peer| {
        while let Some(head) = peer.request() {
            assert!(
                head.contains(&format!("content-length: {LENGTH}\r\n")),
                "{head}"
            );
            let body = peer.body(LENGTH);
            summed.fetch_add(
                body.iter().map(|byte| u64::from(*byte)).sum(),
                Ordering::SeqCst,
            );
            peer.say(HELLO);
        }
    });
    let mut target = target(&server, pool(1));
    http(&mut target).method = Method::POST;
    http(&mut target).body = Template::Fixed(Bytes::from(vec![7; LENGTH]));
    let recording = run(plan(burst(2), vec![target])).await;
    assert_eq!(recording.total.succeeded, 2, "{:?}", failures(&recording));
    assert_eq!(sum.load(Ordering::SeqCst), 2 * 7 * LENGTH as u64);
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_answer_before_the_end_of_the_request_is_an_answer() {
    let server = Server::start(|peer| {
        peer.request();
        peer.say("HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n");
        // The client closes: what is left of the request is of no use to anybody.
        let _ = std::io::copy(&mut peer.stream, &mut std::io::sink());
        let _ = peer.stream.shutdown(Shutdown::Both);
    });
    let mut target = target(&server, pool(1));
    http(&mut target).method = Method::PUT;
    http(&mut target).body = Template::Fixed(Bytes::from(vec![7; 50_000_000]));
    let recording = run(plan(burst(2), vec![target])).await;
    assert_eq!(
        recording.total.statuses[&413],
        2,
        "{:?}",
        failures(&recording)
    );
    assert_eq!(server.connections(), 2);
    assert_adds_up(&recording);
}

#[tokio::test]
async fn a_head_that_cannot_be_sent_is_refused_before_the_run() {
    let server = Server::silent();
    for (header, path, words) in [
        ("a\r\nb: c", "/", "the header accept has a line break"),
        ("a", "/a b", "the path has a space"),
        ("a", "/\n", "the path has a space"),
    ] {
        let mut target = target(&server, pool(1));
        http(&mut target).path = text(path);
        http(&mut target).headers[0].1 = text(header);
        let error = prepare(plan(burst(1), vec![target])).await.err().unwrap();
        assert!(format!("{error:#}").contains(words), "{error:#}");
    }
}
