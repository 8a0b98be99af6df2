//! What bad input gets: a clear message, and the state before stays in force.

use std::net::TcpListener;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{Ebbtide, SOON, ebbtide, eventually, folder, machine};
use crate::load::Document;
use crate::ports;

/// Documents, and the words that the refusal has.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

/// Runs `ebbtide up`, which must fail, and returns its exit code and what it said.
fn up_fails(documents: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
    let folder = folder(documents);
    let mut command = ebbtide();
    command.args([
        "up",
        "--listen",
        "127.0.0.1:0",
        "--status-listen",
        "127.0.0.1:0",
    ]);
    let output = command.args(arguments).arg(folder.path()).output().unwrap();
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn documents_that_cannot_be_right_are_refused_with_every_reason() {
    let weights = Document {
        traffic: "[{latestRevision: true, weight: 90}]",
        ..Document::default()
    };
    let twice = Document::default().yaml();
    let image = Document::default()
        .yaml()
        .replace("command: [", "image: nginx\n        x: [");
    let cases: &[Case<'_>] = &[
        (&[("a.yaml", &weights.yaml())], &["90", "100", "traffic"]),
        (
            &[("a.yaml", &twice), ("b.yaml", &twice)],
            &["a.yaml", "b.yaml", "web"],
        ),
        (&[("a.yaml", &image)], &["image", "command"]),
        (
            &[(
                "a.yaml",
                "properties: {template: {scale: {minReplicas: x}}}",
            )],
            &["minReplicas"],
        ),
    ];
    for (documents, words) in cases {
        let (code, said) = up_fails(documents, &[]);
        assert_eq!(code, Some(3), "{said}");
        assert!(
            words.iter().all(|word| said.contains(word)),
            "{words:?}: {said}"
        );
    }
}

#[test]
fn a_port_in_use_is_named_with_the_flag_that_changes_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let yaml = Document::default().yaml();
    for flag in ["--listen", "--status-listen"] {
        let folder = folder(&[("web.yaml", &yaml)]);
        let other = if flag == "--listen" {
            "--status-listen"
        } else {
            "--listen"
        };
        let mut command = ebbtide();
        command
            .args(["up", flag, &address, other, "127.0.0.1:0"])
            .arg(folder.path());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(&address) && said.contains(flag), "{said}");
    }
}

#[test]
fn an_app_that_exits_at_once_says_so_to_those_who_wait() {
    let _machine = machine();
    let yaml = Document {
        args: "[-c, \"echo no database >&2; exit 7\"]",
        ..Document::default()
    };
    let yaml = yaml
        .yaml()
        .replace("[\"$(EBBTIDE_PROGRAM)\", sample-app]", "[sh]");
    let ebbtide = Ebbtide::up(&[("web.yaml", &yaml)]);
    let answer = ebbtide.request("web.localhost", "/");
    assert_eq!(answer.status, 503, "{answer:?}");
    for word in ["status 7", "no database"] {
        assert!(answer.body.contains(word), "{word}: {answer:?}");
    }
    eventually(SOON, "the revision's activation has failed", || {
        ebbtide.revision("web", "web--one")["runningState"] == "Activation failed"
    });
    assert!(ebbtide.cli_text(&["logs", "web"]).contains("no database"));
}

#[test]
fn a_document_that_becomes_invalid_changes_nothing() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 1, maxReplicas: 2}",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &document.yaml())]);
    eventually(SOON, "it is ready", || {
        ebbtide.ready("web", "web--one") == 1
    });
    let before = ebbtide.api("/api/v1/apps/web")["latestRevisionName"].clone();

    ebbtide.write("web.yaml", "properties: [this is no app");
    let put = [
        "-X",
        "PUT",
        "-H",
        "content-type: application/yaml",
        "--data-binary",
    ];
    let url = ebbtide.api_url("/api/v1/apps/web");
    let refused = crate::harness::curl(&[&put[..], &["properties: {template: 7}", &url]].concat());
    assert!(matches!(refused.status, 400 | 422), "{refused:?}");
    assert_eq!(
        refused.header("content-type"),
        Some("application/problem+json"),
        "{refused:?}"
    );
    let form = ["-X", "PUT", "-d", "properties={}", &url];
    assert_eq!(crate::harness::curl(&form).status, 415);
    let origin = ["-H", "Origin: http://evil.example", &url];
    assert_eq!(crate::harness::curl(&origin).status, 403);

    assert_eq!(ebbtide.request("web.localhost", "/").status, 200);
    // A valid document after the invalid one takes effect, so the invalid one was read and refused.
    ebbtide.write(
        "web.yaml",
        &Document {
            suffix: "next",
            ..document
        }
        .yaml(),
    );
    eventually(SOON, "the next revision is ready", || {
        ebbtide.api("/api/v1/apps/web")["latestReadyRevisionName"] == "web--next"
    });
    assert_eq!(before, "web--one");
    ebbtide.stop();
}

#[test]
fn an_unknown_host_is_told_where_the_apps_are() {
    let _machine = machine();
    let ebbtide = Ebbtide::up(&[("web.yaml", &Document::default().yaml())]);
    let answer = ebbtide.request("nobody.localhost", "/");
    assert_eq!(answer.status, 404, "{answer:?}");
    assert!(answer.body.contains("web.localhost"), "{answer:?}");
}

#[test]
fn nowhere_to_write_is_no_reason_to_end() {
    let _machine = machine();
    let ports = [ports::free(), ports::free()];
    let [ingress, status] = ports.map(|port| format!("127.0.0.1:{port}"));
    let folder = folder(&[("web.yaml", &Document::default().yaml())]);
    let full = || {
        std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap()
    };
    let mut command = ebbtide();
    command
        .args(["up", "--listen", &ingress, "--status-listen", &status])
        .arg(folder.path());
    let mut child = command.stdout(full()).stderr(full()).spawn().unwrap();
    let url = format!("http://{ingress}/");
    eventually(SOON, "it serves", || {
        crate::harness::curl(&["-H", "Host: web.localhost", &url]).status == 200
    });
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_status_api_does_not_listen_where_others_can_reach_it() {
    let folder = folder(&[("web.yaml", &Document::default().yaml())]);
    let mut command = ebbtide();
    command.args(["up", "--status-listen", "0.0.0.0:0"]);
    let output = command.arg(folder.path()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--status-listen"), "{said}");
}
