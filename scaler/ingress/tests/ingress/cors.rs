//! What browsers are told of who may ask from where.

use crate::app::App;
use crate::bed::{Bed, HOST, replica};
use crate::client::{Client, Reply};
use crate::policy::policy;

const INGRESS: &str = "{allowInsecure: true, corsPolicy: {allowedOrigins: ['https://shop.test'], \
                       allowedMethods: ['*'], allowedHeaders: ['*'], allowCredentials: true, maxAge: 60}}";

async fn ask(bed: &Bed, head: &str) -> Reply {
    let mut client = Client::connect(bed.address).await;
    client
        .write(&format!(
            "{head}\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
    client.reply().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preflight_wakes_nothing_and_counts_for_nothing() {
    let mut bed = Bed::new();
    bed.policy = policy(INGRESS, "{}");
    bed.serve(&[]);
    let asks = "Access-Control-Request-Method: DELETE\r\nAccess-Control-Request-Headers: x-a";
    let head = format!("OPTIONS /a HTTP/1.1\r\nOrigin: https://shop.test\r\n{asks}");
    let reply = ask(&bed, &head).await;
    assert_eq!((reply.status, reply.body.as_str()), (204, ""), "{reply:?}");
    for (name, value) in [
        ("allow-origin", "https://shop.test"),
        ("allow-methods", "DELETE"),
        ("allow-headers", "x-a"),
        ("allow-credentials", "true"),
        ("max-age", "60"),
    ] {
        let found = reply.header(&format!("access-control-{name}"));
        assert_eq!(found, Some(value), "{name}: {reply:?}");
    }
    let head = format!("OPTIONS /a HTTP/1.1\r\nOrigin: https://other.test\r\n{asks}");
    let reply = ask(&bed, &head).await;
    assert_eq!(reply.status, 403);
    assert_eq!(reply.header("access-control-allow-origin"), None);
    assert!(
        reply.body.contains("corsPolicy.allowedOrigins"),
        "{reply:?}"
    );
    assert!(bed.activations.try_recv().is_err());
    assert_eq!(bed.meter.read().sums.started, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_of_apps_and_our_own_say_who_may_have_them() {
    let mut bed = Bed::with(|options| options.waiting_room.requests = 0);
    bed.policy = policy(INGRESS, "{}");
    let app = App::raw(|mut stream| async move {
        let answer =
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nAccess-Control-Allow-Origin: *\r\n\r\nok";
        while crate::app::answer(&mut stream, answer).await.is_some() {}
    })
    .await;
    for (replicas, status) in [(vec![replica(app.address)], 200), (vec![], 503)] {
        bed.serve(&replicas);
        let reply = ask(&bed, "GET /a HTTP/1.1\r\nOrigin: https://shop.test").await;
        assert_eq!(reply.status, status, "{reply:?}");
        let origin = reply.header("access-control-allow-origin");
        assert_eq!(origin, Some("https://shop.test"), "{reply:?}");
        assert_eq!(reply.header("vary"), Some("origin"));
        let reply = ask(&bed, "GET /a HTTP/1.1\r\nOrigin: https://other.test").await;
        assert_eq!(reply.status, status, "the browser keeps it from the page");
        assert_eq!(
            reply.header("access-control-allow-origin"),
            None,
            "{reply:?}"
        );
    }
    bed.policy = policy("{allowInsecure: true}", "{}");
    bed.serve(&[replica(app.address)]);
    let reply = ask(&bed, "OPTIONS /a HTTP/1.1\r\nOrigin: https://other.test").await;
    assert_eq!(
        reply.header("access-control-allow-origin"),
        Some("*"),
        "the app's own"
    );
}
