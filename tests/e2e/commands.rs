//! The command line against a running Ebbtide.

use serde_json::Value;

use crate::harness::{Ebbtide, SOON, eventually, folder, machine};
use crate::load::Document;

#[test]
fn the_commands_show_and_change_what_runs() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 1, maxReplicas: 2}",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &document.yaml())]);
    eventually(SOON, "it is ready", || {
        ebbtide.ready("web", "web--one") == 1
    });
    for (arguments, words) in [
        (&["list"][..], &["web", "Single"][..]),
        (&["show", "web"], &["web--one", "100"]),
        (&["revisions", "web"], &["web--one", "Running"]),
        (&["decisions", "web"], &["web--one 0 → 1"]),
        (&["logs", "web", "--tail", "5"], &["web--one"]),
    ] {
        let text = ebbtide.cli_text(arguments);
        assert!(
            words.iter().all(|word| text.contains(word)),
            "{arguments:?}: {text}"
        );
    }
    for command in [
        &["list"][..],
        &["show", "web"],
        &["revisions", "web"],
        &["decisions", "web"],
    ] {
        let text = ebbtide.cli_text(&[command, &["--output", "json"]].concat());
        let parsed: Result<Value, _> = serde_json::from_str(&text);
        assert!(parsed.is_ok(), "{command:?}: {text}");
    }
    let other = Document {
        name: "other",
        ..document
    }
    .yaml();
    let files = folder(&[("other.yaml", &other)]);
    let file = files.path().join("other.yaml");
    ebbtide.cli_text(&["apply", file.to_str().unwrap()]);
    eventually(SOON, "the applied app is ready", || {
        ebbtide.ready("other", "other--one") == 1
    });
    assert_eq!(ebbtide.request("other.localhost", "/").status, 200);
    ebbtide.cli_text(&["delete", "other"]);
    assert_eq!(ebbtide.request("other.localhost", "/").status, 404);
    let missing = ebbtide.cli(&["show", "nobody"]);
    assert_eq!(missing.status.code(), Some(1), "{missing:?}");
}

#[test]
fn validate_says_what_is_wrong_and_where() {
    let good = Document::default().yaml();
    let bad = good.replace("maxReplicas: 5", "maxReplicas: 0");
    let files = folder(&[("good.yaml", &good), ("bad.yaml", &bad)]);
    let validate = |name: &str| {
        let path = files.path().join(name);
        let program = crate::harness::program("EBBTIDE_BIN", "ebbtide");
        std::process::Command::new(program)
            .arg("validate")
            .arg(path)
            .output()
            .unwrap()
    };
    assert_eq!(validate("good.yaml").status.code(), Some(0));
    let output = validate("bad.yaml");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(
        said.contains("bad.yaml:") && said.contains("maxReplicas"),
        "{said}"
    );
}
