//! Who may ask an app.

use std::sync::Arc;

use ebbtide_core::policy::RequestPolicy;

use crate::app::App;
use crate::bed::{Bed, HOST, replica};
use crate::client::Client;
use crate::policy::policy;

/// A client whose word about who is behind it counts.
const PROXY: &str = "127.0.0.2";

fn restricted(action: &str, range: &str) -> RequestPolicy {
    let entry = format!("{{name: a, ipAddressRange: {range}, action: {action}}}");
    policy(
        &format!("{{allowInsecure: true, ipSecurityRestrictions: [{entry}]}}"),
        "{}",
    )
}

async fn get(bed: &Bed, source: &str, headers: &str) -> (u16, String) {
    let mut client = Client::connect_from(&format!("{source}:0"), bed.address).await;
    client
        .write(&format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n"))
        .await;
    let reply = client.reply().await;
    (reply.status, reply.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_from_elsewhere_are_refused_and_wake_nothing() {
    let mut bed = Bed::new();
    bed.policy = restricted("Allow", "127.0.0.1");
    bed.serve(&[]);
    let (status, body) = get(&bed, "127.0.0.3", "X-Forwarded-For: 127.0.0.1\r\n").await;
    assert_eq!(status, 403, "it is no proxy that is trusted");
    assert!(
        body.contains("127.0.0.3 (ipSecurityRestrictions)"),
        "{body}"
    );
    assert!(bed.activations.try_recv().is_err());
    assert_eq!(bed.meter.read().sums.started, 0);

    let app = App::text("hello").await;
    let replicas = [replica(app.address)];
    bed.serve(&replicas);
    assert_eq!(get(&bed, "127.0.0.1", "").await.0, 200);
    assert_eq!(get(&bed, "127.0.0.3", "").await.0, 403);
    bed.policy = restricted("Deny", "127.0.0.2/31");
    bed.serve(&replicas.map(|replica| Arc::clone(&replica)));
    for (source, status) in [("127.0.0.1", 200), ("127.0.0.2", 403), ("127.0.0.3", 403)] {
        assert_eq!(get(&bed, source, "").await.0, status, "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_a_trusted_proxy_it_is_the_proxys_client_that_counts() {
    let trusted = format!("{PROXY}/32").parse().unwrap();
    let mut bed = Bed::with(|options| options.trusted_proxies = vec![trusted]);
    bed.policy = restricted("Allow", "192.0.2.0/24");
    let app = App::text("hello").await;
    bed.serve(&[replica(app.address)]);
    for (source, headers, status) in [
        (PROXY, "X-Forwarded-For: 192.0.2.1\r\n", 200),
        (PROXY, "X-Forwarded-For: 203.0.113.9, 192.0.2.1\r\n", 200),
        (PROXY, "X-Forwarded-For: 192.0.2.1, 203.0.113.9\r\n", 403),
        (PROXY, "Forwarded: for=192.0.2.1\r\n", 200),
        (PROXY, "X-Forwarded-For: unknown\r\n", 403),
        (PROXY, "", 403),
        ("127.0.0.1", "X-Forwarded-For: 192.0.2.1\r\n", 403),
    ] {
        let (found, body) = get(&bed, source, headers).await;
        assert_eq!(found, status, "{source} {headers}: {body}");
    }
}
