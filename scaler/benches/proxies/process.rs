//! Processes that end with the benchmark, and what the system says of them.

use std::fs::File;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::Duration;

/// The core of the proxy.
pub(crate) const PROXY_CORE: &str = "1";
/// The core of the load and of the servers behind.
pub(crate) const LOAD_CORE: &str = "0";

/// Ticks in a second, as Linux counts CPU time for everyone.
const TICKS: f64 = 100.0;

/// A process that is killed when this is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// Starts a program on a core; what it prints goes to a file.
    pub(crate) fn start(core: &str, log: &Path, command: &Command) -> Self {
        let output = File::create(log).expect("the folder is writable");
        let errors = output.try_clone().expect("a file can be opened twice");
        let child = on_core(core, command)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .expect("taskset is there");
        Self(child)
    }

    /// Waits until it listens.
    pub(crate) fn wait_for(&mut self, port: u16, log: &Path) {
        for _ in 0..600 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return;
            }
            if let Some(status) = self.0.try_wait().expect("it was started") {
                let said = std::fs::read_to_string(log).unwrap_or_default();
                panic!("{} ended, {status}: {said}", log.display());
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{} does not listen", log.display());
    }

    /// CPU time in seconds that it and its children have used.
    pub(crate) fn cpu(&self) -> f64 {
        self.all().iter().map(|pid| cpu(*pid)).sum()
    }

    /// Memory in MiB that it and its children have in use.
    pub(crate) fn memory(&self) -> f64 {
        self.all().iter().map(|pid| memory(*pid)).sum()
    }

    /// Its threads whose names begin so, in the order of their names.
    pub(crate) fn threads(&self, beginning: &str) -> Vec<Thread> {
        let mut found = Vec::new();
        for pid in self.all() {
            let tasks = std::fs::read_dir(format!("/proc/{pid}/task"));
            for task in tasks.into_iter().flatten().flatten() {
                let name = std::fs::read_to_string(task.path().join("comm"));
                let name = name.unwrap_or_default();
                if name.starts_with(beginning) {
                    found.push((name, Thread(task.path())));
                }
            }
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        found.into_iter().map(|(_, thread)| thread).collect()
    }

    fn all(&self) -> Vec<u32> {
        let mut all = vec![self.0.id()];
        let mut next = 0;
        while let Some(pid) = all.get(next) {
            let children = format!("/proc/{pid}/task/{pid}/children");
            let children = std::fs::read_to_string(children).unwrap_or_default();
            all.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
            next += 1;
        }
        all
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // What it has started is its own to stop, and may be nobody's any more once it is gone.
        let all = self.all();
        signal("TERM", self.0.id());
        for _ in 0..100 {
            if !matches!(self.0.try_wait(), Ok(None)) {
                break;
            }
            sleep(Duration::from_millis(50));
        }
        // Workers do not always notice that their master is gone.
        for pid in all.into_iter().rev() {
            signal("KILL", pid);
        }
        drop(self.0.wait());
    }
}

fn signal(name: &str, pid: u32) {
    let mut kill = Command::new("kill");
    kill.args(["-s", name, &pid.to_string()]);
    // It may have ended by itself.
    drop(kill.stderr(Stdio::null()).status());
}

/// A thread of a process, as the system tells of it.
pub(crate) struct Thread(PathBuf);

impl Thread {
    /// CPU time in seconds that it has used.
    pub(crate) fn cpu(&self) -> f64 {
        let times = std::fs::read_to_string(self.0.join("schedstat")).unwrap_or_default();
        let nanoseconds = times.split_whitespace().next();
        let nanoseconds: Option<f64> = nanoseconds.and_then(|text| text.parse().ok());
        nanoseconds.expect("the thread is there") / 1e9
    }

    /// How often it has waited for something.
    pub(crate) fn waits(&self) -> u64 {
        let status = std::fs::read_to_string(self.0.join("status")).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|number| number.trim().parse().ok())
            .expect("the thread is there")
    }
}

/// A command, on a core.
pub(crate) fn on_core(core: &str, command: &Command) -> Command {
    by("taskset", &["-c", core], command)
}

/// A command that goes before all others on its core, where the system lets it: what sends at given times should not
/// wait for the servers beside it.
pub(crate) fn first(command: &Command) -> Command {
    static PRIORITY: OnceLock<[&str; 2]> = OnceLock::new();
    let priority = PRIORITY.get_or_init(|| {
        let (wanted, usual) = (["--fifo", "1"], ["--other", "0"]);
        let tried = Command::new("chrt").args(wanted).arg("true").output();
        let may = tried.is_ok_and(|tried| tried.status.success());
        if may { wanted } else { usual }
    });
    by("chrt", priority, command)
}

/// A command that another starts.
fn by(program: &str, arguments: &[&str], command: &Command) -> Command {
    let mut outer = Command::new(program);
    outer
        .args(arguments)
        .arg(command.get_program())
        .args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            outer.env(name, value);
        }
    }
    outer
}

/// Which of these programs are not there.
pub(crate) fn missing(programs: &[&str]) -> Vec<String> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let is_there =
        |program: &str| std::env::split_paths(&paths).any(|at| at.join(program).exists());
    let missing = programs.iter().filter(|program| !is_there(program));
    missing.map(|program| (*program).to_owned()).collect()
}

fn cpu(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name may have anything in it, and ends with the last parenthesis.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    let ticks = fields.split_whitespace().skip(11).take(2);
    ticks
        .filter_map(|ticks| ticks.parse::<f64>().ok())
        .sum::<f64>()
        / TICKS
}

fn memory(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1024.0
}
