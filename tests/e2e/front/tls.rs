//! What OpenSSL and curl make of the handshake.

use std::process::Command;

use super::bed::{App, ready, up};
use crate::harness::{Answer, Ebbtide, curl, machine};

fn get(ebbtide: &Ebbtide, more: &[&str]) -> Answer {
    let host = format!("web.localhost:{}", ebbtide.tls);
    let resolve = format!("{host}:127.0.0.1");
    let url = format!("https://{host}/who");
    let ours = ["--cacert", &ebbtide.root, "--resolve", &resolve, &url];
    curl(&[more, &ours].concat())
}

/// A request by OpenSSL's client, which keeps its session in a file or takes it from there, and the whole of
/// what that says.
fn by_openssl(ebbtide: &Ebbtide, arguments: &str) -> String {
    let (root, port) = (&ebbtide.root, ebbtide.tls);
    let request = "GET /who HTTP/1.1\\r\\nHost: web.localhost\\r\\nConnection: close\\r\\n\\r\\n";
    let command = format!(
        "printf '{request}' | openssl s_client -connect 127.0.0.1:{port} -servername web.localhost \
         -CAfile '{root}' -verify_return_error -ign_eof {arguments} 2>&1"
    );
    let mut shell = Command::new("sh");
    shell.current_dir(ebbtide.folder.path());
    let output = shell.args(["-c", &command]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("HTTP/1.1 200 OK"), "{said}");
    said
}

#[test]
fn both_versions_are_spoken_and_sessions_are_resumed() {
    let _machine = machine();
    let ebbtide = up(&[("web.yaml", &App::default().yaml())], &[]);
    ready(&ebbtide, "web", "one", 1);
    for version in ["1.2", "1.3"] {
        let only = [&format!("--tlsv{version}"), "--tls-max", version];
        for (protocol, head) in [("--http2", "HTTP/2 200"), ("--http1.1", "HTTP/1.1 200")] {
            let answer = get(&ebbtide, &[&only[..], &[protocol]].concat());
            assert!(answer.head.starts_with(head), "{version}: {answer:?}");
        }
        let option = format!("-tls{}", version.replace('.', "_"));
        let first = by_openssl(&ebbtide, &format!("{option} -sess_out session"));
        assert!(first.contains(&format!("New, TLSv{version}")), "{first}");
        let again = by_openssl(&ebbtide, &format!("{option} -sess_in session"));
        assert!(again.contains(&format!("Reused, TLSv{version}")), "{again}");
    }
    // Debian's curl would speak it at this level of security, and finds nobody who does.
    let old = [
        "--tlsv1.0",
        "--tls-max",
        "1.1",
        "--ciphers",
        "DEFAULT@SECLEVEL=0",
    ];
    assert_eq!(get(&ebbtide, &old).status, 0);
}
