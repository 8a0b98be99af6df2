//! CPU and memory of replicas on this machine: of their cgroups, or else of their process trees.

mod usage;

use std::collections::BTreeMap;

use ebbtide_core::name::ReplicaName;
use ebbtide_core::time::Timestamp;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

pub use self::usage::Usage;
use self::usage::{Process, Sample, usage};
use crate::cgroup::CgroupReader;

/// Reads the CPU and memory of replicas on this machine.
///
/// Where a replica has a cgroup (version 2) for itself, that says what it uses. Of all others it is
/// the sum over their process trees: what a process used after the last sample that saw it is lost
/// then when it ends, and memory that its processes share counts for each of them.
///
/// A sample lists all processes of the machine, which takes milliseconds and blocks.
#[derive(Debug)]
pub struct ProcessSampler {
    /// None where processes cannot be read.
    system: Option<System>,
    cgroups: CgroupReader,
    /// The sample before.
    previous: Option<Sample>,
}

impl Default for ProcessSampler {
    fn default() -> Self {
        Self::new()
    }
}

impl ProcessSampler {
    /// A sampler that has seen nothing yet. On a system whose processes cannot be read it warns
    /// once, and will know of no usage.
    pub fn new() -> Self {
        let system = System::new().inspect_err(|error| {
            tracing::warn!(%error, "CPU and memory of processes cannot be read here");
        });
        Self {
            system: system.ok(),
            cgroups: CgroupReader::new(),
            previous: None,
        }
    }

    /// What each replica uses; `roots` are its first processes.
    ///
    /// CPU is a difference between two samples. So a replica is left out when it is asked for the
    /// first time, when it has no process, and when no time has passed: unknown is not zero.
    pub fn sample(
        &mut self,
        roots: &[(ReplicaName, Vec<u32>)],
        now: Timestamp,
    ) -> BTreeMap<ReplicaName, Usage> {
        let current = Sample {
            at: now,
            processes: self.processes(),
            cgroups: self.cgroups.read(roots),
            replicas: roots.iter().map(|(replica, _)| replica.clone()).collect(),
        };
        let usage = match &self.previous {
            Some(previous) => usage(previous, &current, roots),
            None => BTreeMap::new(),
        };
        self.previous = Some(current);
        usage
    }

    fn processes(&mut self) -> BTreeMap<u32, Process> {
        let wanted = ProcessRefreshKind::nothing()
            .with_cpu()
            .with_memory()
            .without_tasks();
        let Some(system) = &mut self.system else {
            return BTreeMap::new();
        };
        system.refresh_processes_specifics(ProcessesToUpdate::All, true, wanted);
        let seen = system.processes().values();
        seen.map(|process| {
            let seen = Process {
                parent: process.parent().map(Pid::as_u32),
                started: process.start_time(),
                cpu_milliseconds: process.accumulated_cpu_time(),
                memory_bytes: process.memory(),
            };
            (process.pid().as_u32(), seen)
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use ebbtide_core::name::RevisionName;

    use super::*;
    use crate::cgroup::tests::TestCgroup;

    fn replica(number: u32) -> ReplicaName {
        let revision = RevisionName::parse("hello--v1").unwrap();
        ReplicaName::new(&revision, &number.to_string())
    }

    #[test]
    fn real_children_are_seen() {
        // The shell waits for a child of its own, so that there is a tree.
        let script = "x=0; while :; do x=$((x+1)); done & echo; wait";
        let mut shell = std::process::Command::new("sh")
            .args(["-c", script])
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let own = std::process::id();
        let mut sampler = ProcessSampler::new();
        let roots = [(replica(1), vec![shell.id()]), (replica(2), vec![own])];
        assert!(sampler.sample(&roots, Timestamp::ORIGIN).is_empty());
        let busy = (1..10_000).find_map(|second| {
            let found = sampler.sample(&roots, Timestamp::from_secs(second));
            let usage = *found.get(&replica(1))?;
            (usage.cpu_cores > 0.0).then_some((usage, *found.get(&replica(2))?))
        });
        let children = sampler
            .previous
            .as_ref()
            .map(|sample| usage::children(&sample.processes));
        for child in children.unwrap().get(&shell.id()).into_iter().flatten() {
            let child = child.to_string();
            let killed = std::process::Command::new("kill")
                .args(["-9", &child])
                .status();
            assert!(killed.unwrap().success());
        }
        shell.wait().unwrap();
        let (of_shell, of_test) = busy.unwrap();
        assert!(of_shell.memory_bytes > 0);
        assert!(
            of_test.memory_bytes > of_shell.memory_bytes,
            "the tree is part of ours"
        );
    }

    /// It says so where no cgroup can be made.
    #[test]
    fn a_real_cgroup_is_measured() {
        let name = format!("ebbtide-signals-test-{}", std::process::id());
        let cgroup = match TestCgroup::new(&name) {
            Ok(cgroup) => cgroup,
            Err(error) => {
                println!("not run: no cgroup can be made here: {error}");
                return;
            }
        };
        // Each child has ended when the next begins, so that no process tree has their time.
        let script =
            "read x; while :; do sh -c 'x=0; while [ $x -lt 20000 ]; do x=$((x+1)); done'; done";
        let mut shell = std::process::Command::new("sh")
            .args(["-c", script])
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        if let Err(error) = cgroup.add(shell.id()) {
            println!("not run: no process can be moved into a cgroup here: {error}");
            shell.kill().unwrap();
            shell.wait().unwrap();
            return;
        }
        drop(shell.stdin.take());
        let mut sampler = ProcessSampler::new();
        let roots = [(replica(1), vec![shell.id()])];
        sampler.sample(&roots, Timestamp::ORIGIN);
        let busy = (1..10_000).find_map(|second| {
            let usage = sampler.sample(&roots, Timestamp::from_secs(second));
            let usage = *usage.get(&replica(1))?;
            (usage.cpu_cores > 0.0).then_some(usage)
        });
        let of_cgroup = sampler.previous.as_ref().unwrap().cgroups[&replica(1)].clone();
        cgroup.kill().unwrap();
        shell.wait().unwrap();
        let path = format!("/{name}");
        assert_eq!(of_cgroup.keys().collect::<Vec<_>>(), [&path]);
        assert!(of_cgroup[&path].cpu_microseconds > 0);
        let usage = busy.unwrap();
        assert!(usage.memory_bytes > 0);
        if cgroup.has_memory() {
            assert_eq!(of_cgroup[&path].memory_bytes, Some(usage.memory_bytes));
        } else {
            println!("its memory was not read: this machine does not account for it in version 2");
            assert_eq!(of_cgroup[&path].memory_bytes, None);
        }
    }
}
