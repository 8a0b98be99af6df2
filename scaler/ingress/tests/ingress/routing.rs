//! From host to revision.

use ebbtide_ingress::{BackendState, RevisionMeter, RoutingTable};

use crate::app::App;
use crate::bed::{Bed, WORKERS, backend, replica};
use crate::client::{Client, get};

#[tokio::test(flavor = "multi_thread")]
async fn hosts_lead_to_apps_and_labels() {
    let bed = Bed::new();
    let apps = [App::text("v1").await, App::text("v2").await];
    let serving = |app: &App| BackendState::Serving(vec![replica(app.address)]);
    let backends = vec![
        backend("v1", &bed.meter, serving(&apps[0])),
        backend("v2", &RevisionMeter::new(WORKERS), serving(&apps[1])),
    ];
    bed.publish_app(backends, vec![100, 0], &[("blue", 1)]);
    for (host, status, body) in [
        ("hello.localhost", 200, "v1"),
        ("HELLO.localhost.:8080", 200, "v1"),
        ("hello", 200, "v1"),
        ("www.example.com:80", 200, "v1"),
        ("hello---blue.localhost:8080", 200, "v2"),
        ("hello---blue", 200, "v2"),
    ] {
        let reply = get(bed.address, host).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (status, body),
            "{host}"
        );
    }
    for host in [
        "hello---green.localhost",
        "localhost",
        "127.0.0.1:8080",
        "xhello.localhost",
    ] {
        assert_eq!(get(bed.address, host).await.status, 404, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_come_before_the_first_table_wait_for_it() {
    let bed = Bed::without_a_table(|_| ());
    let app = App::text("v1").await;
    let mut clients = Vec::new();
    for _ in 0..100 {
        let mut client = Client::connect(bed.address).await;
        client
            .write("GET / HTTP/1.1\r\nHost: hello.localhost\r\n\r\n")
            .await;
        clients.push(client);
    }
    bed.serve(&[replica(app.address)]);
    for client in &mut clients {
        let reply = client.reply().await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "v1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_host_is_told_how_to_find_the_apps() {
    let bed = Bed::new();
    assert!(
        get(bed.address, "x")
            .await
            .body
            .contains("There is no app yet")
    );
    bed.publish_app(
        vec![backend("v1", &bed.meter, BackendState::Serving(vec![]))],
        vec![1],
        &[("blue", 0)],
    );
    let port = bed.address.port();
    let reply = get(bed.address, "unknown.localhost").await;
    assert_eq!(reply.status, 404);
    assert_eq!(
        reply.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    for line in [
        format!("http://hello.localhost:{port}/"),
        format!("http://hello---blue.localhost:{port}/"),
        "http://127.0.0.1:8081/".to_owned(),
    ] {
        assert!(reply.body.contains(&line), "{}", reply.body);
    }
    let mut client = Client::connect(bed.address).await;
    let request = "GET / HTTP/1.1\r\nHost: unknown\r\nAccept: application/json\r\n\r\n";
    client.write(request).await;
    let reply = client.reply().await;
    let json: serde_json::Value = serde_json::from_str(&reply.body).unwrap();
    assert_eq!(json["apps"][0]["app"], "hello");
    assert_eq!(
        json["apps"][0]["urls"][0],
        format!("http://hello.localhost:{port}/")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_one_host_is_refused() {
    let bed = Bed::new();
    bed.ingress.publisher().publish(RoutingTable::default());
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        ("GET / HTTP/1.0\r\n\r\n", 404),
        (
            "CONNECT hello.localhost:80 HTTP/1.1\r\nHost: hello.localhost\r\n\r\n",
            501,
        ),
    ] {
        let mut client = Client::connect(bed.address).await;
        client.write(request).await;
        assert_eq!(client.reply().await.status, status, "{request}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_exact_over_a_hundred_requests_on_any_connections() {
    let bed = Bed::new();
    let apps = [App::text("v1").await, App::text("v2").await];
    let other = RevisionMeter::new(WORKERS);
    let replicas = [replica(apps[0].address), replica(apps[1].address)];
    let publish = || {
        let serving = |index: usize| BackendState::Serving(vec![replicas[index].clone()]);
        let backends = vec![
            backend("v1", &bed.meter, serving(0)),
            backend("v2", &other, serving(1)),
        ];
        bed.publish_app(backends, vec![80, 20], &[]);
    };
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(Client::connect(bed.address).await);
    }
    let mut second = 0;
    for round in 0..20 {
        // Publications in between do not begin the sequence again.
        if round % 3 == 0 {
            publish();
        }
        for client in &mut clients {
            second += usize::from(client.get("hello").await.body == "v2");
        }
    }
    assert!((19..=21).contains(&second), "{second}");
}
