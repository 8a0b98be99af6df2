//! Challenges of whoever issues certificates.

use ebbtide_ingress::{BackendState, Challenges};

use crate::bed::{Bed, HOST};
use crate::client::Client;

const PATH: &str = "/.well-known/acme-challenge/abc";

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_is_expected_is_answered_whatever_the_host_and_wakes_no_app() {
    let challenges = Challenges::new();
    let of_ingress = std::sync::Arc::clone(&challenges);
    let mut bed = Bed::with(|options| options.challenges = Some(of_ingress));
    // No replica, so that every request for an app waits.
    bed.publish(BackendState::Serving(Vec::new()));
    let challenge = challenges.answer("abc", "abc.proof");
    let mut client = Client::connect(bed.address).await;
    for host in [HOST, "www.example.com", "elsewhere.example"] {
        client
            .write(&format!("GET {PATH} HTTP/1.1\r\nHost: {host}\r\n\r\n"))
            .await;
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "abc.proof"));
    }
    assert!(bed.activations.try_recv().is_err(), "no app is woken");
    drop(challenge);
    for path in [PATH, "/.well-known/acme-challenge/"] {
        client
            .write(&format!(
                "GET {path} HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n"
            ))
            .await;
        assert_eq!(client.reply().await.status, 404);
    }
    client
        .write(&format!("GET {PATH} HTTP/1.1\r\nHost: {HOST}\r\n\r\n"))
        .await;
    assert!(bed.activations.recv().await.is_some(), "it is the app's");
}
