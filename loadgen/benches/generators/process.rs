//! Processes, and what the system says of them.

use std::ffi::OsStr;
use std::fs::File;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The core of the server.
pub(crate) const SERVER_CORE: &str = "0";
/// The core of the generator.
pub(crate) const GENERATOR_CORE: &str = "1";

/// Ticks in a second, as Linux counts CPU time for everyone.
const TICKS: f64 = 100.0;

/// A server that is stopped when this is dropped.
pub(crate) struct Server(Child);

impl Server {
    /// Starts a program on the server's core and waits until it listens; what it prints goes to a file.
    pub(crate) fn start(command: &Command, port: u16, log: &Path) -> Self {
        let output = File::create(log).expect("the folder is writable");
        let errors = output.try_clone().expect("a file can be opened twice");
        let child = on_core(SERVER_CORE, command)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .expect("taskset is there");
        let mut server = Self(child);
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            if let Some(status) = server.0.try_wait().expect("it was started") {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                panic!("{command:?} ended, {status}: {said}");
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{command:?} does not listen");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut kill = Command::new("kill");
        kill.args(["-s", "TERM", &self.0.id().to_string()]);
        // It may have ended by itself.
        drop(kill.stderr(Stdio::null()).status());
        drop(self.0.wait());
    }
}

/// What a generator said, and what it took.
pub(crate) struct Ran {
    pub(crate) output: String,
    /// Seconds of a core.
    pub(crate) cpu: f64,
    /// The most memory that it had in use, in MiB.
    pub(crate) memory: f64,
}

/// Runs a generator on its core to its end. Exit codes from 0 to `most` are right.
pub(crate) fn run(command: &Command, most: i32) -> Ran {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("output");
    let output = File::create(&path).expect("the folder is writable");
    let before = cpu_of_children();
    let mut child = on_core(GENERATOR_CORE, command)
        .stdin(Stdio::null())
        .stdout(output.try_clone().expect("a file can be opened twice"))
        .stderr(output)
        .spawn()
        .expect("taskset is there");
    let mut memory = 0.0_f64;
    let status = loop {
        memory = memory.max(peak_memory(child.id()));
        if let Some(status) = child.try_wait().expect("it was started") {
            break status;
        }
        sleep(Duration::from_millis(50));
    };
    let output = std::fs::read_to_string(&path).unwrap_or_default();
    let right = status.code().is_some_and(|code| (0..=most).contains(&code));
    assert!(right, "{command:?}: {status}: {output}");
    Ran {
        output,
        cpu: cpu_of_children() - before,
        memory,
    }
}

/// Seconds that all children that have ended have used.
fn cpu_of_children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this is Linux");
    // The name may have anything in it, and ends with the last parenthesis.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(13).take(2);
    let ticks = ticks.filter_map(|ticks| ticks.parse::<f64>().ok());
    ticks.sum::<f64>() / TICKS
}

fn peak_memory(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}

fn on_core(core: &str, command: &Command) -> Command {
    let mut pinned = Command::new("taskset");
    pinned
        .args(["-c", core])
        .arg(command.get_program())
        .args(command.get_args());
    pinned
}

/// Whether a program can be started.
pub(crate) fn is_there(program: &OsStr) -> bool {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&paths);
    Path::new(program).is_file() || folders.any(|folder| folder.join(program).is_file())
}

/// What else the machine does.
pub(crate) fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let minutes: Vec<_> = load.split_whitespace().take(3).collect();
    minutes.join(", ")
}

/// Lets this process and those that it starts open as many sockets as the system allows.
pub(crate) fn raise_limit() {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).expect("a process may use its limit");
}
