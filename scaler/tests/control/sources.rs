//! A control task whose rules read from a server.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ebbtide::control::{ControlTask, Inbox, Role, SignalOptions};
use ebbtide_core::document::SecretValue;
use ebbtide_core::name::AppName;
use ebbtide_signals::SecretStore;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::apart::{Scaler, options};

const WORKER: &str = "
name: worker
properties:
  configuration:
    secrets: [{name: address}]
  template:
    revisionSuffix: v1
    containers: [{name: worker, image: example/worker}]
    scale:
      maxReplicas: 9
      pollingInterval: 1
      rules:
      - name: orders
        custom:
          type: prometheus
          metadata: {query: orders, threshold: '10'}
          auth: [{secretRef: address, triggerParameter: serverAddress}]
      - name: bills
        custom:
          type: prometheus
          metadata: {query: bills, threshold: '10', serverAddress: 'http://127.0.0.1:1'}
";

/// Secrets that a test changes.
#[derive(Default)]
struct Vault(Mutex<BTreeMap<String, String>>);

impl Vault {
    fn keep(&self, name: &str, value: &str) {
        let mut secrets = self.0.lock().unwrap();
        secrets.insert(name.to_owned(), value.to_owned());
    }
}

impl SecretStore for Vault {
    fn secret(&self, app: &AppName, name: &str) -> Option<SecretValue> {
        let secrets = self.0.lock().unwrap();
        let value = secrets.get(name).filter(|_| app.as_str() == "worker")?;
        Some(SecretValue::new(value.clone()))
    }
}

/// A Prometheus whose every query has this value; none is an error. Ends with `tasks`.
async fn prometheus(tasks: &mut JoinSet<()>, value: watch::Receiver<Option<u32>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tasks.spawn(async move {
        loop {
            let (mut connection, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            while connection
                .read(&mut request)
                .await
                .is_ok_and(|read| read > 0)
            {
                let (status, value) = match *value.borrow() {
                    Some(value) => ("200 OK", value),
                    None => ("503 Service Unavailable", 0),
                };
                let body = format!(r#"{{"data": {{"result": [1, "{value}"]}}}}"#);
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
                    body.len()
                );
                let answer = head + &body;
                if connection.write_all(answer.as_bytes()).await.is_err() {
                    break;
                }
            }
        }
    });
    address
}

#[tokio::test]
async fn a_rule_follows_its_source_and_its_secret_and_fails_alone() {
    let (vault, mut servers) = (Arc::<Vault>::default(), JoinSet::new());
    let (orders, value) = watch::channel(Some(35));
    let first = prometheus(&mut servers, value).await;
    let signals = SignalOptions {
        secrets: vec![Arc::clone(&vault) as _],
        ..SignalOptions::default()
    };
    let (task, control) = ControlTask::new(options(signals), Role::Scaler, Inbox::default());
    let scaler = Scaler::run(task, control, WORKER).await;

    let rules = scaler.until("the secret is missed", |one| {
        one.rules[0]
            .because
            .contains("the secret address has no value")
    });
    let missing = rules.await.rules[0].because.clone();
    assert!(missing.starts_with("serverAddress: "), "{missing}");
    assert!(missing.contains("EBBTIDE_SECRET_ADDRESS"), "{missing}");

    // Without a restart it is read, while the other rule goes on failing.
    vault.keep("address", &first);
    let read = scaler.until("35 are read", |one| {
        one.replicas.desired == 4 && one.rules[0].value == Some(35.0)
    });
    let read = read.await;
    let (orders_rule, bills) = (&read.rules[0], &read.rules[1]);
    assert_eq!(orders_rule.because, "35 / target 10 = 4");
    assert!(orders_rule.read_milliseconds.is_some());
    assert_eq!(bills.state, "unknown");
    assert!(
        bills.because.starts_with("serverAddress: "),
        "{}",
        bills.because
    );
    assert!(
        bills.because.contains("onnection refused"),
        "{}",
        bills.because
    );

    // What cannot be read any more is what it was, with the reason beside it.
    orders.send_replace(None);
    let failing = scaler
        .until("it fails", |one| one.rules[0].error.is_some())
        .await;
    assert_eq!(failing.rules[0].value, Some(35.0));
    assert_eq!(failing.replicas.desired, 4);
    let error = failing.rules[0].error.clone().unwrap();
    assert!(error.contains("503"), "{error}");

    // Another address in the secret is another source.
    let (_other, value) = watch::channel(Some(61));
    vault.keep("address", &prometheus(&mut servers, value).await);
    scaler
        .until("61 are read", |one| one.replicas.desired == 7)
        .await;
    scaler.end().await;
}
