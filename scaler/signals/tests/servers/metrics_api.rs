//! The API of Prometheus and the metrics of itself, read like any other's.

use ebbtide_signals::Amount;

use crate::bed::{Case, refusing};
use crate::canned::Canned;
use crate::prometheus::{PASSWORD, Prometheus, USER};

fn at(url: &str, location: &str) -> Case {
    Case::of("metrics-api")
        .with("url", url)
        .with("valueLocation", location)
        .with("targetValue", "5")
}

async fn assert_errors(cases: &[(Case, &str)]) {
    for (case, expected) in cases {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
    }
}

#[tokio::test]
async fn numbers_are_found_in_what_a_server_answers() {
    let prometheus = Prometheus::start().await;
    let server = format!("http://127.0.0.1:{}", prometheus.port);
    let query = |query: &str| format!("{server}/api/v1/query?query={query}");
    let metrics = at(&format!("{server}/metrics"), "").with("format", "prometheus");
    for (case, expected) in [
        (at(&query("vector(0)"), "data.result.0.value.1"), 0.0),
        (at(&query("vector(7.5)"), "data.result.0.value.1"), 7.5),
        (at(&query("vector(7)"), "data.result.#"), 1.0),
        (at(&query("absent_here"), "data.result.#"), 0.0),
        (
            metrics.with(
                "valueLocation",
                "prometheus_build_info{version=~\"[0-9].*\"}",
            ),
            1.0,
        ),
    ] {
        assert_eq!(case.read().await, Ok(Amount::from(expected)));
    }
    assert_errors(&[
        (
            at(&query("up("), "a"),
            "url: the server answered 400 Bad Request",
        ),
        (
            at(&format!("{server}/nothing/here"), "a"),
            "url: the server answered 404 Not Found",
        ),
        (
            at(&query("vector(-2)"), "data.result.0.value.1"),
            "-2 was read, which is not an amount",
        ),
        (
            at(&query("vector(1)"), "data.result"),
            "valueLocation: leads to a list",
        ),
        (
            at(&query("vector(1)"), "data.nothing"),
            "valueLocation: leads to nothing",
        ),
        (
            at(&query("vector(1)"), "@this"),
            "valueLocation: has a modifier, which is not read",
        ),
        (
            at(&format!("{server}/metrics"), "a"),
            "format: the answer is not JSON",
        ),
        (
            metrics.with("valueLocation", "no_such_metric"),
            "valueLocation: leads to nothing in the answer",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_password_lets_in_and_a_wrong_one_does_not() {
    let prometheus = Prometheus::with_password().await;
    let url = format!(
        "http://127.0.0.1:{}/api/v1/query?query=vector(4)",
        prometheus.port
    );
    let stranger = at(&url, "data.result.0.value.1");
    let user = stranger
        .with("authMode", "basic")
        .with("username", USER)
        .secret("password", PASSWORD);
    assert_eq!(user.read().await, Ok(Amount::from(4.0)));
    assert_errors(&[
        (stranger, "authModes: the server answered 401 Unauthorized"),
        (
            user.secret("password", "hunter2"),
            "password: the server answered 401 Unauthorized, the credentials are not accepted",
        ),
        (
            user.with("authMode", "bearer"),
            "bearerToken: is missing, which bearer of authMode needs",
        ),
    ])
    .await;
}

#[tokio::test]
async fn who_asks_is_told_as_keda_tells_it() {
    let mut canned = Canned::answering("200 OK", "{\"a\": 1}").await;
    let case = at(&format!("{}/x?y=z", canned.url()), "a");
    let key = case
        .with("authModes", "apiKey")
        .secret("apiKey", "key of somebody");
    let token = case
        .with("authModes", "bearer")
        .secret("token", "token-of-somebody");
    let named = key.with("keyParamName", "X-Mine");
    let basic = case
        .with("authModes", "basic")
        .with("username", "u")
        .secret("password", "p:w");
    for (case, expected) in [
        (key.clone(), "x-api-key: key of somebody"),
        (named.clone(), "x-mine: key of somebody"),
        (
            key.with("method", "query"),
            "GET /x?y=z&api_key=key+of+somebody HTTP/1.1",
        ),
        (
            named.with("method", "query"),
            "GET /x?y=z&X-Mine=key+of+somebody HTTP/1.1",
        ),
        (token, "authorization: Bearer token-of-somebody"),
        (basic, "authorization: Basic dTpwOnc="),
    ] {
        assert_eq!(case.read().await, Ok(Amount::from(1.0)));
        let asked = canned.asked().await;
        assert!(
            asked.lines().any(|line| line == expected),
            "{expected}: {asked}"
        );
    }
    // Without a mode nothing of it is told.
    let untold = case
        .secret("apiKey", "key of somebody")
        .secret("token", "token-of-somebody");
    assert_eq!(untold.read().await, Ok(Amount::from(1.0)));
    assert!(!canned.asked().await.contains("somebody"));
    let wrong = key.secret("apiKey", "key\nof somebody");
    assert_errors(&[(wrong, "apiKey: has a character that no header may have")]).await;
    let refused = Canned::answering("403 Forbidden", "no").await;
    let secret_url = key.with("url", &format!("{}?password=hunter2", refused.url()));
    for case in [secret_url.clone(), secret_url.with("method", "query")] {
        let error = case.error().await;
        assert!(
            error.starts_with("apiKey: the server answered 403 Forbidden"),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[tokio::test]
async fn answers_in_yaml_and_xml_are_read_and_nonsense_is_not() {
    let yaml = Canned::answering("200 OK", "queues:\n- name: a\n  length: 1k\n").await;
    let xml = Canned::answering("200 OK", "<queues><queue length=\"5\"/></queues>").await;
    for (canned, format, location, expected) in [
        (&yaml, "yaml", "queues.0.length", 1000.0),
        (&xml, "xml", "queue.length", 5.0),
    ] {
        let case = at(canned.url(), location).with("format", format);
        assert_eq!(case.read().await, Ok(Amount::from(expected)), "{format}");
    }
    let nobody = refusing().await;
    let long = Canned::answering("200 OK", &" ".repeat(10 << 20)).await;
    assert_errors(&[
        (at(xml.url(), "a"), "format: the answer is not JSON"),
        (
            at(yaml.url(), "a").with("format", "xml"),
            "format: the answer is not XML",
        ),
        (
            at(xml.url(), "a").with("format", "prometheus"),
            "format: the answer is not what Prometheus reads, in line 1",
        ),
        (at(long.url(), "a"), "url: the answer has more than 4 MiB"),
        (
            at(&format!("http://{nobody}"), "a"),
            "url: Connection refused",
        ),
    ])
    .await;
}
