//! TLS, and who may come in by it.

use std::collections::HashMap;

use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::bed::{Bed, decided};
use super::certificates::Authority;
use super::model::Keda;
use crate::keda::Tls;

#[tokio::test]
async fn only_clients_with_a_certificate_of_the_root_are_answered() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let tls = Tls::load(authority.write(folder.path())).await.unwrap();
    let bed = Bed::tls(tls).await;
    bed.publish(vec![decided(2)]);

    let trusting = || {
        let root = Certificate::from_pem(authority.root());
        ClientTlsConfig::new()
            .ca_certificate(root)
            .domain_name("localhost")
    };
    let shown = |(certificate, key)| trusting().identity(Identity::from_pem(certificate, key));
    let stranger = Authority::new();
    let clients = HashMap::from([
        ("of the root", (shown(authority.issue("keda")), true)),
        ("of another root", (shown(stranger.issue("keda")), false)),
        ("none", (trusting(), false)),
    ]);
    for (certificate, (config, is_answered)) in clients {
        let endpoint = Endpoint::from_shared(format!("https://{}", bed.address)).unwrap();
        let channel = endpoint.tls_config(config).unwrap().connect_lazy();
        let client = super::model::client(channel);
        let polled = Keda::new(&client, &[("app", "hello")]).poll().await;
        assert_eq!(polled.is_ok(), is_answered, "{certificate}: {polled:?}");
    }
    // Nor is one that does not speak TLS.
    let plain = Keda::new(&bed.client, &[("app", "hello")]).poll().await;
    assert!(plain.is_err(), "{plain:?}");
    let listed = bed.scaler.scaled_objects().list(None, 9);
    let peer = &listed[0].triggers[0].calls[0].peer;
    assert!(peer.starts_with("127.0.0.1:"), "{peer}");
    bed.stop().await;
}
