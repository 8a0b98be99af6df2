//! From path, method and headers to app, by an HTTP route config.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::document::{self, Declaration, ParseOptions, Source};
use ebbtide_core::name::{AppName, RevisionName};
use ebbtide_ingress::{
    AppRoute, Backend, BackendState, HttpRoutes, RevisionMeter, RoutingTable, Split,
};
use http::Response;

use crate::app::{App, full, read_head};
use crate::bed::{Bed, WORKERS, replica, until};
use crate::client::{Client, Reply};
use crate::timeouts::pausing;

const ROUTES: &str = "
type: Microsoft.App/managedEnvironments/httpRouteConfigs
name: shop
properties:
  customDomains: [{name: '*.shop.example'}, {name: own.shop.example}]
  rules:
  - routes:
    - match: {pathSeparatedPrefix: /api}
      action: {prefixRewrite: /}
    - match: {prefix: /raw}
      action: {prefixRewrite: /x/}
    - match: {path: /, method: POST}
    targets: [{containerApp: api}]
  - routes: [{match: {prefix: /, headers: [{name: x-try, value: 'on'}]}}]
    targets: [{containerApp: web, label: next}]
  - routes: [{match: {path: /lost}}]
    targets: [{containerApp: lost}]
  - routes: [{match: {path: /v9}}]
    targets: [{containerApp: web, revision: v9}]
  - routes: [{match: {path: /half}}]
    targets: [{containerApp: web, weight: 75}, {containerApp: api, weight: 25}]
  - routes: [{match: {prefix: /pages}}]
    targets: [{containerApp: web}]
  - routes: [{match: {path: /quick}}]
    targets: [{containerApp: web}]
    timeouts: {firstByteSeconds: 10, idleSeconds: 5}
  - routes: [{match: {path: /patient}}]
    targets: [{containerApp: web}]
    timeouts: {firstByteSeconds: 0}
";

fn routes() -> Arc<HttpRoutes> {
    let source = Source {
        name: "routes",
        text: ROUTES,
    };
    let parsed = document::parse(&source, &ParseOptions::default()).unwrap();
    let Declaration::Routes(config) = &parsed.declarations[0].value else {
        panic!("routes");
    };
    Arc::new(HttpRoutes::new((**config).clone()))
}

/// An app of which each revision has one replica, or none. The first one has all traffic.
fn app(name: &str, revisions: &[(&str, Option<SocketAddr>)], labels: &[(&str, usize)]) -> AppRoute {
    let backend = |(suffix, address): &(&str, Option<SocketAddr>)| {
        Arc::new(Backend {
            revision: RevisionName::parse(&format!("{name}--{suffix}")).unwrap(),
            policy: Arc::default(),
            meter: RevisionMeter::new(WORKERS),
            state: BackendState::Serving(address.map(replica).into_iter().collect()),
        })
    };
    let labels = labels
        .iter()
        .map(|(label, place)| ((*label).to_owned(), *place));
    AppRoute {
        app: AppName::new(name).unwrap(),
        hosts: Vec::new(),
        split: Arc::new(Split::new(vec![1])),
        labels: labels.collect::<BTreeMap<_, _>>(),
        backends: revisions.iter().map(backend).collect(),
        policy: Arc::default(),
    }
}

/// Answers with its name and the target that it was asked for.
async fn echo(name: &'static str) -> App {
    App::http1(move |request| {
        let target = request.uri().to_string();
        async move { Response::new(full(format!("{name} {target}"))) }
    })
    .await
}

async fn ask(bed: &Bed, head: &str) -> Reply {
    let mut client = Client::connect(bed.address).await;
    client.write(&format!("{head}\r\n\r\n")).await;
    client.reply().await
}

fn publish(bed: &Bed, apps: Vec<AppRoute>, routes: &Arc<HttpRoutes>) {
    bed.ingress.publisher().publish(RoutingTable {
        apps: apps.into_iter().map(Arc::new).collect(),
        routes: vec![Arc::clone(routes)],
        ..RoutingTable::default()
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_to_apps_by_the_best_route() {
    let bed = Bed::new();
    let (api, web, next) = (echo("api").await, echo("web").await, echo("next").await);
    let api = app("api", &[("v1", Some(api.address))], &[]);
    let revisions = [("v1", Some(web.address)), ("v2", Some(next.address))];
    let web = app("web", &revisions, &[("next", 1)]);
    publish(&bed, vec![api, web], &routes());
    for (head, expected) in [
        (
            "GET /api/a%20b?c=/api HTTP/1.1\r\nHost: shop.localhost",
            "api /a%20b?c=/api",
        ),
        ("GET /api HTTP/1.1\r\nHost: shop:80", "api /"),
        ("GET /%61pi/x HTTP/1.1\r\nHost: a.b.shop.example", "api /x"),
        (
            "GET http://own.shop.example/api/x HTTP/1.1\r\nHost: a",
            "api /x",
        ),
        ("GET /rawer HTTP/1.1\r\nHost: shop.localhost", "api /x/er"),
        (
            "POST / HTTP/1.1\r\nHost: shop.localhost\r\nContent-Length: 0",
            "api /",
        ),
        (
            "GET /pages/1?q HTTP/1.1\r\nHost: shop.localhost",
            "web /pages/1?q",
        ),
        (
            "GET /apis HTTP/1.1\r\nHost: shop.localhost\r\nX-Try: on",
            "next /apis",
        ),
        ("GET /api/1 HTTP/1.1\r\nHost: web.localhost", "web /api/1"),
    ] {
        let reply = ask(&bed, head).await;
        assert_eq!((reply.status, &*reply.body), (200, expected), "{head}");
    }
    // Nothing in what came would have been refused, but in what would be forwarded.
    let reply = ask(&bed, "GET /raw../a HTTP/1.1\r\nHost: shop.localhost").await;
    assert_eq!(reply.status, 400, "{}", reply.body);
    let mut client = Client::connect(bed.address).await;
    let mut at_web = 0;
    for _ in 0..40 {
        client
            .write("GET /half HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
            .await;
        at_web += usize::from(client.reply().await.body == "web /half");
    }
    assert_eq!(at_web, 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_route_can_lead_anywhere_is_refused() {
    let bed = Bed::new();
    let web = echo("web").await;
    publish(
        &bed,
        vec![app("web", &[("v1", Some(web.address))], &[])],
        &routes(),
    );
    for (target, status, says) in [
        ("/", 404, "no route of the HTTP route config shop"),
        ("/apis", 404, "no route"),
        ("/lost", 503, "app lost, which is not there"),
        ("/v9", 503, "revision web--v9, which is not there"),
        ("/api", 503, "app api, which is not there"),
        ("/pages/../api", 400, "`.` or `..`"),
        ("/pages/%2e%2E/api", 400, "`.` or `..`"),
        ("//api", 400, "empty segment"),
        ("/pages/a%2fb", 400, "encoded slash"),
        ("/pages/a%5Cb", 400, "encoded slash or backslash"),
    ] {
        let head = format!("GET {target} HTTP/1.1\r\nHost: shop.localhost");
        let reply = ask(&bed, &head).await;
        assert_eq!(reply.status, status, "{target}: {}", reply.body);
        assert!(reply.body.contains(says), "{target}: {}", reply.body);
    }
    // An app's own host has all paths go to it as they are.
    let reply = ask(&bed, "GET //a/%2e%2e/b HTTP/1.1\r\nHost: web.localhost").await;
    assert_eq!(reply.body, "web //a/%2e%2e/b");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_the_app_that_its_route_led_to() {
    let mut bed = Bed::new();
    let (web, api) = (echo("web").await, echo("api").await);
    let routes = routes();
    let web = app("web", &[("v1", Some(web.address))], &[]);
    publish(
        &bed,
        vec![app("api", &[("v1", None)], &[]), web.clone()],
        &routes,
    );
    let mut client = Client::connect(bed.address).await;
    client
        .write("GET /api/x HTTP/1.1\r\nHost: shop.localhost\r\n\r\n")
        .await;
    assert_eq!(bed.activations.recv().await.unwrap().as_str(), "api--v1");
    let api = app("api", &[("v1", Some(api.address))], &[]);
    publish(&bed, vec![web, api], &routes);
    let reply = client.reply().await;
    assert_eq!((reply.status, &*reply.body), (200, "api /x"));
    assert!(reply.header("server-timing").is_some());
}

/// Begins a request for a path of the routes' host.
async fn begin(bed: &Bed, path: &str) -> Client {
    let mut client = Client::connect(bed.address).await;
    let head = format!("GET {path} HTTP/1.1\r\nHost: shop.localhost\r\n\r\n");
    client.write(&head).await;
    client
}

/// Requests on the replica of an app that has one.
fn in_flight(app: &AppRoute) -> u32 {
    match &app.backends[0].state {
        BackendState::Serving(replicas) => replicas[0].in_flight(),
        BackendState::Failed { because } => panic!("{because}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_times_of_a_rule_hold_instead_of_the_apps() {
    let bed = Bed::new();
    let silent =
        App::raw(|mut stream| async move { while read_head(&mut stream).await.is_some() {} });
    let silent = silent.await;
    let web = app("web", &[("v1", Some(silent.address))], &[]);
    let in_flight = || in_flight(&web);
    publish(&bed, vec![web.clone()], &routes());
    let mut quick = begin(&bed, "/quick").await;
    let mut own = begin(&bed, "/pages").await;
    let _patient = begin(&bed, "/patient").await;
    until("the app has all", || silent.connections() == 3).await;
    bed.clock.advance(Duration::from_secs(11));
    until("the quick one is over", || in_flight() == 2).await;
    let reply = quick.reply().await;
    assert_eq!(reply.status, 504, "{}", reply.body);
    assert!(reply.body.contains("10 s"), "{}", reply.body);
    bed.clock.advance(Duration::from_secs(230));
    until("the app's time is over", || in_flight() == 1).await;
    assert_eq!(own.reply().await.status, 504);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_may_pause_as_long_as_its_rule_says() {
    let bed = Bed::new();
    let (pausing, go_on) = pausing("text/plain").await;
    let web = app("web", &[("v1", Some(pausing.address))], &[]);
    publish(&bed, vec![web.clone()], &routes());
    let mut quick = begin(&bed, "/quick").await;
    assert_eq!(quick.head().await.status, 200);
    assert_eq!(quick.chunk().await.as_deref(), Some("first"));
    bed.clock.advance(Duration::from_secs(6));
    until("its time is over", || in_flight(&web) == 0).await;
    let rest = quick.rest().await.unwrap_or_default();
    assert!(!rest.contains("\r\n0\r\n"), "{rest}");
    go_on.notify_one();
    let mut own = begin(&bed, "/pages").await;
    assert_eq!(own.head().await.status, 200);
    assert_eq!(own.chunk().await.as_deref(), Some("first"));
    bed.clock.advance(Duration::from_secs(6));
    go_on.notify_one();
    assert_eq!(own.chunk().await.as_deref(), Some("last"));
}
