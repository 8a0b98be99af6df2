//! Scenario files through the binary: what they give, how it exits, and what it says of wrong ones.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::server::{Behaviour, Server};

/// A scenario in a folder of its own.
struct Scenario {
    folder: tempfile::TempDir,
}

impl Scenario {
    /// Against `server`; `rest` is what follows the first target's URL.
    fn new(server: &Server, rest: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("targets:\n  - url: {}\n{rest}", server.url());
        std::fs::write(folder.path().join("run.yaml"), text).unwrap();
        Self { folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `loadgen run` on it, in its folder.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
        command.args(["run", "run.yaml"]).args(arguments);
        command.current_dir(self.folder.path()).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The report, and the exit code. One of a run that lagged is 3, whatever its thresholds are.
fn report(output: &Output) -> (Value, i32) {
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)));
    (report, output.status.code().unwrap())
}

fn expect(output: &Output, code: i32) -> Value {
    let (report, found) = report(output);
    let code = if report["valid"] == true { code } else { 3 };
    assert_eq!(found, code, "{report:#}");
    report
}

const STAGES: &str = "    name: first
    share: 3
  - name: other
    url: URL/items/${number(1, 9)}
    checks: [{status: 200}, {header: x-revision}, {bodyContains: hello}]
stages:
  - {name: calm, schedule: {constant: {rate: 50, duration: 400ms}}}
  - {name: rush, schedule: {ramp: {from: 50, to: 350, duration: 400ms, arrivals: constant}}}
outputs: {folder: results}
";

#[test]
fn a_scenario_has_its_stages_targets_thresholds_and_files() {
    let server = Server::start(Behaviour::Answer);
    let stages = STAGES.replace("URL/", &server.url());
    let thresholds =
        "thresholds: [failed == 0, stages.rush.sent >= 79, targets.other.failed == 0, p99 < 1h]\n";
    let scenario = Scenario::new(&server, &format!("{stages}{thresholds}"));
    let report = expect(&scenario.run(&["-o", "json"]), 0);
    assert_eq!(report["name"], "run");
    assert_eq!(report["total"]["sent"], server.requests(), "{report:#}");
    let named = |list: &str| -> Vec<(String, u64)> {
        let parts = report[list].as_array().unwrap().iter();
        let of = |part: &Value| {
            (
                part["name"].as_str().unwrap().to_owned(),
                part["sent"].as_u64().unwrap(),
            )
        };
        parts.map(of).collect()
    };
    assert_eq!(
        named("stages"),
        [("calm".to_owned(), 20), ("rush".to_owned(), 80)]
    );
    let [(first, of_first), (other, of_other)] = &named("targets")[..] else {
        panic!("{report:#}");
    };
    assert_eq!((first.as_str(), other.as_str()), ("first", "other"));
    // Drawn by the seed: of 100 requests 75 on average, within four standard deviations.
    assert_eq!(of_first + of_other, 100);
    assert!((57..=93).contains(of_first), "{of_first}");
    assert_eq!(report["thresholds"].as_array().unwrap().len(), 4);
    for file in ["report.json", "report.html", "seconds.csv", "response.hgrm"] {
        let written = std::fs::read(scenario.file("results").join(file)).unwrap();
        assert!(!written.is_empty(), "{file}");
    }
    let kept = std::fs::read(scenario.file("results/report.json")).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&kept).unwrap(), report);
}

#[test]
fn exit_codes_say_how_the_run_went() {
    for (behaviour, rest, arguments, code) in [
        (Behaviour::Answer, "burst: 5\n", &[][..], 0),
        (Behaviour::Refuse, "burst: 5\n", &[], 2),
        // Thresholds decide where there are some.
        (
            Behaviour::Refuse,
            "burst: 5\nthresholds: [lost == 0]\n",
            &[],
            0,
        ),
        (
            Behaviour::Refuse,
            "burst: 5\nthresholds: [failed == 0]\n",
            &[],
            99,
        ),
        (
            Behaviour::Answer,
            "burst: 5\n",
            &["--threshold", "sent > 5"],
            99,
        ),
        (
            Behaviour::Answer,
            "closed: {clients: 2, duration: 50ms}\n",
            &[],
            0,
        ),
        // Nothing is sent as exactly as that.
        (
            Behaviour::Answer,
            "schedule: {constant: {rate: 100, duration: 200ms}}\nvalidity: {latenessP99: 1ns}\n",
            &["--threshold", "failed > 0"],
            3,
        ),
    ] {
        let server = Server::start(behaviour);
        let scenario = Scenario::new(&server, rest);
        let output = scenario.run(&[&["-o", "json"], arguments].concat());
        let (report, found) = report(&output);
        let code = if report["valid"] == true { code } else { 3 };
        assert_eq!(found, code, "{rest}: {report:#}");
    }
}

#[test]
fn a_closed_loop_is_called_that_in_every_output() {
    let server = Server::start(Behaviour::Answer);
    let scenario = Scenario::new(&server, "closed: {clients: 2, duration: 100ms}\n");
    let output = scenario.run(&["--out", "results"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(
        text(&output.stdout).contains("CLOSED LOOP"),
        "{}",
        text(&output.stdout)
    );
    for (file, words) in [
        ("report.json", "\"closed\""),
        ("report.html", "losed loop"),
        ("seconds.csv", ",closed\n"),
        ("response.hgrm", "closed]"),
    ] {
        let written = std::fs::read_to_string(scenario.file("results").join(file)).unwrap();
        assert!(written.contains(words), "{file}");
    }
}

#[test]
fn a_wrong_scenario_says_everything_with_its_place_and_sends_nothing() {
    let server = Server::start(Behaviour::Answer);
    let rest = "burst: 5\nworkers: 0\nthresholds: [p99 < 5]\n";
    let scenario = Scenario::new(&server, rest);
    let output = scenario.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let errors = text(&output.stderr);
    for expected in [
        "run.yaml:4:10: workers: ",
        "run.yaml:5:14: thresholds[0]: ",
        "\n  p99 < 5\n        ^\n",
    ] {
        assert!(errors.contains(expected), "{errors}");
    }
    assert_eq!((text(&output.stdout).as_str(), server.requests()), ("", 0));
}

#[test]
fn a_folder_that_cannot_be_written_is_said_before_the_run() {
    let server = Server::start(Behaviour::Answer);
    let scenario = Scenario::new(&server, "burst: 5\n");
    let output = scenario.run(&["--json", "none/report.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("there is no folder none"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(server.requests(), 0);
}

fn validate(arguments: &[&str], files: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command
        .arg("validate")
        .args(arguments)
        .args(files)
        .output()
        .unwrap()
}

#[test]
fn files_are_validated_without_sending_anything() {
    let server = Server::start(Behaviour::Answer);
    let (good, wrong) = (
        Scenario::new(&server, "burst: 5\n"),
        Scenario::new(&server, "brust: 5\n"),
    );
    let (good, wrong) = (good.file("run.yaml"), wrong.file("run.yaml"));
    let output = validate(&[], &[&good, &wrong]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("run.yaml: valid\n"),
        "{}",
        text(&output.stdout)
    );
    let errors = text(&output.stderr);
    assert!(
        errors.contains("run.yaml:3:1: brust: `brust` is no field here; did you mean `burst`?"),
        "{errors}"
    );

    let output = validate(&["--output", "json"], &[&good, &wrong]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found[0]["valid"], true);
    assert_eq!(found[0]["summary"]["load"], "5 requests at once");
    assert_eq!(found[1]["errors"][0]["position"], serde_json::json!([3, 1]));
    assert_eq!(found[1]["errors"][0]["field"], "brust");
    assert_eq!(validate(&[], &[&good]).status.code(), Some(0));
    assert_eq!(server.requests(), 0);
}

#[test]
fn schemas_are_printed() {
    for of in ["scenario", "report"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
        let output = command.args(["schema", of]).output().unwrap();
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert!(
            schema["$schema"].is_string() && schema["properties"].is_object(),
            "{of}"
        );
    }
}
