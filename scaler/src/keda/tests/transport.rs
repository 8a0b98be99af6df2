//! TLS, and who may come in by it; what is no call.

use std::collections::HashMap;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use super::bed::{Bed, decided};
use super::certificates::Authority;
use super::model::Keda;
use crate::grpc::Tls;

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

#[tokio::test]
async fn garbage_and_what_is_too_large_are_refused_and_others_are_answered() {
    let bed = Bed::with(1).await;
    for garbage in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0; 4096], &[0xff; 8192]] {
        let mut connection = TcpStream::connect(bed.address).await.unwrap();
        // It may be closed before all of it is written.
        let _ = connection.write_all(garbage).await;
        let _ = connection.read_to_end(&mut Vec::new()).await;
    }
    for (length, code) in [
        (60 * 1024, None),
        (65 * 1024, Some(Code::InvalidArgument)),
        (300 * 1024, Some(Code::OutOfRange)),
    ] {
        let note = "x".repeat(length);
        let polled = Keda::new(&bed.client, &[("app", "hello"), ("note", &note)])
            .poll()
            .await;
        assert_eq!(polled.err().map(|status| status.code()), code, "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_begin_to_speak_is_closed() {
    let bed = Bed::new().await;
    for said in [&b""[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
        let mut connection = TcpStream::connect(bed.address).await.unwrap();
        connection.write_all(said).await.unwrap();
        // Closed with an error where something was not read, without one otherwise.
        let _ = connection.read_to_end(&mut Vec::new()).await;
    }
    let is_free = async {
        while bed.scaler.connections.sample().open > 0 {
            tokio::task::yield_now().await;
        }
    };
    is_free.await;
    bed.stop().await;
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_has_room_once_another_is_gone() {
    let bed = Bed::bounded(2).await;
    bed.publish(vec![decided(2)]);
    let connect = || TcpStream::connect(bed.address);
    let (first, _second) = (connect().await.unwrap(), connect().await.unwrap());
    let mut third = connect().await.unwrap();
    let mut answer = Vec::new();
    assert_eq!(third.read_to_end(&mut answer).await.unwrap(), 0);
    drop(first);
    // The place is free once the service has seen the end of the first one.
    let polled = async {
        loop {
            if let Ok(polled) = Keda::new(&bed.client, &[("app", "hello")]).poll().await {
                return polled;
            }
            tokio::task::yield_now().await;
        }
    };
    assert!(polled.await.active);
    bed.stop().await;
}
