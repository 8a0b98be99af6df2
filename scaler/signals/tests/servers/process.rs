//! Servers in processes of their own.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// How long a server may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(20);

/// Becomes the server, and leaves a child that kills it when the standard input ends, as it does with
/// the test, even if that is killed.
const GUARD: &str = r#"
exec 3<&0 </dev/null
{ read -r end <&3; kill -s KILL $$; } &
exec "$@" 3<&-
"#;

/// A server that ends when this is dropped, and its folder.
pub(crate) struct Server {
    child: Child,
    log: PathBuf,
    _folder: TempDir,
}

impl Server {
    /// Starts a program in a folder that may have something for it.
    pub(crate) fn start(folder: TempDir, program: &Path, arguments: &[&str]) -> Self {
        let log = folder.path().join("server.log");
        let output = File::create(&log).expect("the folder is writable");
        let errors = output.try_clone().expect("a file can be opened twice");
        let child = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(program)
            .args(arguments)
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .expect("sh starts");
        Self {
            child,
            log,
            _folder: folder,
        }
    }

    /// What it prints, once `found` finds something in that.
    pub(crate) async fn printed<T>(&mut self, found: impl Fn(&str) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let text = std::fs::read_to_string(&self.log).unwrap_or_default();
                if let Some(found) = found(&text) {
                    return found;
                }
                let ended = self.child.try_wait().expect("it was started");
                assert!(ended.is_none(), "the server ended: {text}");
                sleep(PAUSE).await;
            }
        };
        let found = timeout(PATIENCE, waiting).await;
        found.unwrap_or_else(|_| {
            panic!(
                "it does not start: {:?}",
                std::fs::read_to_string(&self.log)
            )
        })
    }
}

/// A file that the tests need: where a variable says, or in the target folder.
pub(crate) fn file(variable: &str, name: &str) -> PathBuf {
    if let Some(path) = std::env::var_os(variable) {
        return PathBuf::from(path);
    }
    let this = std::env::current_exe().expect("this test has a file");
    let target = this.ancestors().nth(3).expect("it is in target/…/deps");
    let path = target.join(name);
    let shown = path.display();
    assert!(
        path.exists(),
        "{shown} is missing: run tests/run, or set {variable}"
    );
    path
}
