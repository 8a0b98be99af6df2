//! A server process that ends with the test that started it.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::{SOON, eventually};
use crate::orphans::{descendants, is_running};

/// How long a server may take to answer: some start a virtual machine, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Becomes the server, and leaves a child that waits for the end of the standard input. That is a
/// pipe from the test process, so it ends at the latest with that, even if it is killed. Then the
/// server gets the signal `$0`, and once it has ended, or after ten seconds, the whole process group is
/// killed.
const GUARD: &str = r#"
exec 3<&0 </dev/null
{
    read -r end <&3
    kill -s "$0" $$
    tries=100
    while [ "$0" != KILL ] && [ $tries -gt 0 ] && grep -q '^State:.[^Z]' /proc/$$/status 2>/dev/null; do
        sleep 0.1
        tries=$((tries - 1))
    done
    kill -s KILL 0
} &
exec "$@" 3<&-
"#;

/// How a server is ended.
#[derive(Clone, Copy)]
pub(crate) enum End {
    /// By SIGKILL: its data is thrown away.
    Kill,
    /// By SIGQUIT, for one that has something of the system to give back, at once.
    Quit,
}

/// A running server.
pub(crate) struct Server {
    name: &'static str,
    child: Child,
    end: End,
    log: PathBuf,
}

impl Server {
    /// Starts it; what it prints goes to a file of the folder.
    pub(crate) fn start(name: &'static str, folder: &Path, end: End, command: &Command) -> Self {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log).expect("the folder is writable");
        let errors = output.try_clone().expect("a file can be opened twice");
        let signal = match end {
            End::Kill => "KILL",
            End::Quit => "QUIT",
        };
        // A test that runs in the background of a shell ignores SIGQUIT, and so would the server.
        let mut guarded = Command::new("env");
        guarded
            .args(["--default-signal=QUIT", "sh", "-c", GUARD, signal])
            .arg(command.get_program())
            .args(command.get_args())
            .current_dir(command.get_current_dir().unwrap_or(folder))
            .stdin(Stdio::piped())
            .stdout(output)
            .stderr(errors)
            .process_group(0);
        for (variable, value) in command.get_envs() {
            match value {
                Some(value) => guarded.env(variable, value),
                None => guarded.env_remove(variable),
            };
        }
        let child = guarded.spawn().expect("sh starts");
        Self {
            name,
            child,
            end,
            log,
        }
    }

    /// Waits until it answers, and fails the test with the end of its log if it does not.
    pub(crate) fn wait_until(&mut self, mut answers: impl FnMut() -> bool) {
        const PAUSE: Duration = Duration::from_millis(50);
        for _ in 0..PATIENCE.as_millis() / PAUSE.as_millis() {
            let ended = self.child.try_wait().expect("it was started");
            if let Some(status) = ended {
                panic!("{} ended, {status}:\n{}", self.name, self.log_end());
            }
            if answers() {
                return;
            }
            std::thread::park_timeout(PAUSE);
        }
        let seconds = PATIENCE.as_secs();
        panic!(
            "{} does not answer after {seconds} s:\n{}",
            self.name,
            self.log_end()
        );
    }

    /// Its process.
    pub(super) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// The file of what it prints.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    fn log_end(&self) -> String {
        const LINES: usize = 40;
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let signal = match self.end {
            End::Kill => Signal::KILL,
            End::Quit => Signal::QUIT,
        };
        // Its number is not another's even if it has ended: the guard is still in its group.
        let _ = kill_process(self.pid(), signal);
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// A shell that starts a child, and says so; it leaves a file behind when it gets SIGQUIT.
fn shell_with_child(folder: &Path, end: End) -> Server {
    let script = "trap 'touch asked; exit 0' QUIT; sleep 600 & touch started; wait";
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    let mut server = Server::start("shell", folder, end, &command);
    server.wait_until(|| folder.join("started").exists());
    server
}

#[test]
fn a_server_ends_with_what_it_started_when_it_is_dropped() {
    for (end, asked) in [(End::Kill, false), (End::Quit, true)] {
        let folder = tempfile::tempdir().unwrap();
        let server = shell_with_child(folder.path(), end);
        let started = descendants(server.pid().as_raw_nonzero().get());
        assert!(started.len() >= 2, "a guard and a child: {started:?}");
        drop(server);
        assert_eq!(folder.path().join("asked").exists(), asked);
        eventually(SOON, "every process it started is gone", || {
            started.iter().all(|pid| !is_running(*pid))
        });
    }
}

#[test]
fn a_server_ends_when_the_pipe_from_the_test_closes_as_it_does_when_the_test_is_killed() {
    for end in [End::Kill, End::Quit] {
        let folder = tempfile::tempdir().unwrap();
        let mut server = shell_with_child(folder.path(), end);
        let mut all = descendants(server.pid().as_raw_nonzero().get());
        all.push(server.pid().as_raw_nonzero().get());
        drop(server.child.stdin.take());
        eventually(SOON, "it and every process it started are gone", || {
            all.iter().all(|pid| !is_running(*pid))
        });
    }
}
