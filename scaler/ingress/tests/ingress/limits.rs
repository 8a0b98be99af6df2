//! What a client is refused when it asks for too much, or takes too long.

use std::time::Duration;

use ebbtide_ingress::IngressOptions;
use http::Response;
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::app::{App, full, read_head};
use crate::bed::{Bed, replica, until};
use crate::client::{Client, get};

/// How often a limit was reached.
pub(crate) fn reached(bed: &Bed, limit: &str) -> u64 {
    let reached = bed.ingress.limits().read().reached;
    let found = reached.iter().find(|(name, _)| *name == limit);
    found.expect("a limit's name").1
}

/// An ingress with changed options and an app that answers how long the body was.
async fn bed(change: impl FnOnce(&mut IngressOptions)) -> (Bed, App) {
    let bed = Bed::with(change);
    let app = App::http1(|request| async move {
        match request.into_body().collect().await {
            Ok(body) => Response::new(full(body.to_bytes().len().to_string())),
            Err(error) => panic!("the app was given a broken body for a whole one: {error}"),
        }
    })
    .await;
    bed.serve(&[replica(app.address)]);
    (bed, app)
}

/// Lets time pass until the connection has ended, and returns what came before.
async fn wait_out(bed: &Bed, client: &mut Client, time: Duration) -> String {
    bed.clock.advance(time);
    client.rest().await.unwrap()
}

/// Whether the ingress has closed a connection that has sent nothing.
async fn is_refused(mut client: Client) -> bool {
    client.0.read_u8().await.is_err()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded_in_all() {
    let (bed, _app) = bed(|options| options.limits.connections = 2).await;
    let mut first = Client::connect(bed.address).await;
    let mut second = Client::connect(bed.address).await;
    for client in [&mut first, &mut second] {
        assert_eq!(client.get("hello").await.status, 200);
    }
    assert!(is_refused(Client::connect(bed.address).await).await);
    assert_eq!(reached(&bed, "connections"), 1);
    let reading = bed.ingress.limits().read();
    assert_eq!((reading.connections, reading.most_connections), (2, 2));
    drop(first);
    until("its place is free", || {
        bed.ingress.limits().read().connections == 1
    })
    .await;
    assert_eq!(get(bed.address, "hello").await.status, 200);
    assert_eq!(second.get("hello").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded_for_each_client() {
    let (bed, _app) = bed(|options| options.limits.connections_per_client = 1).await;
    let mut first = Client::connect_from("127.0.0.1:0", bed.address).await;
    assert_eq!(first.get("hello").await.status, 200);
    let second = Client::connect_from("127.0.0.1:0", bed.address).await;
    assert!(is_refused(second).await);
    let mut other = Client::connect_from("127.0.0.2:0", bed.address).await;
    assert_eq!(other.get("hello").await.status, 200);
    assert_eq!(reached(&bed, "connections-per-client"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_is_bounded_in_its_parts() {
    let (bed, _app) = bed(|options| {
        options.limits.header_bytes = 9000;
        options.limits.headers = 3;
        options.limits.target_bytes = 20;
    })
    .await;
    let long = "a".repeat(9000);
    for (head, status, limit) in [
        (
            format!("GET / HTTP/1.1\r\nHost: hello\r\nA: {long}"),
            431,
            "header",
        ),
        (
            "GET / HTTP/1.1\r\nHost: hello\r\nA: 1\r\nB: 2\r\nC: 3".to_owned(),
            431,
            "header",
        ),
        (
            "GET /aaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: hello".to_owned(),
            414,
            "target",
        ),
    ] {
        let before = reached(&bed, limit);
        let mut client = Client::connect(bed.address).await;
        client.write(&format!("{head}\r\n\r\n")).await;
        assert_eq!(client.reply().await.status, status, "{head}");
        assert_eq!(client.rest().await.unwrap(), "");
        until("it is counted", || reached(&bed, limit) == before + 1).await;
    }
    let mut client = Client::connect(bed.address).await;
    let most = "GET /aaaaaaaaaaaaaaaaaaa HTTP/1.1\r\nHost: hello\r\nA: 1\r\nB: 2\r\n\r\n";
    client.write(most).await;
    assert_eq!(client.reply().await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_bounded_if_so_wished() {
    let (bed, _app) = bed(|options| options.limits.body_bytes = Some(10)).await;
    let head = "POST / HTTP/1.1\r\nHost: hello\r\n";
    for (body, status) in [
        ("Content-Length: 10\r\n\r\n0123456789", 200),
        ("Content-Length: 11\r\n\r\n0123456789a", 413),
        (
            "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
            200,
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n",
            413,
        ),
    ] {
        let mut client = Client::connect(bed.address).await;
        client.write(&format!("{head}{body}")).await;
        assert_eq!(client.reply().await.status, status, "{body}");
    }
    assert_eq!(reached(&bed, "body"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_head_is_a_timeout() {
    let (bed, _app) = bed(|_| ()).await;
    let mut client = Client::connect(bed.address).await;
    assert_eq!(client.get("hello").await.status, 200);
    client.write("GET / HTTP/1.1\r\nHost: hello\r\n").await;
    until("its connection is there", || {
        bed.ingress.limits().read().connections == 1
    })
    .await;
    // Until the bytes have been read no time runs: so it is let pass until it is over.
    let patience = Duration::from_secs(31);
    let mut rest = Box::pin(client.rest());
    let told = loop {
        tokio::select! {
            told = &mut rest => break told.unwrap(),
            () = tokio::time::sleep(Duration::from_millis(200)) => bed.clock.advance(patience),
        }
    };
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
    assert_eq!(reached(&bed, "head-time"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_nothing_at_first_is_closed() {
    let (bed, _app) = bed(|options| options.limits.head_timeout = Duration::from_millis(50)).await;
    let mut client = Client::connect(bed.address).await;
    assert_eq!(client.rest().await.unwrap(), "");
    assert_eq!(reached(&bed, "head-time"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_a_timeout_and_a_steady_one_is_not() {
    let bed = Bed::new();
    let app = App::raw(|mut stream| async move {
        read_head(&mut stream).await;
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
            if buffer.contains(&b'!') {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
                stream.write_all(answer).await.unwrap();
                return;
            }
        }
    })
    .await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let head = "POST / HTTP/1.1\r\nHost: hello\r\nContent-Length: 20001\r\n\r\n";
    let mut steady = Client::connect(bed.address).await;
    steady.write(head).await;
    until("the app has it", || app.connections() == 1).await;
    for _ in 0..4 {
        steady.write(&"a".repeat(5000)).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        bed.clock.advance(Duration::from_secs(20));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    steady.write("!").await;
    assert_eq!(steady.reply().await.status, 200);
    let mut slow = Client::connect(bed.address).await;
    slow.write(head).await;
    until("the app has it", || app.connections() == 2).await;
    slow.write("a").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let told = wait_out(&bed, &mut slow, Duration::from_secs(31)).await;
    assert!(told.starts_with("HTTP/1.1 408 "), "{told}");
    assert_eq!(reached(&bed, "body-time"), 1);
    until("its place is free", || replica.in_flight() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed() {
    let (bed, _app) = bed(|_| ()).await;
    let mut client = Client::connect(bed.address).await;
    assert_eq!(client.get("hello").await.status, 200);
    assert_eq!(
        wait_out(&bed, &mut client, Duration::from_secs(241)).await,
        ""
    );
    assert_eq!(reached(&bed, "idle-time"), 1);
    until("its place is free", || {
        bed.ingress.limits().read().connections == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_is_reset_and_one_that_waits_is_not() {
    let mut bed = Bed::new();
    bed.policy.timeouts.idle = None;
    let app = App::raw(|mut stream| async move {
        let path = read_head(&mut stream).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let chunk = vec![b'a'; 100_000];
        while !path.contains("/quiet") && stream.write_all(&chunk).await.is_ok() {}
        let _end = stream.read_u8().await;
    })
    .await;
    let replica = replica(app.address);
    bed.serve(std::slice::from_ref(&replica));
    let mut quiet = Client::connect(bed.address).await;
    quiet
        .write("GET /quiet HTTP/1.1\r\nHost: hello\r\n\r\n")
        .await;
    assert_eq!(quiet.head().await.status, 200);
    let mut stream = TcpStream::connect(bed.address).await.unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: hello\r\n\r\n")
        .await
        .unwrap();
    until("both are there", || replica.in_flight() == 2).await;
    for _ in 0..20 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        bed.clock.advance(Duration::from_secs(241));
        if replica.in_flight() == 1 {
            break;
        }
    }
    assert_eq!((replica.in_flight(), reached(&bed, "write-time")), (1, 1));
    let mut buffer = vec![0; 1 << 20];
    let error = loop {
        match stream.read(&mut buffer).await {
            Ok(0) => panic!("a broken answer looks complete"),
            Ok(_) => {}
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_answered_before_it_has_sent_all_is_not_reset() {
    let (bed, _app) = bed(|options| options.limits.body_bytes = Some(10)).await;
    for (head, status) in [
        (
            "POST / HTTP/1.1\r\nHost: hello\r\nContent-Length: 9000000",
            413,
        ),
        ("POST / HTTP/1.1\r\nHost: hello\r\nA : 1", 400),
    ] {
        let mut client = Client::connect(bed.address).await;
        client.write(&format!("{head}\r\n\r\n")).await;
        assert_eq!(client.reply().await.status, status);
        assert_eq!(client.rest().await.unwrap(), "", "no more is answered");
        for _ in 0..100 {
            client.0.write_all(&[b'a'; 1000]).await.unwrap();
        }
    }
    // Those that have gone are not waited for, and neither is the last one for ever.
    until("all have ended", || {
        bed.ingress.limits().read().connections == 0
    })
    .await;
}
