//! A stand-in of a test's own.

use std::net::{Ipv4Addr, SocketAddr};

use ebbtide_brokers::azure;
use ebbtide_servicebus_stand_in::broker::{Limits, NEVER, Name, Namespace, Settings};
use ebbtide_servicebus_stand_in::clock::Clock;
use ebbtide_servicebus_stand_in::sas::{Policy, Right};
use ebbtide_servicebus_stand_in::server::{Options, Server};
use ebbtide_servicebus_stand_in::tls::Show;
use reqwest::{Method, StatusCode};
use tokio::task::JoinSet;

use crate::bed::{Case, http};
use crate::clock;

/// The key of all policies: `root`, which may do everything, and `worker`, which may not manage.
pub(crate) const KEY: &str = "a-key-that-no-message-shows";

/// A stand-in that runs until this is dropped. It has the queues `orders` and `shop/orders`, and the
/// topic `events` with the subscriptions `audit` and `mail`.
pub(crate) struct Bed {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// The root of its certificate.
    pub(crate) authority: String,
    _running: JoinSet<()>,
}

impl Bed {
    pub(crate) async fn start() -> Self {
        let clock = Clock::start();
        let policies = [("root", Right::Manage), ("worker", Right::Listen)];
        let server = Server::bind(Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            name: "ns".to_owned(),
            policies: policies
                .map(|(name, right)| Policy::new(name, KEY, vec![right]))
                .into(),
            namespace: entities(clock),
            missing_is_404: false,
            fault: None,
            certificate: Show::Good,
            clock,
        });
        let server = server.await.unwrap();
        let (address, authority) = (server.address(), server.authority().to_owned());
        let mut running = JoinSet::new();
        running.spawn(server.run());
        Self {
            address,
            authority,
            _running: running,
        }
    }

    /// A rule without entities.
    pub(crate) fn case(&self) -> Case {
        let case = Case::of("azure-servicebus").secret("ca", &self.authority);
        case.secret("connection", &self.connection("localhost"))
    }

    pub(crate) fn connection(&self, host: &str) -> String {
        let port = self.address.port();
        format!("Endpoint=sb://{host}:{port}/;SharedAccessKeyName=root;SharedAccessKey={KEY}")
    }

    pub(crate) fn with_signature(&self, signature: &str) -> String {
        let port = self.address.port();
        format!("Endpoint=sb://localhost:{port}/;SharedAccessSignature={signature}")
    }

    /// Sends so many messages.
    pub(crate) async fn send(&self, entity: &str, number: usize) {
        for _ in 0..number {
            let status = self
                .request(Method::POST, entity, &["messages"], "hello")
                .await;
            assert_eq!(status, StatusCode::CREATED, "{entity}");
        }
    }

    /// Locks a message.
    pub(crate) async fn lock(&self, source: &str) {
        let status = self
            .request(Method::POST, source, &["messages", "head"], "")
            .await;
        assert_eq!(status, StatusCode::CREATED, "{source}");
    }

    /// Takes a message away.
    pub(crate) async fn receive(&self, source: &str) {
        let status = self
            .request(Method::DELETE, source, &["messages", "head"], "")
            .await;
        assert_eq!(status, StatusCode::OK, "{source}");
    }

    /// Makes an entity.
    pub(crate) async fn create(&self, entity: &str, kind: &str) {
        let body = format!(
            "<entry xmlns=\"http://www.w3.org/2005/Atom\"><content type=\"application/xml\">\
             <{kind}Description xmlns=\"http://schemas.microsoft.com/netservices/2010/10/servicebus/connect\"/>\
             </content></entry>"
        );
        let status = self.request(Method::PUT, entity, &[], &body).await;
        assert_eq!(status, StatusCode::CREATED, "{entity}");
    }

    async fn request(
        &self,
        method: Method,
        entity: &str,
        parts: &[&str],
        body: &str,
    ) -> StatusCode {
        let namespace = azure::Namespace::from_connection(&self.connection("localhost"));
        let namespace = namespace.unwrap();
        let url = namespace.url(entity, parts);
        let token = namespace.authorization(&url, clock::system().wall_now());
        let request = http(Some(&self.authority)).request(method, url);
        let request = request.header("authorization", token).body(body.to_owned());
        request.send().await.unwrap().status()
    }

    /// Tells the stand-in itself something, on a connection that it accepts with any certificate.
    pub(crate) async fn control(&self, method: Method, resource: &str, body: &str) {
        let client = reqwest::Client::builder().danger_accept_invalid_certs(true);
        let url = format!("https://{}/$standin/{resource}", self.address);
        let request = client
            .build()
            .unwrap()
            .request(method, url)
            .body(body.to_owned());
        let answer = request.send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
    }
}

fn entities(clock: Clock) -> Namespace {
    let now = clock.now();
    let mut namespace = Namespace::new(Limits::default(), 1);
    for queue in ["orders", "shop/orders"] {
        let name = Name::entity(queue).unwrap();
        namespace
            .put_queue(&name, Settings::default(), false, now)
            .unwrap();
    }
    let topic = Name::entity("events").unwrap();
    namespace.put_topic(&topic, NEVER, false, now).unwrap();
    for name in ["audit", "mail"] {
        let name = Name::subscription(name).unwrap();
        namespace
            .put_subscription(&topic, &name, Settings::default(), false, now)
            .unwrap();
    }
    namespace
}
