//! Azurite, the queues of Azure Storage.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ebbtide_brokers::azure::QueueService;
use ebbtide_signals::Amount;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::Method;
use ring::hmac;

use crate::bed::{self, Case};
use crate::clock;
use crate::process::{self, Server};

/// The account that Azurite has, and its key, which is the same everywhere and public.
const ACCOUNT: &str = "devstoreaccount1";
const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

struct Azurite {
    _server: Server,
    endpoint: String,
}

impl Azurite {
    /// Starts one, or none where there is no Node.js to run it; `tests/run` says so. It speaks TLS
    /// with a certificate that is in `tls.pem` of the folder, and its key.
    async fn start(folder: tempfile::TempDir) -> Option<Self> {
        if std::env::var_os("EBBTIDE_TESTS_WITHOUT_AZURITE").is_some() {
            return None;
        }
        let program = "brokers/azurite/node_modules/azurite/dist/src/queue/main.js";
        let program = process::file("AZURITE_BIN", program);
        let mut arguments = vec![program.to_str().expect("a plain path")];
        arguments.extend([
            "--queueHost",
            "127.0.0.1",
            "--queuePort",
            "0",
            "--location",
            ".",
        ]);
        arguments.extend(["--skipApiVersionCheck", "--disableTelemetry", "--silent"]);
        if folder.path().join("tls.pem").exists() {
            arguments.extend(["--cert", "tls.pem", "--key", "tls.key"]);
        }
        let mut server = Server::start(folder, Path::new("node"), &arguments);
        let endpoint = server.printed(|log| {
            let (_, rest) = log.split_once("successfully listens on ")?;
            Some(rest.split_once('\n')?.0.trim().to_owned())
        });
        let endpoint = format!("{}/{ACCOUNT}", endpoint.await);
        Some(Self {
            _server: server,
            endpoint,
        })
    }

    async fn plain() -> Option<Self> {
        Self::start(tempfile::tempdir().unwrap()).await
    }

    fn with_key(&self, key: &str) -> String {
        let endpoint = &self.endpoint;
        format!("AccountName={ACCOUNT};AccountKey={key};QueueEndpoint={endpoint};")
    }

    fn with_signature(&self, signature: &str) -> String {
        format!(
            "QueueEndpoint={};SharedAccessSignature={signature}",
            self.endpoint
        )
    }

    /// A request with a shared access signature.
    async fn send(
        &self,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: &'static str,
    ) {
        let service = QueueService::from_connection(&self.with_signature(&signature(KEY)));
        let service = service.expect("a connection string");
        let signed = service.request(&method, path, query, clock::system().wall_now());
        let request = bed::http(None).request(method, signed.url).body(body);
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        assert!(
            status.is_success(),
            "{status} {}",
            answer.text().await.unwrap()
        );
    }

    /// Makes a queue with so many messages.
    async fn fill(&self, queue: &str, number: usize) {
        self.send(Method::PUT, &[queue], &[], "").await;
        for _ in 0..number {
            let message = "<QueueMessage><MessageText>bQ==</MessageText></QueueMessage>";
            self.send(Method::POST, &[queue, "messages"], &[], message)
                .await;
        }
    }

    /// Takes a message, which cannot be seen then.
    async fn take(&self, queue: &str) {
        self.send(Method::GET, &[queue, "messages"], &[], "").await;
    }
}

/// A shared access signature for everything in the queues of the account.
fn signature(key: &str) -> String {
    let version = "2021-12-02";
    let (permissions, expiry) = ("rwdlacup", "2100-01-01T00:00:00Z");
    let text = format!("{ACCOUNT}\n{permissions}\nq\nsco\n\n{expiry}\n\n\n{version}\n\n");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(key).unwrap());
    let signature = STANDARD.encode(hmac::sign(&key, text.as_bytes()));
    let signature = utf8_percent_encode(&signature, NON_ALPHANUMERIC);
    format!("sv={version}&ss=q&srt=sco&sp={permissions}&se={expiry}&sig={signature}")
}

fn of(queue: &str) -> Case {
    Case::of("azure-queue").with("queueName", queue)
}

#[tokio::test]
async fn messages_count_whether_they_are_taken_or_not_or_only_if_they_are_to_be_had() {
    let Some(azurite) = Azurite::plain().await else {
        return;
    };
    azurite.fill("empty", 0).await;
    azurite.fill("few", 3).await;
    azurite.fill("many", 34).await;
    for queue in ["few", "many"] {
        azurite.take(queue).await;
    }
    for (queue, strategy, expected) in [
        ("empty", "all", 0.0),
        ("empty", "visibleonly", 0.0),
        ("few", "all", 3.0),
        ("few", "VisibleOnly", 2.0),
        ("many", "all", 34.0),
        // No more than 32 can be looked at, so that this is how many there are at all.
        ("many", "visibleonly", 34.0),
    ] {
        let case = of(queue).with("queueLengthStrategy", strategy);
        for connection in [
            azurite.with_key(KEY),
            azurite.with_signature(&signature(KEY)),
        ] {
            let read = case.secret("connection", &connection).read().await;
            assert_eq!(read, Ok(Amount::from(expected)), "{queue} {strategy}");
        }
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_by_the_key_that_it_is_of() {
    let Some(azurite) = Azurite::plain().await else {
        return;
    };
    azurite.fill("orders", 1).await;
    let orders = of("orders");
    let right = azurite.with_key(KEY);
    let wrong = STANDARD.encode("hunter2");
    let nobody = bed::refusing().await;
    let refused = format!("QueueEndpoint=http://{nobody}/a;AccountName=a;AccountKey={wrong}");
    for (case, expected) in [
        (
            of("missing").secret("connection", &right),
            "queueName: there is no queue missing (QueueNotFound)",
        ),
        (
            of("missing")
                .with("queueLengthStrategy", "visibleonly")
                .secret("connection", &right),
            "queueName: there is no queue missing (QueueNotFound)",
        ),
        (
            of("Orders").secret("connection", &right),
            "queueName: the name of a queue is lowercase letters, digits and '-'",
        ),
        (
            orders.secret("connection", &azurite.with_key(&wrong)),
            "connection: the credentials are not accepted (AuthenticationFailed)",
        ),
        (
            orders.secret("connection", &azurite.with_signature(&signature(&wrong))),
            "connection: the credentials are not accepted (AuthenticationFailed)",
        ),
        (
            orders.secret("connection", &refused),
            "connection: Connection refused (os error 111)",
        ),
        (
            orders.secret("connection", "AccountName=a"),
            "connection: has no AccountKey",
        ),
        (
            orders
                .with("accountName", "a")
                .with("cloud", "private")
                .secret("accountKey", &wrong),
            "endpointSuffix: is missing, which Private needs",
        ),
        (
            orders
                .with("accountName", "a")
                .secret("accountKey", "hunter2!"),
            "accountKey: has a key that is not Base64",
        ),
        (
            orders
                .with("accountName", "a")
                .with("endpointSuffix", "queue.nowhere.invalid")
                .secret("accountKey", &wrong),
            "accountName: the host a.queue.nowhere.invalid cannot be resolved",
        ),
    ] {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
        assert!(
            !error.contains(&wrong) && !error.contains("hunter2"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_server_is_trusted_by_the_root_that_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.path().join("tls.pem"), cert.pem()).unwrap();
    std::fs::write(folder.path().join("tls.key"), signing_key.serialize_pem()).unwrap();
    let Some(azurite) = Azurite::start(folder).await else {
        return;
    };
    assert!(
        azurite.endpoint.starts_with("https://"),
        "{}",
        azurite.endpoint
    );
    let other = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let case = of("orders").secret("connection", &azurite.with_key(KEY));
    let error = case.secret("ca", &cert.pem()).error().await;
    assert_eq!(error, "queueName: there is no queue orders (QueueNotFound)");
    let error = case.secret("ca", &other.cert.pem()).error().await;
    assert!(
        error.starts_with("ca: is not what the server's certificate is signed by"),
        "{error}"
    );
    let error = case.error().await;
    assert!(
        error.starts_with("connection: invalid peer certificate: UnknownIssuer"),
        "{error}"
    );
}
