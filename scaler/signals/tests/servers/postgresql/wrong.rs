//! What is wrong, and how it is said.

use ebbtide_core::trigger::reach::Reach;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;

#[tokio::test]
async fn a_query_that_gives_no_number_is_an_error_of_it() {
    let server = PostgreSql::start().await;
    server.sql("CREATE TABLE jobs (id serial, name text)").await;
    let error = |query: &str, expected: &'static str| (server.by_keys(query), expected);
    assert_errors(&[
        error("SELECT NULL::int", "query: gives NULL; coalesce(…, 0)"),
        error("SELECT id FROM jobs", "query: gives no row"),
        error("SELECT 1, 2", "query: gives 2 columns; SELECT one"),
        error(
            "SELECT true",
            "query: gives bool, which is no number; cast it",
        ),
        error(
            "SELECT now()",
            "query: gives timestamptz, which is no number; cast it",
        ),
        error("SELECT 'many'", "query: gives a text that is not a number"),
        error("SELECT", "query: gives nothing; SELECT a number"),
        error("COMMIT", "query: gives nothing; SELECT a number"),
        error("SELECT $1::int", "query: has parameters, as $1"),
        error("SELECT -1", "-1 was read, which is not an amount"),
        error(
            "SELECT 'NaN'::numeric",
            "NaN was read, which is not an amount",
        ),
        error(
            "SELECT 'inf'::float8",
            "inf was read, which is not an amount",
        ),
        error(
            "SELEKT 1",
            "query: the server says: syntax error at or near \"SELEKT\"",
        ),
        error(
            "SELECT 1; SELECT 2",
            "query: the server says: cannot insert multiple commands",
        ),
        error(
            "SELECT count(*) FROM orders",
            "query: the server says: relation \"orders\" does not",
        ),
        error("SELECT 1 / 0", "query: the server says: division by zero"),
        error(
            "INSERT INTO jobs (name) VALUES ('x') RETURNING id",
            "query: may only read, and the server says: cannot execute INSERT in a read-only",
        ),
        error(
            "SELECT nextval('jobs_id_seq')",
            "query: may only read, and the server says: cannot execute nextval() in a read-only",
        ),
        error(
            "SELECT set_config('transaction_read_only', 'off', false)",
            "query: the server says: transaction read-write mode must be set before any query",
        ),
        error(
            "SELECT repeat('1', 10000000)",
            "host: the answer has more than 4 MiB",
        ),
    ])
    .await;
    // Of a long list no more than the first row is sent.
    let long = "SELECT 1 FROM pg_class AS a, pg_class AS b, pg_class AS c";
    assert_eq!(server.by_keys(long).read().await, Ok(Amount::from(1.0)));
}

#[tokio::test]
async fn a_server_that_does_not_let_in_is_an_error_of_the_key_that_would() {
    let server = PostgreSql::start().await;
    let case = server.by_keys("SELECT 1");
    let nobody = refusing().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_port = silent.local_addr().unwrap().port().to_string();
    let (plain_port, _plain) = closing("N").await;
    let refused = format!(
        "host: cannot connect to 127.0.0.1:{}: Connection refused",
        nobody.port()
    );
    assert_errors(&[
        (
            case.secret("password", "hunter2"),
            "password: the server says: password authentication failed for user \"ebbtide\"",
        ),
        (
            case.with("userName", "stranger"),
            "password: the server says: password authentication failed for user \"stranger\"",
        ),
        (
            case.with("dbName", "missing"),
            "dbName: the server says: database \"missing\" does not exist",
        ),
        (case.with("port", &nobody.port().to_string()), &refused),
        (
            case.with("host", "nowhere.invalid"),
            "host: the host nowhere.invalid cannot be resolved",
        ),
        (case.with("port", &silent_port), "no answer within 5 s"),
        (
            case.with("port", &plain_port).with("sslmode", "require"),
            "sslmode: server does not support TLS",
        ),
        (case.with("port", &plain_port), "host: connection closed"),
        (
            case.secret("ca", "-----BEGIN CERTIFICATE-----\nhunter2")
                .with("sslmode", "verify-full"),
            "ca: has no certificate in PEM",
        ),
    ])
    .await;
    let within = case.read_within(Some(Reach::default())).await;
    let error = within.unwrap_err();
    assert!(
        error.starts_with("host: 127.0.0.1 is refused: a loopback address"),
        "{error}"
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_connection_string_is_said_without_it() {
    let server = PostgreSql::start().await;
    let nobody = refusing().await;
    let connection = |text: String| asking("SELECT 1").secret("connection", &text);
    let port = server.port;
    let refused_all = format!("connection: cannot connect to {nobody}: Connection refused");
    assert_errors(&[
        (
            connection(format!(
                "postgres://{USER}:hunter2@127.0.0.1:{port}/postgres"
            )),
            "connection: the server says: password authentication failed",
        ),
        (
            connection(format!("postgres://{USER}@127.0.0.1:{port}/postgres")),
            "connection: password missing",
        ),
        (
            connection(format!("postgres://{USER}:hunter2@{nobody}/postgres")),
            &refused_all,
        ),
        (
            connection(format!("host=/tmp user={USER} password=hunter2")),
            "connection: names a socket",
        ),
        (
            connection("hunter2".to_owned()),
            "connection: is neither postgresql://",
        ),
    ])
    .await;
}

/// The port of a server that says this to whoever connects, and then no more.
async fn closing(answer: &'static str) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let mut task = JoinSet::new();
    task.spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            // What it is asked has eight bytes.
            drop(connection.read_exact(&mut [0; 8]).await);
            drop(connection.write_all(answer.as_bytes()).await);
        }
    });
    (port, task)
}
