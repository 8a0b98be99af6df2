//! Load by `loadgen`, and documents for apps to put it on.

use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{Ebbtide, folder, program};

/// A document of an app whose process is Ebbtide's sample app.
pub(crate) struct Document<'a> {
    /// The app's name.
    pub(crate) name: &'a str,
    /// The revision's suffix.
    pub(crate) suffix: &'a str,
    /// `Single` or `Multiple`.
    pub(crate) mode: &'a str,
    /// Arguments of the sample app, as a YAML list.
    pub(crate) args: &'a str,
    /// `template.scale`, as a YAML flow mapping.
    pub(crate) scale: &'a str,
    /// `ingress.traffic`, as a YAML flow list.
    pub(crate) traffic: &'a str,
}

impl Default for Document<'_> {
    fn default() -> Self {
        Self {
            name: "web",
            suffix: "one",
            mode: "Single",
            args: "[--work-time, 20ms]",
            scale: "{minReplicas: 0, maxReplicas: 5, cooldownPeriod: 3}",
            traffic: "[{latestRevision: true, weight: 100}]",
        }
    }
}

impl Document<'_> {
    /// The document as YAML.
    pub(crate) fn yaml(&self) -> String {
        let Self {
            name,
            suffix,
            mode,
            args,
            scale,
            traffic,
        } = self;
        format!(
            r#"name: {name}
tags: {{ebbtide.scaleInStabilizationSeconds: "3"}}
properties:
  configuration:
    activeRevisionsMode: {mode}
    ingress: {{external: true, allowInsecure: true, targetPort: 8080, traffic: {traffic}}}
  template:
    revisionSuffix: {suffix}
    containers:
      - name: web
        command: ["$(EBBTIDE_PROGRAM)", sample-app]
        args: {args}
    scale: {scale}
"#
        )
    }
}

/// A load that runs beside the test.
pub(crate) struct Load {
    child: Child,
    /// Where its scenario is.
    _folder: Option<TempDir>,
}

impl Load {
    /// Starts `loadgen run` against an app; `arguments` as on its command line.
    pub(crate) fn start(ebbtide: &Ebbtide, host: &str, arguments: &str) -> Self {
        let url = format!("http://127.0.0.1:{}/", ebbtide.ingress);
        let mut command = Command::new(program("LOADGEN_BIN", "loadgen"));
        command.args(["run", &url, "--host", host, "--output", "json", "--quiet"]);
        command.args(arguments.split_whitespace());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            child: command.spawn().expect("loadgen starts"),
            _folder: None,
        }
    }

    /// Starts `loadgen run` with a scenario.
    pub(crate) fn of_scenario(scenario: &str) -> Self {
        let folder = folder(&[("run.yaml", scenario)]);
        let mut command = Command::new(program("LOADGEN_BIN", "loadgen"));
        command.arg("run").arg(folder.path().join("run.yaml"));
        command.args(["--output", "json", "--quiet"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            child: command.spawn().expect("loadgen starts"),
            _folder: Some(folder),
        }
    }

    /// Waits for its end and returns its report, of which no request may have failed.
    pub(crate) fn without_loss(self) -> Value {
        let output = self.child.wait_with_output().expect("loadgen ends");
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        let report: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}{errors}"));
        // 3 says that the generator itself lagged, which a busy machine may make it do, whatever
        // else it found: the figures are worth less then, but a lost request is a lost request.
        assert!(
            matches!(output.status.code(), Some(0 | 3)),
            "{}: {report:#}",
            output.status
        );
        let total = &report["total"];
        assert_eq!(total["succeeded"], total["sent"], "{report:#}");
        report
    }
}
