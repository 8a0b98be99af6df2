//! `loadgen schedule`: what it writes, it reads again.

use std::fs;
use std::os::unix::fs::FileTypeExt as _;
use std::path::Path;
use std::process::{Command, Output};

use rustix::fs::{CWD, FileType, Mode, OFlags, mknodat, open};
use serde_json::Value;

fn schedule(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_loadgen"));
    command.arg("schedule").args(arguments).current_dir(folder);
    command.output().unwrap()
}

/// The summary of a command that succeeds and has nothing to say on stderr.
fn summary(folder: &Path, arguments: &[&str]) -> Value {
    let output = schedule(folder, &[arguments, &["--output", "json"]].concat());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(errors, "");
    assert_eq!(output.status.code(), Some(0));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn times(file: &Path) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

const SPEC: &str = "\
sequence:
  - sine: {mean: 80, amplitude: 60, period: 10s, noise: 0.2, duration: 20s}
  - trace: {file: counts/day.csv, unit: minute, column: hits, from: 1m, scaleTime: 0.1}
";

#[test]
fn what_it_writes_it_reads_again() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    fs::create_dir(folder.join("specs")).unwrap();
    fs::create_dir(folder.join("specs/counts")).unwrap();
    fs::write(
        folder.join("specs/counts/day.csv"),
        "minute,hits\n0,9\n1,300\n3,60\n",
    )
    .unwrap();
    fs::write(folder.join("specs/day.yaml"), SPEC).unwrap();

    let made = summary(
        folder,
        &["specs/day.yaml", "--seed", "7", "--out", "day.csv"],
    );
    let all = times(&folder.join("day.csv"));
    assert_eq!(all[0], "seconds");
    assert_eq!(made["requests"], all.len() - 1);
    assert_eq!(made["durationSeconds"], 38.0);
    assert_eq!(made["expectedRequests"], 1600.0 + 360.0);
    let text = fs::read_to_string(folder.join("day.csv")).unwrap();
    let head: Vec<&str> = text.lines().take(5).collect();
    assert_eq!(
        (head[0], head[3], head[4]),
        ("# ebbtide arrivals 1", "# seed: 7", "# duration: 38s")
    );
    assert!(
        head[2].starts_with("# spec: {\"sequence\":[{\"sine\""),
        "{}",
        head[2]
    );
    assert!(!folder.join("day.csv.partial").exists());

    // The same seed makes the same file, another seed another.
    summary(
        folder,
        &["specs/day.yaml", "--seed", "7", "--out", "same.csv"],
    );
    assert_eq!(fs::read(folder.join("same.csv")).unwrap(), text.as_bytes());
    summary(folder, &["specs/day.yaml", "--out", "other.csv"]);
    assert_ne!(times(&folder.join("other.csv")), all);

    // Read as a file, as a trace, and as the description in its head.
    let trace = "trace: {file: day.csv, unit: arrivals}";
    for again in [&["day.csv"][..], &["--spec", trace, "--seed", "5"]] {
        let read = summary(folder, &[again, &["--out", "again.csv"]].concat());
        assert_eq!(times(&folder.join("again.csv")), all);
        for field in ["requests", "durationSeconds", "bins", "rateOverTime"] {
            assert_eq!(read[field], made[field], "{field}");
        }
    }
    let spec = head[2].trim_start_matches("# spec: ");
    let specs = folder.join("specs");
    summary(
        &specs,
        &["--spec", spec, "--seed", "7", "--out", "../again.csv"],
    );
    assert_eq!(times(&folder.join("again.csv")), all);
}

#[test]
fn it_shows_what_is_in_a_schedule() {
    let home = tempfile::tempdir().unwrap();
    let arguments = ["--rate", "4", "--duration", "1m", "--out", "-"];
    let output = schedule(home.path(), &arguments);
    assert_eq!(output.status.code(), Some(0));
    let times = String::from_utf8(output.stdout).unwrap();
    assert!(times.ends_with("\n59.500000000\n59.750000000\n"), "{times}");
    let shown = String::from_utf8(output.stderr).unwrap();
    for line in [
        "requests               240 (240.0 expected)",
        "peak rate              4.00 per second, in the 1s at 0s",
        "index of dispersion    0.000",
        "  57.5s              4.00  ################################################\n",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
    let gamma = [
        "--rate",
        "50",
        "--duration",
        "200s",
        "--arrival",
        "gamma",
        "--burstiness",
        "4",
    ];
    let summary = summary(home.path(), &gamma);
    let dispersion = summary["bins"]["indexOfDispersion"].as_f64().unwrap();
    assert!((dispersion - 4.0).abs() < 4.0 * 4.0 * 0.1, "{dispersion}");
}

/// Links, pipes and devices stay what they are.
#[test]
fn what_is_no_regular_file_is_not_replaced() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    let (pipe, link) = (folder.join("pipe"), folder.join("link"));
    fs::write(folder.join("file"), "old").unwrap();
    std::os::unix::fs::symlink("file", &link).unwrap();
    let readable = Mode::RUSR | Mode::WUSR;
    mknodat(CWD, &pipe, FileType::Fifo, readable, 0).unwrap();
    let expected = "seconds\n0.000000000\n0.500000000\n";
    std::thread::scope(|scope| {
        let read = scope.spawn(|| fs::read_to_string(&pipe).unwrap());
        let made = schedule(
            folder,
            &["--rate", "2", "--duration", "1s", "--out", "pipe"],
        );
        // If nothing was written the reader would wait for ever; now it sees an end.
        let flags = OFlags::WRONLY | OFlags::NONBLOCK;
        drop(open(&pipe, flags, Mode::empty()));
        assert_eq!(made.status.code(), Some(0));
        assert!(read.join().unwrap().ends_with(expected));
    });
    assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
    summary(
        folder,
        &["--rate", "2", "--duration", "1s", "--out", "link"],
    );
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert!(
        fs::read_to_string(folder.join("file"))
            .unwrap()
            .ends_with(expected)
    );
}

#[test]
fn what_cannot_be_a_schedule_is_said_and_nothing_is_written() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path();
    fs::write(
        folder.join("bad.yaml"),
        "poisson:\n  rate: 5\n  duraton: 3s\n",
    )
    .unwrap();
    fs::write(
        folder.join("bad.csv"),
        "# ebbtide arrivals 1\nseconds\n1\nsoon\n",
    )
    .unwrap();
    let trace = "trace: {file: none.csv, unit: minute}";
    for (arguments, reason) in [
        (
            &["bad.yaml"][..],
            "line 3 column 3: unknown field `duraton`",
        ),
        (
            &["bad.csv"],
            "trace.file: bad.csv: line 4: `soon` should be seconds",
        ),
        (&["none.yaml"], "cannot read none.yaml"),
        (&["--spec", trace], "trace.file: cannot read none.csv"),
        (&["--spec", "sum: []"], "sum: there should be at least one"),
        (
            &["--rate", "0", "--duration", "1s", "--arrival", "gamma"],
            "--burstiness",
        ),
        (
            &["--rate", "5", "--duration", "1s", "--burstiness", "3"],
            "--arrival gamma",
        ),
        (
            &["--rate=-1", "--duration", "1s"],
            "constant.rate: the rate -1",
        ),
        (
            &["--rate", "1e9", "--duration", "1h"],
            "requests are too many",
        ),
        (&["--rate", "1"], "--duration"),
        (&[], "<FILE>"),
        (
            &["bad.yaml", "--rate", "1", "--duration", "1s"],
            "cannot be used with",
        ),
        (
            &["--rate", "1", "--duration", "1s", "--out", "no/such/file"],
            "cannot write --out no/such/file",
        ),
    ] {
        let out = ["--out", "out.csv"];
        let out = if arguments.contains(&"--out") {
            &[]
        } else {
            &out[..]
        };
        let output = schedule(folder, &[arguments, out].concat());
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(error.contains(reason), "{arguments:?}: {error}");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
    let left = fs::read_dir(folder).unwrap().count();
    assert_eq!(left, 2, "nothing but what was there");
}
