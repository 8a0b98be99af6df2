//! Certificates that are ordered, from Pebble.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::bed::{Authority, get, serial};
use crate::harness::{
    ANY_PORT, Ebbtide, SOON, curl, ebbtide, eventually, folder, machine, program,
};
use crate::load::Document;
use crate::ports;

const HOST: &str = "www.example.com";
/// A host that this Pebble issues no certificate for.
const BLOCKED: &str = "blocked.example.com";

/// A directory, and the DNS that it asks: every name leads here.
struct Pebble {
    processes: [Child; 2],
    /// What the directory's own certificate is by.
    authority: Authority,
    port: u16,
    management: u16,
    kept: TempDir,
}

impl Pebble {
    /// Starts one that asks hosts on the port `http`, and whose certificates are valid for `seconds`.
    fn start(http: u16, seconds: u32) -> Self {
        let authority = Authority::new();
        authority.issue(&["localhost"], "pebble.crt", "pebble.key");
        let files = authority.folder.path();
        let [dns, port, management] = [ports::free(), ports::free(), ports::free()];
        let at = |port: u16| format!("127.0.0.1:{port}");
        let config = json!({"pebble": {
            "listenAddress": at(port),
            "managementListenAddress": at(management),
            "certificate": files.join("pebble.crt"),
            "privateKey": files.join("pebble.key"),
            "httpPort": http,
            "tlsPort": ports::free(),
            "domainBlocklist": [BLOCKED],
            "retryAfter": {"authz": 1, "order": 1},
            "profiles": {"default": {"description": "short", "validityPeriod": seconds}},
        }});
        let config_file = files.join("pebble.json");
        std::fs::write(&config_file, config.to_string()).unwrap();
        let own = ["-dnsserver", &at(dns), "-management", &at(ports::free())];
        let here = ["-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""];
        let off = ["-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""];
        let resolver = run("pebble-challtestsrv", &[&own[..], &here, &off].concat());
        let config_file = config_file.display().to_string();
        let directory = run("pebble", &["-config", &config_file, "-dnsserver", &at(dns)]);
        let this = Self {
            processes: [resolver, directory],
            authority,
            port,
            management,
            kept: tempfile::tempdir().unwrap(),
        };
        eventually(SOON, "Pebble listens", || {
            [port, management]
                .iter()
                .all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
        this
    }

    /// `ebbtide up` that orders from it.
    fn up(&self, documents: TempDir, http: u16) -> Ebbtide {
        let listen = format!("127.0.0.1:{http}");
        let directory = format!("https://localhost:{}/dir", self.port);
        let (kept, ca) = (
            self.kept.path().display().to_string(),
            self.authority.path(),
        );
        let doors = ["up", "--listen", &listen, "--listen-tls", ANY_PORT];
        let keda = ["--keda-listen", ANY_PORT];
        let ordered = ["--acme-directory", &directory, "--acme-dir", &kept];
        let agreed = ["--acme-agree-tos", "--acme-ca", &ca];
        let contact = ["--acme-contact", "admin@example.com"];
        let arguments = [&doors[..], &keda, &ordered, &agreed, &contact].concat();
        let mut command = ebbtide();
        command.env("NO_PROXY", "*").env("no_proxy", "*");
        Ebbtide::start_as(command, documents, &arguments)
    }

    /// A file with the root of the certificates that it issues.
    fn root(&self) -> String {
        let url = format!("https://localhost:{}/roots/0", self.management);
        let answer = curl(&["--cacert", &self.authority.path(), &url]);
        assert_eq!(answer.status, 200, "{answer:?}");
        let path = self.kept.path().join("root.pem");
        std::fs::write(&path, answer.body).unwrap();
        path.display().to_string()
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for process in &mut self.processes {
            drop(process.kill());
            drop(process.wait());
        }
    }
}

fn run(name: &str, arguments: &[&str]) -> Child {
    let folder = std::env::var_os("PEBBLE_BIN").map(std::path::PathBuf::from);
    let program = folder.map_or_else(|| program("PEBBLE_BIN", name), |folder| folder.join(name));
    let mut command = Command::new(program);
    command
        .args(arguments)
        .env("PEBBLE_VA_NOSLEEP", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.spawn().expect("it is installed by tests/run")
}

/// An app that is asleep and takes no requests in the clear, with these domains.
fn document(domains: &[&str]) -> String {
    let domains: Vec<_> = domains.iter().map(|name| json!({ "name": name })).collect();
    let traffic = "traffic: [{latestRevision: true, weight: 100}]";
    let yaml = Document::default().yaml();
    yaml.replace("allowInsecure: true", "allowInsecure: false")
        .replace(
            traffic,
            &format!("{traffic}, customDomains: {}", Value::from(domains)),
        )
}

/// What is told of a host's certificate.
fn status(ebbtide: &Ebbtide, host: &str) -> Value {
    let listed = ebbtide.api("/api/v1/certificates");
    let name = format!("acme/{host}/tls.crt");
    let all = listed["value"].as_array().cloned().unwrap_or_default();
    let found = all.into_iter().find(|one| one["name"] == name.as_str());
    found.unwrap_or_default()
}

/// Whether others can read something in the folder.
fn others_can_read(path: &Path) -> bool {
    let output = Command::new("find")
        .arg(path)
        .args(["-mindepth", "1", "-perm", "/077"])
        .output()
        .unwrap();
    assert!(output.status.success());
    !output.stdout.is_empty()
}

#[test]
fn a_certificate_is_ordered_for_a_sleeping_app_and_renewed_before_its_time_is_over() {
    if std::env::var_os("EBBTIDE_TESTS_WITHOUT_GO").is_some() {
        return;
    }
    let _machine = machine();
    let http = ports::free();
    let pebble = Pebble::start(http, 24);
    let yaml = document(&[HOST, BLOCKED, "*.example.com"]);
    let ebbtide = pebble.up(folder(&[("web.yaml", &yaml)]), http);
    eventually(SOON, "it is in force", || {
        status(&ebbtide, HOST)["notAfter"].is_string()
    });
    let root = pebble.root();
    let shown = status(&ebbtide, HOST);
    assert_eq!(shown["hosts"], json!([HOST]), "{shown}");
    assert_eq!(shown["orderFailures"], 0, "{shown}");
    assert_eq!(get(&ebbtide, &root, HOST, &[]).status, 200);
    let first = serial(&ebbtide, HOST);
    let redirected = ebbtide.request(HOST, "/a");
    assert_eq!(redirected.status, 301, "as where a certificate was given");
    eventually(SOON, "the order that failed is told of", || {
        status(&ebbtide, BLOCKED)["orderFailures"] == 1
    });
    let problem = status(&ebbtide, BLOCKED)["problem"].to_string();
    assert!(problem.contains("the next order is at"), "{problem}");
    let metrics = curl(&[&ebbtide.api_url("/metrics")]).body;
    for line in [
        format!(
            "ebbtide_certificate_order_failures_total{{certificate=\"acme/{BLOCKED}/tls.crt\"}} 1"
        ),
        format!("ebbtide_certificate_not_after_seconds{{certificate=\"acme/{HOST}/tls.crt\"}} "),
    ] {
        assert!(metrics.contains(&line), "{metrics}");
    }
    eventually(SOON, "it is renewed", || {
        let now = serial(&ebbtide, HOST);
        now != first && !now.is_empty()
    });
    assert_eq!(get(&ebbtide, &root, HOST, &[]).status, 200);
    let log = ebbtide.stop();
    assert!(
        log.contains(&format!(
            "no certificate for {BLOCKED} from https://localhost"
        )),
        "{log}"
    );
    assert!(
        log.contains("no certificate is ordered for *.example.com"),
        "{log}"
    );
    assert!(!log.contains("PRIVATE KEY"), "{log}");
    std::fs::remove_file(&root).unwrap();
    assert!(!others_can_read(pebble.kept.path()));
    // What is kept goes on, with no other account.
    let again = pebble.up(folder(&[("web.yaml", &document(&[HOST]))]), http);
    eventually(SOON, "it is in force again", || {
        status(&again, HOST)["notAfter"].is_string() && !serial(&again, HOST).is_empty()
    });
    let log = again.stop();
    assert!(!log.contains("an account with"), "{log}");
}

#[test]
fn terms_of_service_have_to_be_agreed_to() {
    let mut command = ebbtide();
    command.args(["up", "--listen", ANY_PORT, "--status-listen", ANY_PORT]);
    command.args([
        "--acme-directory",
        "letsencrypt-staging",
        "--acme-dir",
        "/nowhere",
    ]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--acme-agree-tos"), "{said}");
}
