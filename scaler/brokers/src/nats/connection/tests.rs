use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

use super::*;
use crate::nats::Login;

const INFO: &str = "INFO {\"server_id\":\"S\",\"client_id\":5}\r\n";

/// A connection to a server that says this at once, and its other end.
async fn opened(script: &str) -> (Result<Connection, String>, DuplexStream) {
    let (mut ours, mut theirs) = duplex(1 << 20);
    theirs.write_all(INFO.as_bytes()).await.unwrap();
    theirs.write_all(script.as_bytes()).await.unwrap();
    let greeting = Greeting::hear(&mut ours).await.unwrap();
    let login = Login {
        user: "u".to_owned(),
        password: "hunter2".to_owned(),
    };
    let client = Client {
        name: "tests",
        login: Some(&login),
    };
    let connection = Connection::login(ours, greeting, &client).await;
    (connection.map_err(|error| error.to_string()), theirs)
}

/// Reads until this was said.
async fn heard(stream: &mut DuplexStream, expected: &str) {
    let mut heard = vec![0; expected.len()];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&heard), expected);
}

/// Reads the line with which a connection begins.
async fn heard_login(stream: &mut DuplexStream) {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(stream.read_u8().await.unwrap());
    }
    let line = String::from_utf8(line).unwrap();
    assert!(line.starts_with("CONNECT {"), "{line}");
    for part in [
        "\"user\":\"u\"",
        "\"pass\":\"hunter2\"",
        "\"verbose\":false",
    ] {
        assert!(line.contains(part), "{line}");
    }
    heard(stream, "PING\r\n").await;
}

#[tokio::test]
async fn an_answer_comes_between_other_things() {
    let (connection, mut server) = opened("+OK\r\nPONG\r\n").await;
    let mut connection = connection.unwrap();
    heard_login(&mut server).await;
    let script = "PONG\r\nPING\r\n+OK\r\nINFO {}\r\nMSG _INBOX.S.5 1 reply.to 3\r\na\r\n\r\n";
    server.write_all(script.as_bytes()).await.unwrap();
    connection.subscribe("_INBOX.S.5").await.unwrap();
    let answer = connection.request("next", b"{}").await.unwrap();
    assert_eq!(answer.reply.as_deref(), Some("reply.to"));
    assert_eq!((answer.status, &answer.body[..]), (None, &b"a\r\n"[..]));
    heard(&mut server, "SUB _INBOX.S.5 1\r\nPING\r\n").await;
    heard(&mut server, "PUB next _INBOX.S.5 2\r\n{}\r\nPONG\r\n").await;
}

#[tokio::test]
async fn what_comes_before_a_subscription_is_confirmed_is_not_lost() {
    let (connection, mut server) = opened("PONG\r\n").await;
    let mut connection = connection.unwrap();
    // The body is no line.
    let script = "MSG a 1 6\r\nPONG\r\n\r\nMSG a 1 1\r\nx\r\nPONG\r\nMSG a 1 1\r\ny\r\n";
    server.write_all(script.as_bytes()).await.unwrap();
    connection.subscribe("a").await.unwrap();
    for expected in [&b"PONG\r\n"[..], b"x", b"y"] {
        assert_eq!(connection.next().await.unwrap().body, expected);
    }
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_nothing() {
    let (connection, mut server) = opened("PONG\r\n").await;
    let mut connection = connection.unwrap();
    for piece in ["MS", "G a 1", " 4\r\n", "ab", "cd\r"] {
        server.write_all(piece.as_bytes()).await.unwrap();
        tokio::select! {
            biased;
            message = connection.next() => panic!("{message:?}"),
            () = tokio::task::yield_now() => {}
        }
    }
    server.write_all(b"\n").await.unwrap();
    assert_eq!(connection.next().await.unwrap().body, b"abcd");
}

#[tokio::test]
async fn a_server_that_asks_is_told_although_others_wait() {
    let (connection, mut server) = opened("PONG\r\n").await;
    let mut connection = connection.unwrap();
    let writer = connection.writer();
    // Until what is written waits for the server, and more waits for that.
    let body = vec![b'x'; 1 << 10];
    let fill = async { while writer.publish("a", None, &body).await.is_ok() {} };
    tokio::select! {
        biased;
        () = fill => panic!("it ended"),
        () = async { for _ in 0..10_000 { tokio::task::yield_now().await } } => {}
    }
    server.write_all(b"PING\r\nPING\r\n").await.unwrap();
    let mut all = Vec::new();
    let read = async {
        let count = |all: &[u8]| String::from_utf8_lossy(all).matches("PONG\r\n").count();
        let mut piece = vec![0; 1 << 20];
        while count(&all) < 2 {
            let length = server.read(&mut piece).await.unwrap();
            // Before them are large messages of no interest.
            all = [&all[all.len().saturating_sub(100)..], &piece[..length]].concat();
        }
    };
    tokio::select! {
        message = connection.next() => panic!("{message:?}"),
        () = read => {}
    }
}

#[tokio::test]
async fn what_a_server_refuses_is_said() {
    let refused = "NATS refuses: 'Authorization Violation'";
    let (connection, _) = opened("-ERR 'Authorization Violation'\r\n").await;
    assert_eq!(connection.err().unwrap(), refused);
    for (script, expected) in [
        ("-ERR 'Slow Consumer'\r\n", "NATS refuses: 'Slow Consumer'"),
        (
            "MSG i 1 99999999999\r\n",
            "NATS announces a message of 99999999999 bytes",
        ),
        ("hello\r\n", "NATS: this is not of its protocol: \"hello\""),
        ("MSG i 1 9\r\nabc", "NATS has closed the connection"),
        ("", "NATS has closed the connection"),
    ] {
        let (connection, mut server) = opened(&format!("PONG\r\n{script}")).await;
        server.shutdown().await.unwrap();
        let error = connection.unwrap().next().await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_server_that_never_confirms_is_given_up() {
    let (connection, mut server) = opened("PONG\r\n").await;
    let flood = "MSG a 1 0\r\n\r\n".repeat(EARLY + 1);
    server.write_all(flood.as_bytes()).await.unwrap();
    let error = connection.unwrap().subscribe("a").await.unwrap_err();
    assert_eq!(error.to_string(), "NATS does not answer a PING");
}
