//! An app of Python's that does what a path says, and what asks it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::{Answer, Ebbtide, SOON, answer, curl, curl_command, eventually, folder};

const APP: &str = include_str!("app.py");

/// An app with a revision `one`.
pub(super) struct App<'a> {
    pub(super) name: &'a str,
    /// Tags of its document.
    pub(super) tags: &'a str,
    /// More properties of its `ingress`.
    pub(super) ingress: &'a str,
    pub(super) scale: &'a str,
    /// What its process runs, after `sh -c`.
    pub(super) run: &'a str,
}

/// What runs the app's file.
const RUN: &str = "exec python3 app.py";

/// The same once there is a file `start`.
pub(super) const RUN_LATER: &str = "while [ ! -e start ]; do sleep 0.05; done; exec python3 app.py";

impl Default for App<'_> {
    fn default() -> Self {
        Self {
            name: "web",
            tags: "",
            ingress: "",
            scale: "{minReplicas: 1, maxReplicas: 1}",
            run: RUN,
        }
    }
}

impl App<'_> {
    pub(super) fn yaml(&self) -> String {
        let Self {
            name,
            tags,
            ingress,
            ..
        } = self;
        format!(
            "name: {name}
tags: {{{tags}}}
properties:
  configuration:
    activeRevisionsMode: Multiple
    ingress: {{targetPort: 8080, allowInsecure: true, {ingress}}}
  template:
    revisionSuffix: one
{}",
            self.template()
        )
    }

    /// The same with a second revision, `old`, in a document of its own.
    pub(super) fn yaml_of_two(&self) -> String {
        let (name, template) = (self.name, self.template());
        format!(
            "{}---
type: Microsoft.App/containerApps/revisions
name: {name}--old
properties:
  template:
{template}",
            self.yaml()
        )
    }

    fn template(&self) -> String {
        let Self { scale, run, .. } = self;
        format!(
            "    containers:
    - {{name: app, command: [sh, -c, '{run}']}}
    scale: {scale}
"
        )
    }
}

/// An Ebbtide with these documents, by their names.
pub(super) fn up(documents: &[(&str, &str)], arguments: &[&str]) -> Ebbtide {
    let documents = [documents, &[("app.py", APP)]].concat();
    Ebbtide::up_in(folder(&documents), arguments)
}

/// Waits until a revision has as many ready replicas.
pub(super) fn ready(ebbtide: &Ebbtide, app: &str, revision: &str, count: u64) {
    let name = format!("{app}--{revision}");
    eventually(SOON, &format!("{name} has {count} replicas"), || {
        ebbtide.ready(app, &name) == count
    });
}

/// The arguments with which curl asks an app for a path.
fn arguments(ebbtide: &Ebbtide, app: &str, path: &str, more: &[&str]) -> Vec<String> {
    let host = format!("Host: {app}.localhost");
    let url = format!("http://127.0.0.1:{}{path}", ebbtide.ingress);
    let all = more.iter().copied().chain(["-H", &host, &url]);
    all.map(str::to_owned).collect()
}

/// What curl is answered.
pub(super) fn ask(ebbtide: &Ebbtide, app: &str, path: &str, more: &[&str]) -> Answer {
    let arguments = arguments(ebbtide, app, path, more);
    curl(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A curl that runs beside the test.
pub(super) struct Asked(Child);

impl Asked {
    pub(super) fn start(ebbtide: &Ebbtide, app: &str, path: &str, more: &[&str]) -> Self {
        let arguments = arguments(ebbtide, app, path, more);
        let mut command = curl_command(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        Self(command.spawn().expect("curl is installed"))
    }

    pub(super) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    pub(super) fn answer(self) -> Answer {
        answer(&self.0.wait_with_output().expect("it was started"))
    }

    /// Ends it before it was answered.
    pub(super) fn give_up(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it was started");
    }
}

/// What curl writes out (`--write-out`) of each of many requests, which may be `at_once` at a time; a range
/// such as `[1-100]` in the path makes them many.
pub(super) fn each(
    ebbtide: &Ebbtide,
    app: &str,
    path: &str,
    at_once: u32,
    write: &str,
) -> Vec<String> {
    let at_once = at_once.to_string();
    let (host, url) = (
        format!("Host: {app}.localhost"),
        format!("http://127.0.0.1:{}{path}", ebbtide.ingress),
    );
    let mut command = Command::new("curl");
    command.args(["--silent", "--max-time", "60", "--noproxy", "*"]);
    if at_once != "1" {
        command.args([
            "--parallel",
            "--parallel-immediate",
            "--parallel-max",
            &at_once,
        ]);
    }
    let write = format!("{write}\\n");
    // Bodies are of no interest, and a file for each name would be one too many.
    command.args(["-H", &host, &url, "-o", "/dev/null", "--write-out", &write]);
    let output = command.output().expect("curl is installed");
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}

/// How often `word` is among `words`.
pub(super) fn count(words: &[String], word: &str) -> usize {
    words.iter().filter(|one| *one == word).count()
}

/// The sum of the metrics that begin so.
pub(super) fn metric(ebbtide: &Ebbtide, start: &str) -> u64 {
    let text = curl(&[&ebbtide.api_url("/metrics")]).body;
    let series = text.lines().filter(|line| line.starts_with(start));
    let values = series.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    values.sum()
}

/// Waits until a metric has a value.
pub(super) fn until(ebbtide: &Ebbtide, start: &str, value: u64) {
    eventually(SOON, &format!("{start} is {value}"), || {
        metric(ebbtide, start) == value
    });
}

/// A file of the app's folder; empty if it is not there.
pub(super) fn file(ebbtide: &Ebbtide, name: &str) -> String {
    read(&ebbtide.folder.path().join(name))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
