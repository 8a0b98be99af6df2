//! `loadgen report` and `loadgen compare` on reports that were written before.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A report that the program's own tests keep fresh.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/snapshots/full.json")
}

fn loadgen(arguments: &[&str], files: &[&Path]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.args(arguments).args(files).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A copy of the report with some of its fields changed.
fn changed(folder: &Path, name: &str, change: impl FnOnce(&mut Value)) -> PathBuf {
    let mut report: Value = serde_json::from_slice(&std::fs::read(kept()).unwrap()).unwrap();
    change(&mut report);
    let file = folder.join(name);
    std::fs::write(&file, report.to_string()).unwrap();
    file
}

#[test]
fn a_report_is_shown_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    let (html, csv, hgrm, json) = (
        file("run.html"),
        file("run.csv"),
        file("run.hgrm"),
        file("run.json"),
    );
    let mut arguments = vec!["report"];
    for (option, file) in [
        ("--html", &html),
        ("--csv", &csv),
        ("--hgrm", &hgrm),
        ("--json", &json),
    ] {
        arguments.extend([option, file.to_str().unwrap()]);
    }
    let shown = loadgen(&arguments, &[&kept()]);
    let words = text(&shown.stdout);
    assert!(
        words.contains("FAILED: 1 of 3 thresholds does not hold"),
        "{words}"
    );
    assert!(
        !words.contains('\x1b'),
        "no colours where stdout is no terminal"
    );
    assert_eq!(
        (text(&shown.stderr), shown.status.code()),
        (String::new(), Some(99))
    );
    let snapshots = kept().parent().unwrap().to_owned();
    for (written, snapshot) in [
        (&html, "full.html"),
        (&csv, "full.csv"),
        (&hgrm, "response.hgrm"),
    ] {
        let (written, snapshot) = (
            std::fs::read(written).unwrap(),
            std::fs::read(snapshots.join(snapshot)).unwrap(),
        );
        assert!(written == snapshot, "what is read back shows the same");
    }
    let back: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
    let first: Value = serde_json::from_slice(&std::fs::read(kept()).unwrap()).unwrap();
    assert_eq!(back, first);
}

#[test]
fn several_machines_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let other = changed(folder.path(), "other.json", |report| {
        report["seed"] = 8.into();
        report["started"] = "2026-11-27T16:20:06.25Z".into();
    });
    let merged = loadgen(&["report", "--output", "json"], &[&kept(), &other]);
    assert_eq!(text(&merged.stderr), "");
    let merged: Value = serde_json::from_slice(&merged.stdout).unwrap();
    let one: Value = serde_json::from_slice(&std::fs::read(kept()).unwrap()).unwrap();
    let sent = |report: &Value| report["total"]["sent"].as_u64().unwrap();
    assert_eq!(
        (merged["runs"].as_u64(), sent(&merged)),
        (Some(2), 2 * sent(&one))
    );
    assert_eq!(
        merged["total"]["responseTime"]["p99Ms"],
        one["total"]["responseTime"]["p99Ms"]
    );
    // Held against both together.
    assert_eq!(merged["thresholds"][1]["found"], "lost is 6");
}

#[test]
fn what_cannot_be_read_or_merged_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let another = changed(folder.path(), "another.json", |report| {
        report["name"] = "Another".into();
    });
    let broken = folder.path().join("broken.json");
    std::fs::write(&broken, "{\"schemaVersion\": 1").unwrap();
    let missing = folder.path().join("missing.json");
    for (files, words) in [
        (
            vec![kept(), another],
            "not of the same scenario: name is `Spike from zero` and `Another`",
        ),
        (vec![broken], "is not a report: EOF"),
        (vec![missing], "cannot read"),
    ] {
        let files: Vec<_> = files.iter().map(PathBuf::as_path).collect();
        let output = loadgen(&["report"], &files);
        assert!(
            text(&output.stderr).contains(words),
            "{}",
            text(&output.stderr)
        );
        assert_eq!((output.stdout.len(), output.status.code()), (0, Some(1)));
    }
    let nowhere = folder.path().join("nowhere/run.html");
    let output = loadgen(&["report", "--html", nowhere.to_str().unwrap()], &[&kept()]);
    assert!(
        text(&output.stderr).contains("there is no folder"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn two_runs_are_compared() {
    let folder = tempfile::tempdir().unwrap();
    let worse = changed(folder.path(), "worse.json", |report| {
        let total = &mut report["total"];
        total["failed"] = 2000.into();
        total["lost"] = 2000.into();
    });
    let same = loadgen(
        &["compare", "--fail-if-worse", "--output", "json"],
        &[&kept(), &kept()],
    );
    assert_eq!(
        (text(&same.stderr), same.status.code()),
        (String::new(), Some(0))
    );
    let comparison: Value = serde_json::from_slice(&same.stdout).unwrap();
    let figures = comparison["figures"].as_array().unwrap();
    assert!(
        figures.len() > 15
            && figures
                .iter()
                .all(|figure| figure["difference"]["value"] == 0.0)
    );

    for (arguments, code) in [
        (&["compare"] as &[_], 0),
        (&["compare", "--fail-if-worse=50"], 99),
        (&["compare", "--fail-if-worse=90000"], 0),
        (&["compare", "--fail-if-worse=-1"], 1),
    ] {
        let compared = loadgen(arguments, &[&kept(), &worse]);
        assert_eq!(compared.status.code(), Some(code), "{arguments:?}");
        let words = text(&compared.stdout);
        assert!(
            code == 1
                || words
                    .lines()
                    .any(|line| line.contains("lost") && line.ends_with("worse")),
            "{words}"
        );
    }
    // The other way round it is better.
    let compared = loadgen(&["compare", "--fail-if-worse=0"], &[&worse, &kept()]);
    assert_eq!(compared.status.code(), Some(0));
}
