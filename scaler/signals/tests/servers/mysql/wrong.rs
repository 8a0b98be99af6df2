//! What is wrong, and how it is said.

use ebbtide_core::trigger::reach::Reach;
use tokio::net::TcpListener;

use super::*;

#[tokio::test]
async fn a_query_that_gives_no_number_is_an_error_of_it() {
    let server = MariaDb::start().await;
    server.sql("CREATE TABLE jobs (id SERIAL, name TEXT)").await;
    let error = |query: &str, expected: &'static str| (server.by_keys(query), expected);
    assert_errors(&[
        error("SELECT NULL", "query: gives NULL; COALESCE(…, 0)"),
        error("SELECT id FROM jobs", "query: gives no row"),
        error("SELECT 1, 2", "query: gives 2 columns; SELECT one"),
        error(
            "SELECT NOW()",
            "query: gives a time, which is no number; cast it",
        ),
        error("SELECT 'many'", "query: gives a text that is not a number"),
        error("COMMIT", "query: gives nothing; SELECT a number"),
        error(
            "SELECT ?",
            "query: has parameters, as ?, which nothing fills in",
        ),
        error("SELECT -1", "-1 was read, which is not an amount"),
        error(
            "SELEKT 1",
            "query: the server says: You have an error in your SQL syntax",
        ),
        error(
            "SELECT 1; SELECT 2",
            "query: the server says: You have an error in your SQL syntax",
        ),
        error(
            "SELECT COUNT(*) FROM orders",
            "query: the server says: Table 'shop.orders' doesn't",
        ),
        error(
            "INSERT INTO jobs (name) VALUES ('x')",
            "query: may only read, and the server says: Cannot execute statement in a READ ONLY",
        ),
        error(
            "INSERT INTO jobs (name) VALUES ('x') RETURNING id",
            "query: may only read, and the server says: Cannot execute statement in a READ ONLY",
        ),
        error(
            "SET SESSION TRANSACTION READ WRITE",
            "query: gives nothing; SELECT a number",
        ),
        error(
            "SELECT REPEAT('1', 10000000)",
            "query: the answer has more than 4 MiB",
        ),
    ])
    .await;
    // Of a long list no more than the first row is sent.
    let long = "SELECT seq FROM seq_1_to_1000000000";
    assert_eq!(server.by_keys(long).read().await, Ok(Amount::from(1.0)));
}

#[tokio::test]
async fn a_server_that_does_not_let_in_is_an_error_of_the_key_that_would() {
    let server = MariaDb::start().await;
    let case = server.by_keys("SELECT 1");
    let nobody = refusing().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_port = silent.local_addr().unwrap().port().to_string();
    assert_errors(&[
        (
            case.secret("password", "hunter2"),
            "password: the server says: Access denied for user 'ebbtide'@'127.0.0.1' (using password: YES)",
        ),
        (
            case.with("username", "stranger"),
            "password: the server says: Access denied for user 'stranger'@'127.0.0.1'",
        ),
        (
            case.with("dbName", "mysql"),
            "password: the server says: Access denied for user 'ebbtide'@'%' to database 'mysql'",
        ),
        (
            case.with("port", &nobody.port().to_string()),
            &format!("host: cannot connect to {nobody}: Connection refused"),
        ),
        (case.with("host", "nowhere.invalid"), "host: the host nowhere.invalid cannot be resolved"),
        (case.with("port", &silent_port), "no answer within 5 s"),
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
    let server = MariaDb::start().await;
    let nobody = refusing().await;
    let string = |text: String| asking("SELECT 1").secret("connectionString", &text);
    let port = server.port;
    let with = |password: &str, database: &str| {
        string(format!(
            "{USER}:{password}@tcp(127.0.0.1:{port})/{database}"
        ))
    };
    assert_errors(&[
        (
            with("hunter2", "shop"),
            "connectionString: the server says: Access denied for user",
        ),
        (
            string(format!("{USER}:hunter2@tcp({nobody})/shop")),
            &format!("connectionString: cannot connect to {nobody}: Connection refused"),
        ),
        (
            with(PASSWORD, "shop?no_such_variable=1"),
            "connectionString: the server says: Unknown system variable 'no_such_variable'",
        ),
        (
            with("hunter2", "shop?tls=custom"),
            "connectionString: has a value of tls that is not known",
        ),
        (
            string("hunter2".to_owned()),
            "connectionString: is not like USER:PASSWORD@tcp(HOST:PORT)",
        ),
    ])
    .await;
}
