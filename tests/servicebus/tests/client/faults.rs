//! The service on a bad day.

use std::error::Error as _;
use std::time::Duration;

use reqwest::Method;

use crate::bed::Bed;

#[tokio::test]
async fn answers_that_are_none() {
    let bed = Bed::start(&["--queue", "orders"]).await;
    let get = async || bed.request(Method::GET, "/orders").send().await;
    let set = async |json| bed.control(Method::PUT, "fault", json).await;

    set(r#"{"fault":"nonsense-xml","times":1}"#).await;
    let text = get().await.unwrap().text().await.unwrap();
    assert!(
        text.starts_with("<entry") && !text.ends_with("</entry>"),
        "{text}"
    );
    assert_eq!(bed.counts("orders").await, [0, 0, 0]);

    set(r#"{"fault":"large-body","times":1}"#).await;
    assert_eq!(get().await.unwrap().bytes().await.unwrap().len(), 10 << 20);

    set(r#"{"fault":"cut-body","times":1}"#).await;
    let mut answer = get().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(answer.chunk().await.unwrap().is_some(), "it begins");
    assert!(answer.chunk().await.is_err(), "and breaks off");

    set(r#"{"fault":"status","status":503,"times":1}"#).await;
    assert_eq!(get().await.unwrap().status().as_u16(), 503);

    set(r#"{"fault":"slow","milliseconds":1}"#).await;
    assert_eq!(bed.counts("orders").await, [0, 0, 0]);

    set(r#"{"fault":"hang","path":"/orders/messages"}"#).await;
    assert_eq!(bed.counts("orders").await, [0, 0, 0]);
    let request = bed
        .request(Method::POST, "/orders/messages")
        .timeout(Duration::from_millis(300));
    assert!(request.send().await.unwrap_err().is_timeout());
    bed.control(Method::DELETE, "fault", "").await;
    let answer = bed
        .request(Method::POST, "/orders/messages")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status().as_u16(), 201);
}

#[tokio::test]
async fn certificates_that_nobody_should_accept() {
    let fault = r#"{"fault":"status","status":500}"#;
    let bed = Bed::start(&["--certificate", "unknown-authority", "--fault", fault]).await;
    let show = async |which: &str| {
        let json = format!("{{\"certificate\":\"{which}\"}}");
        bed.control(Method::PUT, "certificate", &json).await
    };
    let why = async || {
        let error = bed
            .request(Method::GET, "/orders")
            .send()
            .await
            .unwrap_err();
        let mut source = error.source();
        let mut text = String::new();
        while let Some(error) = source {
            text = error.to_string();
            source = error.source();
        }
        text
    };
    let cases = [
        ("unknown-authority", "UnknownIssuer"),
        ("wrong-name", "not valid for name"),
        ("expired", "expired"),
    ];
    for (which, reason) in cases {
        show(which).await;
        let text = why().await;
        assert!(text.contains(reason), "{which}: {text}");
    }
    show("good").await;
    let answer = bed.request(Method::GET, "/orders").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 500);
}
