//! Certificates by the authority of this user's own.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::bed::{get, serial};
use crate::harness::{ANY_PORT, Ebbtide, SOON, curl, ebbtide, eventually, folder, machine};
use crate::load::Document;

fn document() -> String {
    let domain = "targetPort: 8080, customDomains: [{name: www.ours.test}]";
    Document::default()
        .yaml()
        .replace("targetPort: 8080", domain)
}

#[test]
fn every_host_of_an_app_has_one_that_curl_accepts_with_the_root() {
    let _machine = machine();
    let state = tempfile::tempdir().unwrap();
    let start = || {
        let mut command = ebbtide();
        command.env("XDG_STATE_HOME", state.path());
        let ports = [
            "--listen",
            ANY_PORT,
            "--listen-tls",
            ANY_PORT,
            "--keda-listen",
            "off",
        ];
        let arguments = [&["up"], &ports[..]].concat();
        Ebbtide::start_as(command, folder(&[("web.yaml", &document())]), &arguments)
    };
    let ebbtide = start();
    let root = ebbtide.root.clone();
    assert_eq!(
        Path::new(&root),
        state.path().join("ebbtide/local-authority/ca.crt")
    );
    let key = Path::new(&root).with_file_name("ca.key");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&key), mode(key.parent().unwrap())), (0o600, 0o700));
    for host in ["web.localhost", "www.ours.test"] {
        for arguments in [["--http2", "--tlsv1.3"], ["--http1.1", "--tls-max=1.2"]] {
            let arguments: Vec<_> = arguments.iter().flat_map(|one| one.split('=')).collect();
            let answer = get(&ebbtide, &root, host, &arguments);
            assert_eq!(answer.status, 200, "{host} {arguments:?}: {answer:?}");
        }
    }
    // A name of this machine without an app is answered, with where the apps are by HTTPS.
    let unknown = get(&ebbtide, &root, "unknown.localhost", &[]);
    let url = format!("https://web.localhost:{}/", ebbtide.tls);
    assert!(
        unknown.status == 404 && unknown.body.contains(&url),
        "{unknown:?}"
    );
    let by_address = format!("https://127.0.0.1:{}/", ebbtide.tls);
    assert_eq!(curl(&["--cacert", &root, &by_address]).status, 404);
    assert_eq!(
        serial(&ebbtide, "www.example.com"),
        "",
        "it leads nowhere here"
    );
    assert_eq!(curl(&[&by_address]).status, 0, "nobody else trusts it");
    ebbtide.stop();
    let content = std::fs::read(&root).unwrap();
    let again = start();
    assert_eq!(std::fs::read(&again.root).unwrap(), content, "it is kept");
    assert_eq!(get(&again, &root, "web.localhost", &[]).status, 200);
}

#[test]
fn up_goes_on_without_https_where_it_cannot_be_had_and_nobody_asked_for_it() {
    let _machine = machine();
    // Held here, or by whoever else has it.
    let _held = TcpListener::bind("127.0.0.1:8443");
    let ports = ["up", "--listen", ANY_PORT, "--keda-listen", "off"];
    let documents = || folder(&[("web.yaml", &document())]);
    let ebbtide = Ebbtide::start(documents(), &ports);
    assert_eq!(
        (ebbtide.tls, ebbtide.request("web.localhost", "/").status),
        (0, 200)
    );
    let log = ebbtide.stop();
    assert!(
        log.contains("127.0.0.1:8443 is in use, so HTTPS is off"),
        "{log}"
    );

    let homeless = || {
        let mut command = self::ebbtide();
        command.env_remove("HOME").env("XDG_STATE_HOME", "");
        command
    };
    let ebbtide = Ebbtide::start_as(homeless(), documents(), &ports);
    eventually(SOON, "it serves", || {
        ebbtide.request("web.localhost", "/").status == 200
    });
    assert_eq!(ebbtide.tls, 0);
    let log = ebbtide.stop();
    assert!(log.contains("no certificates are made for HTTPS"), "{log}");

    let mut command = homeless();
    command
        .args(ports)
        .args(["--status-listen", ANY_PORT, "--listen-tls", ANY_PORT]);
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("--listen-tls") && said.contains("XDG_STATE_HOME"),
        "{said}"
    );
}
