//! Certificates in a folder, which is followed.

use std::process::{Command, Stdio};

use super::bed::{Authority, get, replace, serial};
use crate::harness::{ANY_PORT, Ebbtide, SOON, eventually, folder, machine};
use crate::load::Document;

/// An app with two domains of its own.
fn document() -> String {
    let domains = "customDomains: [{name: www.example.com, bindingType: SniEnabled, certificateId: /x}, \
                   {name: api.example.com}]";
    let traffic = "traffic: [{latestRevision: true, weight: 100}]";
    let yaml = Document::default().yaml();
    yaml.replace(traffic, &format!("{traffic}, {domains}"))
}

#[test]
fn hosts_have_their_certificates_which_are_replaced_while_connections_go_on() {
    let _machine = machine();
    let authority = Authority::new();
    let in_folder = |path: &str| authority.folder.path().join(path);
    authority.issue(&["www.example.com"], "www.crt", "www.key");
    authority.issue(&["*.example.com"], "wildcard/tls.crt", "wildcard/tls.key");
    let certificates = authority.folder.path().display().to_string();
    let arguments = ["--listen-tls", ANY_PORT, "--certificates", &certificates];
    let ebbtide = Ebbtide::up_in(folder(&[("web.yaml", &document())]), &arguments);
    let root = authority.path();
    for host in ["www.example.com", "api.example.com"] {
        for (protocol, head) in [("--http2", "HTTP/2 200"), ("--http1.1", "HTTP/1.1 200")] {
            let answer = get(&ebbtide, &root, host, &[protocol]);
            assert!(answer.head.starts_with(head), "{host}: {answer:?}");
        }
    }
    assert_eq!(
        get(&ebbtide, &root, "web.localhost", &[]).status,
        0,
        "nobody vouches for it"
    );
    assert_ne!(
        serial(&ebbtide, "www.example.com"),
        serial(&ebbtide, "api.example.com")
    );
    assert_eq!(serial(&ebbtide, "example.com"), "");

    let mut stream = Command::new("curl")
        .args(["-sSN", "--fail", "--cacert", &root, "--resolve"])
        .arg(format!("www.example.com:{}:127.0.0.1", ebbtide.tls))
        .arg(format!("https://www.example.com:{}/stream", ebbtide.tls))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let before = serial(&ebbtide, "www.example.com");
    let present = ["www.crt", "www.key"].map(|name| std::fs::read(in_folder(name)).unwrap());
    // Another's key: the pair before stays in force, and it is shown why.
    let other = std::fs::read(in_folder("wildcard/tls.key")).unwrap();
    replace(&in_folder("www.key"), &other);
    eventually(SOON, "what is wrong is shown", || {
        let listed = ebbtide.api("/api/v1/certificates");
        let www = &listed["value"][1];
        www["name"] == "www.crt"
            && www["problem"]
                .as_str()
                .is_some_and(|text| text.contains("do not go together"))
            && www["notAfter"].is_string()
    });
    assert_eq!(serial(&ebbtide, "www.example.com"), before);
    replace(&in_folder("www.key"), &present[1]);
    authority.issue(&["www.example.com"], "www.crt", "www.key");
    eventually(SOON, "the new one is in force", || {
        let now = serial(&ebbtide, "www.example.com");
        now != before && !now.is_empty()
    });
    let listed = ebbtide.api("/api/v1/certificates");
    assert!(listed["value"][1]["problem"].is_null(), "{listed}");
    assert_eq!(get(&ebbtide, &root, "www.example.com", &[]).status, 200);
    assert!(stream.try_wait().unwrap().is_none(), "the stream goes on");
    stream.kill().unwrap();
    stream.wait().unwrap();
    // One without its own has that with the wildcard.
    std::fs::remove_file(in_folder("www.crt")).unwrap();
    std::fs::remove_file(in_folder("www.key")).unwrap();
    eventually(SOON, "the wildcard takes over", || {
        let shown = serial(&ebbtide, "www.example.com");
        shown == serial(&ebbtide, "api.example.com") && !shown.is_empty()
    });
    let log = ebbtide.stop();
    assert!(log.contains("certificate www.crt stays as it was"), "{log}");
}

#[test]
fn what_is_wrong_at_the_start_is_said_with_the_flag() {
    let authority = Authority::new();
    authority.issue(&["www.example.com"], "www.crt", "www.key");
    std::fs::write(authority.folder.path().join("api.crt"), "nonsense").unwrap();
    let certificates = authority.folder.path().display().to_string();
    let listening = std::net::TcpListener::bind(ANY_PORT).unwrap();
    let taken = listening.local_addr().unwrap().to_string();
    let fails = |arguments: &[&str]| {
        let mut command = crate::harness::ebbtide();
        command.args(["up", "--listen", ANY_PORT, "--status-listen", ANY_PORT]);
        let output = command.args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        said
    };
    let said = fails(&["--certificates", &certificates]);
    assert!(
        said.contains("--certificates") && said.contains("api.key"),
        "{said}"
    );
    std::fs::remove_file(authority.folder.path().join("api.crt")).unwrap();
    let said = fails(&["--certificates", &certificates, "--listen-tls", &taken]);
    assert!(
        said.contains(&taken) && said.contains("--listen-tls"),
        "{said}"
    );
    let said = fails(&["--certificates", &certificates, "--listen-tls", "off"]);
    assert!(said.contains("--listen-tls is off"), "{said}");
}

#[test]
fn an_app_that_is_not_insecure_leads_to_https_where_a_certificate_was_given() {
    let _machine = machine();
    let authority = Authority::new();
    authority.issue(&["www.example.com"], "www.crt", "www.key");
    let certificates = authority.folder.path().display().to_string();
    let arguments = ["--listen-tls", ANY_PORT, "--certificates", &certificates];
    let insecure = document();
    let secure = insecure.replace("allowInsecure: true", "allowInsecure: false");
    let absent = insecure.replace("allowInsecure: true, ", "");
    let ebbtide = Ebbtide::up_in(folder(&[("web.yaml", &absent)]), &arguments);
    let status = |host: &str| ebbtide.request(host, "/a?b").status;
    assert_eq!(status("web.localhost"), 200, "its certificate is made here");
    let answer = ebbtide.request("www.example.com:80", "/a?b");
    let location = format!("https://www.example.com:{}/a?b", ebbtide.tls);
    assert_eq!(
        answer.header("location"),
        Some(location.as_str()),
        "{answer:?}"
    );
    ebbtide.write("web.yaml", &insecure);
    eventually(SOON, "it is answered", || status("www.example.com") == 200);
    ebbtide.write("web.yaml", &secure);
    eventually(SOON, "it is led to HTTPS again", || {
        status("www.example.com") == 301
    });
    assert_eq!(status("web.localhost"), 200);
    assert_eq!(
        get(&ebbtide, &authority.path(), "www.example.com", &[]).status,
        200
    );
}

#[test]
fn without_certificates_of_ones_own_requests_in_the_clear_are_answered() {
    let _machine = machine();
    let secure = document().replace("allowInsecure: true", "allowInsecure: false");
    let ebbtide = Ebbtide::up(&[("web.yaml", &secure)]);
    for host in ["web.localhost", "www.example.com"] {
        assert_eq!(ebbtide.request(host, "/").status, 200, "{host}");
        assert_eq!(
            get(&ebbtide, &ebbtide.root, host, &[]).status,
            200,
            "{host}"
        );
    }
}
