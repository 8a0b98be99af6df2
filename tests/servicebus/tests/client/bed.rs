//! A stand-in of a test's own, and clients that trust its certificate.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use azure_messaging_servicebus::service_bus::{QueueClient, TopicClient};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Certificate, Client, Method, Response};
use ring::hmac;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

/// The host of the namespace. Clients are told that it is on this machine.
pub(crate) const HOST: &str = "ns.servicebus.windows.net";
pub(crate) const POLICY: &str = "RootManageSharedAccessKey";
pub(crate) const KEY: &str = "bm90IGEgcmVhbCBrZXkuLi4=";
/// Patience for something that ought to happen in a moment, even on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(30);

/// A stand-in that runs until this is dropped.
pub(crate) struct Bed {
    address: SocketAddr,
    authority: Certificate,
    _child: Child,
    _folder: TempDir,
}

impl Bed {
    /// Starts the binary with a key that may do everything, and further arguments.
    pub(crate) async fn start(arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("authority.pem");
        let mut child = Command::new(env!("CARGO_BIN_EXE_servicebus-stand-in"))
            .arg("--authority")
            .arg(&path)
            .args(["--key", "RootManageSharedAccessKey=STAND_IN_KEY"])
            .args(["--key", "worker=STAND_IN_KEY:send+listen"])
            .arg("--until-input-ends")
            .args(arguments)
            .env("STAND_IN_KEY", KEY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = tokio::time::timeout(SOON, lines.next_line()).await;
        let line = line
            .expect("it starts soon")
            .unwrap()
            .expect("it says where it listens");
        let address = line
            .strip_prefix("listening on ")
            .expect("an address")
            .parse()
            .unwrap();
        let authority = Certificate::from_pem(&std::fs::read(path).unwrap()).unwrap();
        Self {
            address,
            authority,
            _child: child,
            _folder: folder,
        }
    }

    /// A client of HTTPS that finds the namespace here. It opens a connection for each request, so
    /// that each sees the certificate of the moment.
    pub(crate) fn http(&self) -> Client {
        Client::builder()
            .resolve(HOST, self.address)
            .tls_built_in_root_certs(false)
            .add_root_certificate(self.authority.clone())
            .pool_max_idle_per_host(0)
            .build()
            .unwrap()
    }

    pub(crate) fn queue(&self, queue: &str) -> QueueClient {
        QueueClient::new(Arc::new(self.http()), "ns", queue, POLICY, KEY.to_owned()).unwrap()
    }

    pub(crate) fn topic(&self, topic: &str) -> TopicClient {
        TopicClient::new(Arc::new(self.http()), "ns", topic, POLICY, KEY.to_owned()).unwrap()
    }

    /// A request with the token of a policy.
    pub(crate) fn request_as(
        &self,
        policy: &str,
        method: Method,
        path: &str,
    ) -> reqwest::RequestBuilder {
        let url = format!("https://{HOST}{path}");
        let token = token(&url, policy, KEY, "4102444800");
        self.http()
            .request(method, url)
            .header("authorization", token)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.request_as(POLICY, method, path)
    }

    /// Tells the stand-in itself something. It is told so whatever certificate it shows.
    pub(crate) async fn control(&self, method: Method, resource: &str, body: &str) -> Response {
        let client = Client::builder()
            .danger_accept_invalid_certs(true)
            .build()
            .unwrap();
        let url = format!("https://{}/$standin/{resource}", self.address);
        let answer = client
            .request(method, url)
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
        answer
    }

    /// What came in so far.
    pub(crate) async fn counters(&self) -> serde_json::Value {
        let answer = self.control(Method::GET, "counters", "").await;
        serde_json::from_str(&answer.text().await.unwrap()).unwrap()
    }

    /// The active, dead-letter and scheduled messages in the description of an entity.
    pub(crate) async fn counts(&self, path: &str) -> [u64; 3] {
        let path = format!("/{path}?api-version=2021-05");
        let answer = self.request(Method::GET, &path).send().await.unwrap();
        let text = answer.text().await.unwrap();
        ["Active", "DeadLetter", "Scheduled"].map(|kind| {
            let start = text.split_once(&format!("<d2p1:{kind}MessageCount>"));
            let (_, rest) = start.unwrap_or_else(|| panic!("{kind} is not in {text}"));
            rest.split_once('<').unwrap().0.parse().unwrap()
        })
    }
}

/// A shared access signature for a URL.
pub(crate) fn token(url: &str, policy: &str, key: &str, expiry: &str) -> String {
    let resource = utf8_percent_encode(url, NON_ALPHANUMERIC);
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = STANDARD.encode(hmac::sign(&key, format!("{resource}\n{expiry}").as_bytes()));
    let signature = utf8_percent_encode(&tag, NON_ALPHANUMERIC);
    format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={policy}")
}
