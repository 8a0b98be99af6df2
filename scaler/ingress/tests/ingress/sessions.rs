//! Sessions, and revisions that a request is pinned to.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use ebbtide_ingress::{Backend, BackendState, Replica, RevisionMeter};
use http::Response;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::app::{App, full};
use crate::bed::{Bed, HOST, WORKERS, backend, replica, until};
use crate::client::{Client, Reply};

/// Apps that answer with their numbers, and a replica for each.
async fn replicas(count: usize) -> (Vec<App>, Vec<Arc<Replica>>) {
    const NAMES: [&str; 6] = ["0", "1", "2", "3", "4", "5"];
    let mut apps = Vec::new();
    for name in &NAMES[..count] {
        apps.push(App::text(name).await);
    }
    let replicas = apps.iter().map(|app| replica(app.address)).collect();
    (apps, replicas)
}

fn sticky() -> Bed {
    let mut bed = Bed::new();
    bed.policy.has_sessions = true;
    bed
}

async fn get(bed: &Bed, headers: &str) -> Reply {
    let mut client = Client::connect(bed.address).await;
    let request = format!("GET / HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n");
    client.write(&request).await;
    client.reply().await
}

/// The cookie that an answer sets, as a client sends it.
fn cookie(reply: &Reply) -> Option<String> {
    let set = reply.header("set-cookie")?;
    let (pair, more) = set.split_once(';').unwrap();
    assert_eq!(more, " Path=/; HttpOnly; SameSite=Lax");
    Some(format!("Cookie: other=1; {pair}\r\n"))
}

fn serving(suffix: &str, replicas: &[Arc<Replica>]) -> Arc<Backend> {
    let state = BackendState::Serving(replicas.to_vec());
    backend(suffix, &RevisionMeter::new(WORKERS), state)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_stays_on_its_replica_when_others_come_and_moves_when_it_goes() {
    let bed = sticky();
    let (_apps, all) = replicas(4).await;
    bed.serve(&all[..2]);
    let first = get(&bed, "").await;
    let session = cookie(&first).unwrap();
    bed.serve(&all);
    for _ in 0..12 {
        let reply = get(&bed, &session).await;
        assert_eq!((&reply.body, cookie(&reply)), (&first.body, None));
    }
    // Others are spread.
    let mut bodies = BTreeSet::new();
    for _ in 0..12 {
        bodies.insert(get(&bed, "").await.body);
    }
    assert_eq!(bodies.len(), 4);
    let place: usize = first.body.parse().unwrap();
    all[place].close();
    let moved = get(&bed, &session).await;
    assert_ne!(moved.body, first.body);
    let session = cookie(&moved).unwrap();
    for _ in 0..6 {
        assert_eq!(get(&bed, &session).await.body, moved.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_somebody_elses_making_names_nothing() {
    let bed = sticky();
    let (_apps, all) = replicas(2).await;
    bed.serve(&all);
    let forged = format!(
        "Cookie: ebbtide-affinity={}.AAAAAAAAAAAAAAAAAAAAAA\r\n",
        all[0].name()
    );
    let mut bodies = BTreeSet::new();
    for _ in 0..6 {
        let reply = get(&bed, &forged).await;
        assert!(cookie(&reply).is_some());
        bodies.insert(reply.body);
    }
    assert_eq!(bodies.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_waits_for_its_replica_and_others_do_not_wait_for_it() {
    let mut bed = sticky();
    bed.policy.max_concurrent_requests = NonZeroU32::new(1);
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let first_app = App::http1(move |request| {
        let held = Arc::clone(&held);
        async move {
            if request.uri().path() == "/held" {
                held.acquire().await.unwrap().forget();
            }
            Response::new(full("first"))
        }
    });
    let (first_app, other_app) = (first_app.await, App::text("other").await);
    let (first, other) = (replica(first_app.address), replica(other_app.address));
    bed.serve(std::slice::from_ref(&first));
    let session = cookie(&get(&bed, "").await).unwrap();
    bed.serve(&[Arc::clone(&first), other]);
    until("it is free", || first.in_flight() == 0).await;
    let mut requests = JoinSet::new();
    let address = bed.address;
    for (path, waiting) in [("/held", 0), ("/", 1)] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{session}\r\n");
        requests.spawn(async move {
            let mut client = Client::connect(address).await;
            client.write(&request).await;
            client.reply().await
        });
        until("it is there", || {
            (first.in_flight(), bed.meter.read().waiting) == (1, waiting)
        })
        .await;
    }
    for _ in 0..3 {
        assert_eq!(get(&bed, "").await.body, "other");
    }
    gate.add_permits(1);
    while let Some(reply) = requests.join_next().await {
        let reply = reply.unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, "first"));
        assert_eq!(cookie(&reply), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_keeps_its_revision_while_that_has_traffic() {
    let bed = sticky();
    let (_apps, all) = replicas(4).await;
    let publish = |weights: [u32; 2]| {
        let backends = vec![serving("v1", &all[..2]), serving("v2", &all[2..])];
        bed.publish_app(backends, weights.to_vec(), &[("green", 1)]);
    };
    publish([100, 0]);
    let first = get(&bed, "").await;
    let session = cookie(&first).unwrap();
    publish([10, 90]);
    for _ in 0..10 {
        assert_eq!(get(&bed, &session).await.body, first.body);
    }
    publish([0, 100]);
    let moved = get(&bed, &session).await;
    assert!(["2", "3"].contains(&moved.body.as_str()), "{}", moved.body);
    assert!(cookie(&moved).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_or_a_cookie_pins_a_revision() {
    let mut bed = Bed::new();
    bed.policy.pin_header = Some("x-revision".to_owned());
    bed.policy.pin_cookie = Some("revision".to_owned());
    let (_apps, all) = replicas(2).await;
    let backends = vec![serving("v1", &all[..1]), serving("v2", &all[1..])];
    bed.publish_app(backends, vec![100, 0], &[("green", 1)]);
    for (headers, body) in [
        ("", "0"),
        ("X-Revision: green\r\n", "1"),
        ("X-Revision: v2\r\n", "1"),
        ("X-Revision: hello--v2\r\n", "1"),
        ("Cookie: a=b; revision=green\r\n", "1"),
        ("Cookie: revision=gone\r\n", "0"),
        ("X-Revision: v1\r\nCookie: revision=green\r\n", "0"),
    ] {
        let reply = get(&bed, headers).await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (200, body),
            "{headers}"
        );
        assert_eq!(reply.header("set-cookie"), None);
    }
    let unknown = get(&bed, "X-Revision: v3\r\n").await;
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.body.contains("\"v3\" is no revision"),
        "{}",
        unknown.body
    );
}
