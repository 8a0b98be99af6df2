//! Lengths.

use ebbtide_signals::Amount;

use super::bed::{PASSWORD, Redis, USER};
use crate::bed::{Case, refusing};
use crate::certificates::Certificates;

async fn assert_length(case: &Case, expected: f64) {
    let read = case.read().await;
    assert_eq!(read, Ok(Amount::from(expected)), "{:?}", case.rule.metadata);
}

#[tokio::test]
async fn whatever_has_elements_has_a_length() {
    let redis = Redis::start().await;
    let case = redis.case("redis");
    redis.run(&["RPUSH", "list", "a", "b", "c"]).await;
    redis.run(&["SADD", "set", "a", "b", "a"]).await;
    redis
        .run(&["HSET", "hash", "a", "1", "b", "2", "c", "3", "d", "4"])
        .await;
    redis.run(&["ZADD", "sorted", "1", "a"]).await;
    for (name, expected) in [
        ("missing", 0.0),
        ("list", 3.0),
        ("set", 2.0),
        ("hash", 4.0),
        ("sorted", 1.0),
    ] {
        assert_length(&case.with("listName", name), expected).await;
    }
    redis.run(&["DEL", "list"]).await;
    assert_length(&case.with("listName", "list"), 0.0).await;
}

#[tokio::test]
async fn a_server_is_named_and_logged_in_to_by_each_key() {
    let redis = Redis::start().await;
    redis.run(&["RPUSH", "list", "a", "b"]).await;
    redis.run(&["MOVE", "list", "3"]).await;
    redis.run(&["RPUSH", "list", "a"]).await;
    let named = Case::of("redis").with("listName", "list");
    let (port, nobody) = (redis.port.to_string(), refusing().await.to_string());
    for case in [
        named
            .with("address", &redis.address())
            .with("host", "nowhere.invalid"),
        named.with("addresses", &format!("{}, {nobody}", redis.address())),
        named.with("host", "127.0.0.1").with("port", &port),
        named
            .with("hosts", "127.0.0.1, nowhere.invalid")
            .with("ports", &format!("{port},1")),
    ] {
        let case = case.secret("password", PASSWORD);
        assert_length(&case, 1.0).await;
        let other = case.with("databaseIndex", "3").with("username", USER);
        assert_length(&other, 2.0).await;
    }
}

#[tokio::test]
async fn a_server_is_trusted_by_the_root_that_is_given_and_asks_for_a_certificate() {
    let redis = Redis::start().await;
    redis.run(&["RPUSH", "list", "a", "b", "c"]).await;
    let user = redis.certificates.sign("client", &[]);
    let secured = redis
        .case("redis")
        .with("listName", "list")
        .with("address", &format!("127.0.0.1:{}", redis.tls_port))
        .with("enableTLS", "true");
    let by_certificate = secured.secret("cert", &user.cert).secret("key", &user.key);
    let right = by_certificate.secret("ca", &redis.certificates.ca);
    assert_length(&right, 3.0).await;
    assert_length(&by_certificate.with("unsafeSsl", "true"), 3.0).await;
    let mut as_parameter = right.secret("tls", "enable");
    as_parameter.rule.metadata.remove("enableTLS");
    assert_length(&as_parameter, 3.0).await;
    let by_name = format!("localhost:{}", redis.tls_port);
    for (case, expected) in [
        (
            by_certificate.secret("ca", &Certificates::other_ca()),
            "ca: is not what the server's certificate is signed by",
        ),
        (by_certificate.clone(), "address: TLS with 127.0.0.1:"),
        (
            right.with("address", &by_name),
            "address: TLS with localhost:",
        ),
        (
            secured.secret("ca", &redis.certificates.ca),
            "address: the connection to 127.0.0.1:",
        ),
        (right.with("enableTLS", "false"), "address: 127.0.0.1:"),
    ] {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
    }
}
