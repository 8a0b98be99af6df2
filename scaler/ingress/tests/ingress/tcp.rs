//! TCP apps on ports of their own, and further ports of apps.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::name::AppName;
use ebbtide_core::policy::RequestPolicy;
use ebbtide_ingress::{
    AppPort, AppRoute, Backend, BackendState, Replica, RoutingTable, Split, UpstreamProtocol,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::app::App;
use crate::bed::{Bed, HOST, replica, until};
use crate::client::{Client, get};
use crate::limits::reached;
use crate::ports;

/// An app that says all it hears, after a greeting, until its client ends.
async fn echo() -> App {
    App::raw(|mut stream| async move {
        let _gone = stream.write_all(b"hi ").await;
        let (mut from, mut to) = stream.split();
        let _gone = tokio::io::copy(&mut from, &mut to).await;
    })
    .await
}

/// Publishes the app with these replicas, on this port.
fn serve(bed: &Bed, port: u16, replicas: &[Arc<Replica>]) {
    let app = AppName::new("hello").unwrap();
    publish(bed, [(port, AppPort::of(app))].into(), replicas);
}

/// Publishes the app with these replicas and a port in the place of its additional target port 90.
fn serve_beside(bed: &Bed, port: u16, replicas: &[Arc<Replica>]) {
    let to = AppPort {
        target: Some(90),
        ..AppPort::of(AppName::new("hello").unwrap())
    };
    publish(bed, [(port, to)].into(), replicas);
}

fn publish(bed: &Bed, ports: BTreeMap<u16, AppPort>, replicas: &[Arc<Replica>]) {
    let policy = Arc::new(bed.policy.clone());
    let backend = crate::bed::backend("v1", &bed.meter, BackendState::Serving(replicas.to_vec()));
    let backend = Arc::new(Backend {
        revision: backend.revision.clone(),
        policy: Arc::clone(&policy),
        meter: Arc::clone(&backend.meter),
        state: backend.state.clone(),
    });
    let app = AppName::new("hello").unwrap();
    let route = AppRoute {
        app,
        hosts: Vec::new(),
        policy,
        split: Arc::new(Split::new(vec![100])),
        labels: BTreeMap::new(),
        backends: vec![backend],
    };
    bed.ingress.publisher().publish(RoutingTable {
        apps: vec![Arc::new(route)],
        ports,
        ..RoutingTable::default()
    });
}

async fn connect(port: u16) -> Client {
    Client::connect(SocketAddr::from(([127, 0, 0, 1], port))).await
}

async fn read(client: &mut Client, expected: &str) {
    let mut bytes = vec![0; expected.len()];
    client.0.read_exact(&mut bytes).await.unwrap();
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_held_wakes_its_app_and_counts_until_it_ends() {
    let (mut bed, port, app) = (Bed::new(), ports::free(), echo().await);
    serve(&bed, port, &[]);
    let mut client = connect(port).await;
    client.write("early ").await;
    let woken = bed.activations.recv().await.unwrap();
    assert_eq!(woken.as_str(), "hello--v1");
    assert_eq!(bed.meter.waiting(), 1);
    let replica = replica(app.address);
    serve(&bed, port, &[Arc::clone(&replica)]);
    read(&mut client, "hi early ").await;
    assert_eq!(replica.in_flight(), 1);
    replica.close();
    client.write("late").await;
    client.0.shutdown().await.unwrap();
    assert_eq!(client.rest().await.unwrap(), "late");
    until("the replica is free", || replica.in_flight() == 0).await;
    let read = bed.meter.read();
    assert_eq!(read.codes, BTreeMap::from([(200, 1)]));
    assert_eq!((read.received_bytes, read.sent_bytes), (10, 13));
    assert_eq!(get(bed.address, HOST).await.status, 404, "it has no host");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_has_no_more_connections_than_it_takes() {
    let (mut bed, port, app) = (Bed::new(), ports::free(), echo().await);
    bed.policy = RequestPolicy {
        max_concurrent_requests: NonZeroU32::new(1),
        ..RequestPolicy::default()
    };
    serve(&bed, port, &[replica(app.address)]);
    let mut first = connect(port).await;
    read(&mut first, "hi ").await;
    let mut second = connect(port).await;
    until("the second one waits", || bed.meter.waiting() == 1).await;
    assert_eq!(app.connections(), 1);
    drop(first);
    read(&mut second, "hi ").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed_and_one_that_waits_too_long() {
    let port = ports::free();
    let bed = Bed::with(|options| options.waiting_room.timeout = Duration::from_secs(10));
    let app = echo().await;
    let replica = replica(app.address);
    serve(&bed, port, std::slice::from_ref(&replica));
    let mut client = connect(port).await;
    read(&mut client, "hi ").await;
    bed.clock.advance(Duration::from_secs(241));
    assert_eq!(client.rest().await.unwrap(), "");
    assert_eq!(reached(&bed, "idle-time"), 1);
    // As whoever stops it does: it would take one that waits when the first connection leaves it.
    replica.close();
    serve(&bed, port, &[]);
    let mut client = connect(port).await;
    until("it waits", || bed.meter.waiting() == 1).await;
    bed.clock.advance(Duration::from_secs(11));
    assert_eq!(client.rest().await.unwrap(), "");
    until("it is counted", || {
        bed.meter.read().codes.get(&503) == Some(&1)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ports_follow_the_table_and_the_proxy_protocol_holds_there() {
    let bed = Bed::with(|options| options.proxy_protocol = vec!["127.0.0.1".parse().unwrap()]);
    let (one, app) = (ports::free(), echo().await);
    serve(&bed, one, &[replica(app.address)]);
    let two = ports::free();
    serve(&bed, two, &[replica(app.address)]);
    let mut client = connect(two).await;
    client
        .write("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\nhello")
        .await;
    read(&mut client, "hi hello").await;
    until("the other port is free", || {
        std::net::TcpListener::bind(("127.0.0.1", one)).is_ok()
    })
    .await;
    serve(&bed, bed.address.port(), &[]);
    let failures = bed.ingress.publisher().port_failures();
    assert!(failures[&bed.address.port()].contains("exposedPort"));
    client.write("!").await;
    read(&mut client, "!").await;
    assert!(app.connections() == 1);
}

/// A replica at `main`, with a port in the place of 90 if there is an `additional` one.
fn with_ports(main: SocketAddr, additional: Option<u16>) -> Arc<Replica> {
    let name = replica(main).name().clone();
    let ports = additional.map(|port| (90, port)).into_iter().collect();
    Replica::with_ports(name, main, UpstreamProtocol::Http1, ports)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_additional_port_leads_beside_the_hosts_and_wakes_the_app_as_they_do() {
    let (mut bed, port) = (Bed::new(), ports::free());
    let (web, side) = (App::text("web").await, echo().await);
    serve_beside(&bed, port, &[]);
    let mut client = connect(port).await;
    client.write("early ").await;
    assert_eq!(bed.activations.recv().await.unwrap().as_str(), "hello--v1");
    let replica = with_ports(web.address, Some(side.address.port()));
    serve_beside(&bed, port, &[Arc::clone(&replica)]);
    read(&mut client, "hi early ").await;
    assert_eq!(
        (bed.meter.read().sums.in_flight(), replica.in_flight()),
        (1, 1)
    );
    let answer = get(bed.address, HOST).await;
    assert_eq!((answer.status, &*answer.body), (200, "web"));
    assert_eq!(side.connections(), 1);
    client.0.shutdown().await.unwrap();
    assert_eq!(client.rest().await.unwrap(), "");
    until("the replica is free", || replica.in_flight() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_additional_port_that_is_not_served_says_nothing_of_the_replica() {
    let (bed, port, web) = (Bed::new(), ports::free(), App::text("web").await);
    // Nothing listens on the one, and the other was started before there was such a port.
    for additional in [Some(ports::free()), None] {
        // The only one would not be ejected.
        let replicas = [(); 2].map(|()| with_ports(web.address, additional));
        serve_beside(&bed, port, &replicas);
        for _ in 0..12 {
            assert_eq!(connect(port).await.rest().await.unwrap(), "");
        }
        assert!(!replicas.iter().any(|replica| replica.is_ejected()));
        assert_eq!(get(bed.address, HOST).await.status, 200);
    }
    let codes = || bed.meter.read().codes;
    until("all are counted", || {
        codes() == [(200, 2), (502, 24)].into()
    })
    .await;
}

#[test]
fn a_replica_elsewhere_listens_on_the_target_port_itself() {
    let (replica, address) = (replica(([192, 0, 2, 1], 80).into()), ([192, 0, 2, 1], 90));
    assert_eq!(replica.additional_address(90), Some(address.into()));
}
