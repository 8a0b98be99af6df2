//! KEDA's own client for external scalers against `ebbtide up`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Ebbtide, SOON, eventually, folder, machine, program};
use crate::load::Document;

/// The program, or none where there is no Go to build it; `tests/run` says so.
pub(crate) fn client(ebbtide: &Ebbtide, arguments: &[&str]) -> Option<Command> {
    if std::env::var_os("EBBTIDE_TESTS_WITHOUT_GO").is_some() {
        return None;
    }
    let mut command = Command::new(program("KEDA_CLIENT_BIN", "keda-client"));
    let address = format!("127.0.0.1:{}", ebbtide.keda);
    command.args(arguments).args(["--address", &address]);
    Some(command)
}

/// What a poll finds.
pub(crate) fn call(ebbtide: &Ebbtide, metadata: &[&str]) -> Option<Value> {
    let mut command = client(ebbtide, &["call"])?;
    for pair in metadata {
        command.args(["--metadata", pair]);
    }
    let output = command.output().expect("the client runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

#[test]
fn kedas_own_client_finds_the_replicas_decided_and_is_pushed_the_first() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 0, maxReplicas: 3, cooldownPeriod: 5, rules: [{name: http, http: \
                {metadata: {concurrentRequests: \"1\", windowSeconds: \"1\"}}}]}",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &document.yaml())]);
    let Some(asleep) = call(&ebbtide, &["app=web"]) else {
        return;
    };
    assert_eq!(asleep["specs"][0]["name"], "s0-ebbtide-web");
    assert_eq!(asleep["specs"][0]["targetMilli"], 1000);
    assert_eq!(
        (&asleep["metrics"][0]["valueMilli"], &asleep["active"]),
        (&0.into(), &false.into())
    );

    let push = [
        "push",
        "--metadata",
        "app=web",
        "--scaled-objects",
        "50",
        "--until-active",
    ];
    let mut command = client(&ebbtide, &push).unwrap();
    let mut listening = command
        .stdout(Stdio::piped())
        .spawn()
        .expect("the client runs");
    let mut told = BufReader::new(listening.stdout.take().unwrap()).lines();
    let mut next = || -> Value { serde_json::from_str(&told.next().unwrap().unwrap()).unwrap() };
    for _ in 0..50 {
        assert_eq!(next()["active"], false);
    }
    assert_eq!(ebbtide.request("web.localhost", "/").status, 200);
    for _ in 0..50 {
        assert_eq!(next()["active"], true);
    }
    assert!(listening.wait().unwrap().success());

    let awake = call(&ebbtide, &["app=web", "revision=one"]).unwrap();
    assert_eq!(
        (&awake["metrics"][0]["valueMilli"], &awake["active"]),
        (&1000.into(), &true.into())
    );
    let by_rule = call(&ebbtide, &["app=web", "metrics=per-rule"]).unwrap();
    assert_eq!(by_rule["specs"][0]["name"], "s0-ebbtide-web--one-http");
    let missing = call(&ebbtide, &["app=nope"]).unwrap();
    assert!(missing["error"].is_string(), "{missing}");

    eventually(SOON, "it goes back to zero", || {
        call(&ebbtide, &["app=web"]).unwrap()["active"] == false
    });
    let listed = ebbtide.api("/api/v1/scaledobjects");
    let of_app = &listed["value"][0]["triggers"][0];
    assert_eq!(of_app["subject"], "app web", "{listed}");
    let calls = of_app["calls"].as_array().unwrap();
    let metrics = calls
        .iter()
        .find(|call| call["method"] == "GetMetrics")
        .unwrap();
    assert_eq!(metrics["answer"], "ebbtide-web 0 / target 1");
}

/// Runs openssl in a folder.
pub(crate) fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command
        .current_dir(folder)
        .args(arguments.split_whitespace());
    let output = command.output().expect("openssl is installed");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments}: {errors}");
}

/// Makes a root, and a certificate by it for 127.0.0.1 that serves both sides.
pub(crate) fn certificates(folder: &Path) {
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(
        folder,
        &format!("req -x509 {key} -keyout ca.key -out ca.crt -subj /CN=root -days 2"),
    );
    let names = "-addext subjectAltName=IP:127.0.0.1";
    openssl(
        folder,
        &format!(
            "req -x509 -CA ca.crt -CAkey ca.key {key} -keyout tls.key -out tls.crt \
                  -subj /CN=ebbtide {names} -addext basicConstraints=critical,CA:FALSE -days 2"
        ),
    );
}

#[test]
fn kedas_own_client_comes_in_by_tls_with_a_certificate_and_not_without() {
    let _machine = machine();
    let secrets = tempfile::tempdir().unwrap();
    certificates(secrets.path());
    let file = |name: &str| secrets.path().join(name).display().to_string();
    let (ca, certificate, key) = (file("ca.crt"), file("tls.crt"), file("tls.key"));
    let documents = folder(&[("web.yaml", &Document::default().yaml())]);
    let ebbtide = Ebbtide::up_in(
        documents,
        &[
            "--keda-tls-certificate",
            &certificate,
            "--keda-tls-key",
            &key,
            "--keda-tls-client-ca",
            &ca,
        ],
    );
    let ask = |arguments: &[&str]| -> Option<Value> {
        let mut command = client(&ebbtide, &["call", "--metadata", "app=web"])?;
        let output = command.args(arguments).output().expect("the client runs");
        Some(serde_json::from_slice(&output.stdout).unwrap())
    };
    let Some(known) = ask(&["--ca", &ca, "--cert", &certificate, "--key", &key]) else {
        return;
    };
    assert_eq!(known["specs"][0]["name"], "s0-ebbtide-web", "{known}");
    for arguments in [&["--ca", &ca][..], &[]] {
        let refused = ask(arguments).unwrap();
        assert!(refused["error"].is_string(), "{arguments:?}: {refused}");
    }
}
