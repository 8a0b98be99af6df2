//! What is wrong, and how it is said.

use ebbtide_core::trigger::reach::Reach;
use tokio::net::TcpListener;

use super::bed::{Redis, USER};
use super::canned::{Canned, long};
use crate::bed::{Case, refusing};

async fn assert_errors(cases: &[(Case, &str)]) {
    for (case, expected) in cases {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_by_key() {
    let redis = Redis::start().await;
    redis.run(&["RPUSH", "orders", "a"]).await;
    redis.run(&["SET", "text", "a"]).await;
    redis.run(&["XADD", "stream", "*", "a", "b"]).await;
    redis
        .run(&[
            "ACL", "SETUSER", "nobody", "on", ">hunter2", "~others", "+@read",
        ])
        .await;
    let case = redis.case("redis").with("listName", "orders");
    let without = Case::of("redis")
        .with("listName", "orders")
        .with("address", &redis.address());
    let nobody = refusing().await.to_string();
    let refused = format!("address: cannot connect to {nobody}: Connection refused");
    assert_errors(&[
        (
            without.clone(),
            "password: is missing, and the server asks for one",
        ),
        (
            without.with("databaseIndex", "1"),
            "password: is missing, and the server asks for one",
        ),
        (
            without.secret("password", "hunter2"),
            "password: the server does not let in with this password",
        ),
        (
            case.with("username", USER).secret("password", "hunter2"),
            "password: the user scaler is not let in with this password",
        ),
        (
            case.with("username", "nobody")
                .secret("password", "hunter2"),
            "username: the user nobody may not read what is asked for",
        ),
        (
            case.with("databaseIndex", "99"),
            "databaseIndex: the server has no database 99",
        ),
        (
            case.with("listName", "text"),
            "listName: text is of the type string, which has no length",
        ),
        (
            case.with("listName", "stream"),
            "listName: stream is a stream; use redis-streams for it",
        ),
        (case.with("address", &nobody), &refused),
        (
            case.with("address", "nowhere.invalid:6379"),
            "address: the host nowhere.invalid cannot be resolved",
        ),
        (
            case.with("address", "redis://127.0.0.1:6379"),
            "address: is not HOST:PORT",
        ),
    ])
    .await;
    let error = case.read_within(Some(Reach::default())).await.unwrap_err();
    let expected = "address: 127.0.0.1 is refused: a loopback address";
    assert!(error.starts_with(expected), "{error}");
}

#[tokio::test]
async fn a_password_that_no_one_asks_for_is_an_error() {
    let redis = Redis::start().await;
    redis.run(&["CONFIG", "SET", "requirepass", ""]).await;
    let case = Case::of("redis")
        .with("listName", "orders")
        .with("address", &redis.address());
    assert_eq!(case.read().await.map(|read| read.value), Ok(0.0));
    let error = case.secret("password", "hunter2").error().await;
    assert_eq!(
        error,
        "password: is given, and the server has none; leave it out"
    );
}

#[tokio::test]
async fn what_is_not_as_redis_answers_is_an_error() {
    const NONSENSE: &str = "is not what Redis does";
    let list = b"+list\r\n".to_vec();
    let text = |text: &str| text.as_bytes().to_vec();
    for (answers, expected) in [
        (vec![text("HTTP/1.1 400 Bad Request\r\n\r\n")], NONSENSE),
        (vec![text(":1\r\n")], "is not what was asked for"),
        (
            vec![list.clone(), text(":-1\r\n")],
            "is not what was asked for",
        ),
        (
            vec![list.clone(), text("+many\r\n")],
            "is not what was asked for",
        ),
        (
            vec![list.clone(), text(":99999999999999999999\r\n")],
            NONSENSE,
        ),
        (
            vec![list.clone(), long(10 << 20)],
            "the answer is longer than what is read",
        ),
        (
            vec![list.clone(), text("$9999999999\r\nabc")],
            "closed the connection",
        ),
        (vec![list, text("*3\r\n:1\r\n")], "closed the connection"),
        (vec![], "closed the connection"),
        (
            vec![text("-LOADING Redis is loading the dataset in memory\r\n")],
            "the server answered LOADING Redis is loading the dataset in memory",
        ),
    ] {
        let server = Canned::start(answers).await;
        let case = Case::of("redis").with("listName", "orders");
        let error = case.with("address", &server.address).error().await;
        assert!(error.starts_with("address: "), "{error}");
        assert!(error.contains(expected), "{error}\nhas not\n{expected}");
    }
}

#[tokio::test]
async fn what_a_server_says_of_a_login_is_not_passed_on() {
    for answer in [
        "-ERR unknown command `AUTH`, with args beginning with: `hunter2`\r\n",
        "-hunter2 hunter2\r\n",
        "+hunter2\r\n",
    ] {
        let server = Canned::start(vec![answer.as_bytes().to_vec()]).await;
        let case = Case::of("redis").with("listName", "orders");
        let case = case.with("address", &server.address);
        let case = case.secret("password", "hunter2");
        let error = case.error().await;
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_silent_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let case = Case::of("redis").with("listName", "orders");
    let case = case.with("address", &address);
    assert_eq!(case.error().await, "no answer within 5 s");
    let secured = case.with("enableTLS", "true").with("unsafeSsl", "true");
    let expected = format!(
        "address: {address} begins no TLS within 4 s; if it does not speak TLS, leave enableTLS out"
    );
    assert_eq!(secured.error().await, expected);
    // One of several is not waited for as long.
    let cluster = Case::of("redis-cluster").with("listName", "orders");
    let error = cluster.with("addresses", &format!("{address},{address}"));
    let expected = format!("addresses: {address} does not answer within 1500 ms");
    assert_eq!(error.error().await, expected);
}
