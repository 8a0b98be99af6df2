//! What is refused, and how.

use reqwest::{Method, StatusCode};

use crate::bed::{Bed, HOST, KEY, POLICY, token};

#[tokio::test]
async fn refusals() {
    let bed = Bed::start(&["--queue", "orders", "--topic", "events", "--missing-is-404"]).await;
    let unknown = "/messages/00000000-0000-0000-0000-000000000001";
    let lock = format!("/orders{unknown}/00000000-0000-0000-0000-000000000001");
    let cases = [
        (Method::GET, "/nothing?api-version=2021-05", 404, "nothing"),
        (
            Method::GET,
            "/events/subscriptions/nothing",
            404,
            "events/Subscriptions/nothing",
        ),
        (Method::GET, "/nothing/subscriptions", 404, "nothing"),
        (Method::DELETE, "/nothing", 404, "nothing"),
        (Method::POST, "/nothing/messages", 410, "nothing"),
        (
            Method::POST,
            "/nothing/messages/head?timeout=0",
            410,
            "nothing",
        ),
        (
            Method::POST,
            "/events/messages/head?timeout=0",
            400,
            "is a topic",
        ),
        (
            Method::POST,
            "/orders/messages/head?timeout=soon",
            400,
            "timeout is 'soon'",
        ),
        (Method::DELETE, &lock, 404, "no message"),
        (Method::PUT, "/orders", 400, "not XML"),
        (Method::PATCH, "/orders", 405, "PATCH"),
        (Method::GET, "/orders/messages", 405, "GET"),
        (
            Method::GET,
            "/$Resources/queues?$top=few",
            400,
            "$top is 'few'",
        ),
    ];
    for (method, path, status, part) in cases {
        let answer = bed.request(method.clone(), path).send().await.unwrap();
        let got = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        let expected = format!("<Error><Code>{status}</Code><Detail>");
        assert!(
            text.starts_with(&expected) && text.contains(part),
            "{method} {path}: {text}"
        );
        assert_eq!(got, status, "{method} {path}");
    }
}

#[tokio::test]
async fn a_missing_entity_is_a_feed_of_nothing_as_the_service_has_it() {
    let bed = Bed::start(&["--topic", "events"]).await;
    for path in [
        "/nothing",
        "/events/subscriptions/nothing",
        "/nothing/subscriptions/nothing",
    ] {
        let answer = bed.request(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let text = answer.text().await.unwrap();
        assert!(
            text.contains(">Publicly Listed Services<") && !text.contains("<entry"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn who_may_do_what() {
    let bed = Bed::start(&["--queue", "orders"]).await;
    let cases = [
        ("worker", Method::POST, "/orders/messages", 201),
        (
            "worker",
            Method::DELETE,
            "/orders/messages/head?timeout=0",
            200,
        ),
        ("worker", Method::GET, "/orders", 401),
        ("worker", Method::DELETE, "/orders", 401),
        ("stranger", Method::POST, "/orders/messages", 401),
        // Who may not ask does not learn what there is.
        ("stranger", Method::GET, "/nothing", 401),
        (POLICY, Method::GET, "/orders", 200),
    ];
    for (policy, method, path, status) in cases {
        let answer = bed
            .request_as(policy, method.clone(), path)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status().as_u16(), status, "{policy} {method} {path}");
    }
    let url = format!("https://{HOST}/orders");
    let cases = [
        (None, "MissingToken"),
        (
            Some(token(&url, POLICY, "another key", "4102444800")),
            "InvalidSignature",
        ),
        (Some(token(&url, POLICY, KEY, "1600000000")), "ExpiredToken"),
        (
            Some(token(&format!("{url}/messages"), POLICY, KEY, "4102444800")),
            "InvalidAudience",
        ),
        (
            Some("SharedAccessSignature sr=x".to_owned()),
            "MalformedToken",
        ),
    ];
    for (token, reason) in cases {
        let request = bed.http().get(&url);
        let request = match token {
            Some(token) => request.header("authorization", token),
            None => request,
        };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 401, "{reason}");
        let text = answer.text().await.unwrap();
        assert!(
            text.starts_with("<Error><Code>401</Code>") && text.contains(reason),
            "{text}"
        );
        assert!(!text.contains(KEY), "{text}");
    }
    assert_eq!(bed.counters().await["unauthorized"], 9);
}

#[tokio::test]
async fn a_queue_that_is_full_and_a_message_that_is_too_large() {
    let bed = Bed::start(&["--queue", "orders", "--max-messages", "2"]).await;
    let send = async |size: usize| {
        let request = bed
            .request(Method::POST, "/orders/messages")
            .body(vec![b'x'; size]);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let (status, text) = send(257 << 10).await;
    assert_eq!(status, 403);
    assert!(text.contains("at most 262144"), "{text}");
    assert_eq!(send(255 << 10).await.0, 201);
    assert_eq!(send(1).await.0, 201);
    let (status, text) = send(1).await;
    assert_eq!(status, 403);
    assert!(
        text.contains("QuotaExceeded: 'orders' holds 2 of at most 2 messages"),
        "{text}"
    );
}
