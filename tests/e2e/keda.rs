//! KEDA's own client for external scalers against `ebbtide up`.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::{Ebbtide, SOON, eventually, machine, program};
use crate::load::Document;

/// The program, or none where there is no Go to build it; `tests/run` says so.
fn client(ebbtide: &Ebbtide, arguments: &[&str]) -> Option<Command> {
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
