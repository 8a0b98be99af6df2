//! Apps that are not ours, and their clients.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::harness::{ANY_PORT, Ebbtide, folder, program};
use crate::load::Document;

/// The app's host.
pub(super) const HOST: &str = "web.localhost";

/// An app of Python or Node.js: its file, what is in it, and what it is run with.
pub(super) struct App<'a> {
    pub(super) file: &'a str,
    pub(super) source: &'a str,
    /// The command before the file, and the arguments after it.
    pub(super) run: (&'a str, &'a str),
    pub(super) transport: &'a str,
}

impl App<'_> {
    /// `ebbtide up` with the app at zero.
    pub(super) fn up(&self) -> Ebbtide {
        let Self {
            file,
            source,
            run: (command, argument),
            transport,
        } = self;
        let yaml = Document {
            args: &format!("[\"{argument}\"]"),
            // One replica from the first request to the last: some calls ask what others have done.
            scale: "{minReplicas: 0, maxReplicas: 1}",
            ..Document::default()
        }
        .yaml()
        .replace(
            "targetPort: 8080",
            &format!("targetPort: 8080, transport: {transport}"),
        )
        .replace(
            "[\"$(EBBTIDE_PROGRAM)\", sample-app]",
            &format!("[\"{command}\", {file}]"),
        );
        let documents = folder(&[("web.yaml", &yaml), (file, source)]);
        Ebbtide::up_in(documents, &["--listen-tls", ANY_PORT])
    }
}

/// The Python that has the clients.
pub(crate) fn python() -> PathBuf {
    program("CLIENTS_PYTHON", "clients/bin/python")
}

/// Whether Node.js is there. Where it is not, `tests/run` says so.
pub(super) fn has_node() -> bool {
    let output = Command::new("node").arg("--version").output();
    output.is_ok_and(|output| output.status.success())
}

/// What a program prints that has to succeed.
pub(crate) fn printed(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {said}{errors}", output.status);
    said
}
