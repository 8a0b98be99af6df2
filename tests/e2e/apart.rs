//! `ebbtide ingress` and two replicas of `ebbtide serve`, with replicas that neither of them runs.

use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::harness::{ANY_PORT, Answer, Ebbtide, SOON, curl, ebbtide, eventually, folder, machine};
use crate::keda::{call, certificates};
use crate::load::Document;
use crate::ports;

/// A replica that nothing of Ebbtide's runs.
struct Replica {
    child: Child,
    port: u16,
}

impl Replica {
    fn start() -> Self {
        let port = ports::free();
        let mut command = ebbtide();
        command
            .args([
                "sample-app",
                "--work-time",
                "2s",
                "--port",
                &port.to_string(),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().expect("it starts");
        eventually(SOON, "the replica listens", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        Self { child, port }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn document() -> String {
    let document = Document {
        scale: "{minReplicas: 0, maxReplicas: 3, cooldownPeriod: 2, rules: [{name: http, http: \
                {metadata: {concurrentRequests: \"1\", windowSeconds: \"1\"}}}]}",
        ..Document::default()
    };
    document.yaml()
}

/// A scaler, on the ports of an earlier one if there was one.
fn scaler(earlier: Option<(u16, u16)>) -> Ebbtide {
    let address = |port: u16| format!("127.0.0.1:{port}");
    let (keda, telemetry) = earlier.unwrap_or((0, 0));
    Ebbtide::start(
        folder(&[("web.yaml", &document())]),
        &[
            "serve",
            "--keda-listen",
            &address(keda),
            "--telemetry-listen",
            &address(telemetry),
        ],
    )
}

/// An ingress that finds replicas in a file, and reports to both scalers.
fn ingress(endpoints: &Path, [one, two]: [&Ebbtide; 2]) -> Ebbtide {
    let to = |scaler: &Ebbtide| format!("127.0.0.1:{}", scaler.telemetry);
    let file = endpoints.display().to_string();
    Ebbtide::start(
        folder(&[("web.yaml", &document())]),
        &[
            "ingress",
            "--listen",
            ANY_PORT,
            "--endpoints",
            &file,
            "--scaler",
            &to(one),
            "--scaler",
            &to(two),
        ],
    )
}

/// The replicas that KEDA would hear of, in thousandths; none if it would hear of an error.
fn replicas(scaler: &Ebbtide, metadata: &[&str]) -> Option<u64> {
    let found = call(scaler, metadata).unwrap();
    found["metrics"][0]["valueMilli"].as_u64()
}

/// Rules of a trigger's own, which count the same requests.
const OWN_RULES: [&str; 6] = [
    "type=http",
    "app=web",
    "concurrentRequests=1",
    "windowSeconds=1",
    "cooldownPeriod=2",
    "scaleInStabilizationSeconds=1",
];

#[test]
fn an_ingress_and_two_scalers_apart_wake_an_app_and_survive_each_other() {
    let _machine = machine();
    let (one, two) = (scaler(None), scaler(None));
    if call(&one, &["app=web"]).is_none() {
        return;
    }
    let waits = |scaler: &Ebbtide| {
        let error = call(scaler, &["app=web"]).unwrap()["error"].to_string();
        assert!(error.contains("no ingress has reported"), "{error}");
    };
    waits(&one);
    let endpoints = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(endpoints.path(), "web:").unwrap();
    let ingress = ingress(endpoints.path(), [&one, &two]);
    for scaler in [&one, &two] {
        eventually(SOON, "it knows that nothing is asked for", || {
            replicas(scaler, &["app=web"]) == Some(0)
        });
        assert_eq!(replicas(scaler, &OWN_RULES), Some(0));
    }

    // A request waits; both scalers say so, by the document's rules and by the trigger's own.
    let request = || -> Answer { ingress.request("web.localhost", "/") };
    std::thread::scope(|scope| {
        let waiting = scope.spawn(request);
        for scaler in [&one, &two] {
            eventually(SOON, "one replica is decided", || {
                replicas(scaler, &["app=web"]) == Some(1000)
            });
            eventually(SOON, "by rules of its own too", || {
                replicas(scaler, &OWN_RULES) == Some(1000)
            });
        }
        let replica = Replica::start();
        std::fs::write(endpoints.path(), format!("web: 127.0.0.1:{}", replica.port)).unwrap();
        let answer = waiting.join().unwrap();
        assert_eq!(answer.status, 200);
        assert!(
            answer
                .header("server-timing")
                .unwrap()
                .contains("coldstart")
        );

        // A scaler that comes back says nothing before it knows, and never that there are none.
        let busy = scope.spawn(request);
        eventually(SOON, "the request is on its way", || {
            ingress.revision("web", "web--one")["inFlightRequests"] == 1
        });
        let ports = (one.keda, one.telemetry);
        one.kill();
        let again = scaler(Some(ports));
        let known = std::iter::repeat_with(|| replicas(&again, &["app=web"]));
        assert_eq!(known.flatten().next(), Some(1000), "what it says first");
        assert_eq!(busy.join().unwrap().status, 200);
        for scaler in [&again, &two] {
            eventually(SOON, "none are needed any more", || {
                replicas(scaler, &["app=web"]) == Some(0) && replicas(scaler, &OWN_RULES) == Some(0)
            });
        }
        let listed: Value = again.api("/api/v1/scaledobjects");
        assert!(listed.to_string().contains("app web"), "{listed}");
    });
    ingress.stop();
    two.stop();
}

#[test]
fn what_the_author_of_a_scaled_object_may_not_reach_is_refused() {
    let _machine = machine();
    let scaler = scaler(None);
    // KEDA keeps the words of an error to its log; the listing has them.
    let ask = |address: &str| {
        let address = format!("serverAddress=http://{address}");
        let metadata = ["type=prometheus", "threshold=1", "query=up", &address];
        let answer = call(&scaler, &metadata)?;
        assert!(answer["error"].is_string(), "{answer}");
        let listed = scaler.api("/api/v1/scaledobjects");
        let triggers = listed["value"][0]["triggers"].as_array().unwrap();
        let newest = triggers.last().unwrap();
        Some(newest["calls"].to_string())
    };
    let Some(refused) = ask("169.254.169.254:80") else {
        return;
    };
    assert!(refused.contains("--allow-address"), "{refused}");
    let refused = ask("localhost:9090").unwrap();
    assert!(refused.contains("--allow-address"), "{refused}");
    let unknown = ask("prometheus.monitoring.svc:9090").unwrap();
    assert!(unknown.contains("not been decided for yet"), "{unknown}");
}

#[test]
fn an_ingress_reports_by_tls_with_a_certificate_and_not_without() {
    let _machine = machine();
    let secrets = tempfile::tempdir().unwrap();
    certificates(secrets.path());
    let file = |name: &str| secrets.path().join(name).display().to_string();
    let (ca, certificate, key) = (file("ca.crt"), file("tls.crt"), file("tls.key"));
    let scaler = Ebbtide::start(
        folder(&[("web.yaml", &document())]),
        &[
            "serve",
            "--keda-listen",
            "off",
            "--telemetry-listen",
            ANY_PORT,
            "--telemetry-tls-certificate",
            &certificate,
            "--telemetry-tls-key",
            &key,
            "--telemetry-tls-client-ca",
            &ca,
        ],
    );
    std::fs::write(secrets.path().join("endpoints"), "web:").unwrap();
    let (endpoints, address) = (file("endpoints"), format!("127.0.0.1:{}", scaler.telemetry));
    let reporting = |arguments: &[&str]| {
        let door = ["ingress", "--listen", ANY_PORT, "--endpoints", &endpoints];
        let to = ["--scaler", &address, "--scaler-tls-ca", &ca];
        let documents = folder(&[("web.yaml", &document())]);
        Ebbtide::start(documents, &[&door[..], &to, arguments].concat())
    };
    let without = reporting(&[]);
    let with = reporting(&[
        "--scaler-tls-certificate",
        &certificate,
        "--scaler-tls-key",
        &key,
    ]);
    eventually(SOON, "one reports", || {
        let metrics = curl(&[&scaler.api_url("/metrics")]).body;
        metrics.contains("\nebbtide_ingresses 1\n")
    });
    with.stop();
    let log = without.stop();
    assert!(log.contains("the scaler hears nothing"), "{log}");
}
