//! Answers while there is no ready replica.

use ebbtide_ingress::BackendState;
use tokio::task::JoinSet;

use crate::app::App;
use crate::bed::{Bed, HOST, replica, until};
use crate::client::{Client, Reply};
use crate::policy::policy;

const INGRESS: &str = "{allowInsecure: true}";
const HTML: &str = "Accept: text/html, */*;q=0.1\r\n";

async fn ask(bed: &Bed, method: &str, path: &str, headers: &str) -> Reply {
    let mut client = Client::connect(bed.address).await;
    client
        .write(&format!(
            "{method} {path} HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n"
        ))
        .await;
    client.reply().await
}

#[tokio::test(flavor = "multi_thread")]
async fn named_paths_wake_nothing_until_there_is_a_replica() {
    let mut bed = Bed::new();
    let tags = "{ebbtide.coldPaths: '/healthz=200, /favicon.ico=404, /gone=204'}";
    bed.policy = policy(INGRESS, tags);
    bed.serve(&[]);
    for (path, status) in [("/healthz?a=b", 200), ("/favicon.ico", 404), ("/gone", 204)] {
        let reply = ask(&bed, "GET", path, "").await;
        assert_eq!(reply.status, status, "{path}: {reply:?}");
    }
    let reply = ask(&bed, "GET", "/healthz", "").await;
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert!(bed.activations.try_recv().is_err());
    assert_eq!(bed.meter.read().sums.started, 0);

    bed.publish(BackendState::Failed {
        because: "it broke".to_owned(),
    });
    assert_eq!(
        ask(&bed, "GET", "/healthz", "").await.status,
        503,
        "it is not well"
    );
    let app = App::text("hello").await;
    let replica = replica(app.address);
    bed.serve(&[std::sync::Arc::clone(&replica)]);
    assert_eq!(ask(&bed, "GET", "/healthz", "").await.body, "hello");
    replica.close();
    assert_ne!(ask(&bed, "GET", "/healthz", "").await.body, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_gets_a_page_while_the_app_is_woken_and_the_others_wait() {
    let mut bed = Bed::new();
    bed.policy = policy(INGRESS, "{ebbtide.coldAnswer: page}");
    bed.serve(&[]);
    let page = ask(&bed, "GET", "/", HTML).await;
    assert_eq!(page.status, 503);
    assert_eq!(page.header("retry-after"), Some("2"));
    assert!(page.body.contains("hello is starting"), "{page:?}");
    assert_eq!(bed.activations.recv().await.unwrap().as_str(), "hello--v1");
    let reading = bed.meter.read();
    assert_eq!((reading.sums.started, reading.sums.in_flight()), (1, 0));
    assert_eq!(reading.codes.into_iter().collect::<Vec<_>>(), [(503, 1)]);

    let mut held = JoinSet::new();
    let address = bed.address;
    held.spawn(crate::client::get(address, HOST));
    until("the other waits", || bed.meter.read().waiting == 1).await;
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    assert_eq!(held.join_next().await.unwrap().unwrap().status, 200);
    assert_eq!(ask(&bed, "GET", "/", HTML).await.body, "hello");
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_told_in_json_when_to_try_again() {
    let mut bed = Bed::new();
    bed.policy = policy(INGRESS, "{ebbtide.coldAnswer: 'page, json'}");
    bed.serve(&[]);
    let reply = ask(&bed, "POST", "/a", "Content-Length: 0\r\n").await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.header("retry-after"), Some("2"));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert!(reply.body.contains("\"app\":\"hello\""), "{reply:?}");
    assert_eq!(bed.activations.recv().await.unwrap().as_str(), "hello--v1");
    // It is told again at the next tick, should the first word have come to nothing.
    let mut asked = 0;
    while bed.activations.try_recv().is_err() {
        asked += 1;
        assert!(asked < 20_000, "it is not woken again");
        assert_eq!(ask(&bed, "GET", "/", HTML).await.status, 503);
    }
}
