//! CPU and memory of the process trees of replicas.

use std::collections::{BTreeMap, BTreeSet};

use ebbtide_core::name::ReplicaName;
use ebbtide_core::time::Timestamp;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// What a replica uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Cores, on average since the sample before.
    pub cpu_cores: f64,
    /// Resident bytes. Memory that processes of the replica share counts for each of them.
    pub memory_bytes: u64,
}

/// Reads the CPU and memory of process trees.
///
/// A sample lists all processes of the machine, which takes milliseconds and blocks.
#[derive(Debug)]
pub struct ProcessSampler {
    /// None where processes cannot be read.
    system: Option<System>,
    /// The sample before.
    previous: Option<Sample>,
}

/// A process as one sample saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    parent: Option<u32>,
    /// Seconds since 1970; tells it from an earlier process of the same number.
    started: u64,
    cpu_milliseconds: u64,
    memory_bytes: u64,
}

#[derive(Debug)]
struct Sample {
    at: Timestamp,
    processes: BTreeMap<u32, Process>,
    /// The replicas that were asked for.
    replicas: BTreeSet<ReplicaName>,
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
            previous: None,
        }
    }

    /// What each replica uses: the sum over the whole process tree of each of its roots.
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

fn usage(
    previous: &Sample,
    current: &Sample,
    roots: &[(ReplicaName, Vec<u32>)],
) -> BTreeMap<ReplicaName, Usage> {
    let elapsed = current.at.since(previous.at).as_secs_f64();
    if elapsed <= 0.0 {
        return BTreeMap::new();
    }
    let children = children(&current.processes);
    roots
        .iter()
        .filter(|(replica, _)| previous.replicas.contains(replica))
        .filter_map(|(replica, roots)| {
            let tree = tree(roots, &children, &current.processes);
            let cpu: u64 = tree
                .iter()
                .map(|id| cpu_since(*id, previous, current))
                .sum();
            let memory = tree.iter().filter_map(|id| current.processes.get(id));
            let usage = Usage {
                cpu_cores: std::time::Duration::from_millis(cpu).as_secs_f64() / elapsed,
                memory_bytes: memory.map(|process| process.memory_bytes).sum(),
            };
            (!tree.is_empty()).then(|| (replica.clone(), usage))
        })
        .collect()
}

/// CPU time of a process since the sample before. All of it if it was not there then.
fn cpu_since(id: u32, previous: &Sample, current: &Sample) -> u64 {
    let Some(process) = current.processes.get(&id) else {
        return 0;
    };
    let before = previous.processes.get(&id);
    let before = before.filter(|before| before.started == process.started);
    let before = before.map_or(0, |before| before.cpu_milliseconds);
    process.cpu_milliseconds.saturating_sub(before)
}

fn children(processes: &BTreeMap<u32, Process>) -> BTreeMap<u32, Vec<u32>> {
    let mut children = BTreeMap::<u32, Vec<u32>>::new();
    for (id, process) in processes {
        if let Some(parent) = process.parent {
            children.entry(parent).or_default().push(*id);
        }
    }
    children
}

/// The roots that are alive, and all that descends from them.
fn tree(
    roots: &[u32],
    children: &BTreeMap<u32, Vec<u32>>,
    processes: &BTreeMap<u32, Process>,
) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    let mut next: Vec<u32> = roots.to_vec();
    next.retain(|id| processes.contains_key(id));
    while let Some(id) = next.pop() {
        if found.insert(id) {
            next.extend(children.get(&id).into_iter().flatten());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use ebbtide_core::name::RevisionName;

    use super::*;

    fn replica(number: u32) -> ReplicaName {
        let revision = RevisionName::parse("hello--v1").unwrap();
        ReplicaName::new(&revision, &number.to_string())
    }

    /// Processes from (number, parent, started, CPU in ms), each of 10 bytes.
    fn sample(second: u64, rows: &[(u32, u32, u64, u64)], replicas: &[u32]) -> Sample {
        let processes = rows.iter().map(|&(id, parent, started, cpu_milliseconds)| {
            let process = Process {
                parent: Some(parent),
                started,
                cpu_milliseconds,
                memory_bytes: 10,
            };
            (id, process)
        });
        Sample {
            at: Timestamp::from_secs(second),
            processes: processes.collect(),
            replicas: replicas.iter().map(|number| replica(*number)).collect(),
        }
    }

    fn close(usage: Option<&Usage>, cpu_cores: f64, memory_bytes: u64) {
        let usage = usage.unwrap();
        assert!((usage.cpu_cores - cpu_cores).abs() < 1e-9, "{usage:?}");
        assert_eq!(usage.memory_bytes, memory_bytes);
    }

    #[test]
    fn a_tree_is_summed_over_what_changed() {
        let before = [
            (1, 0, 0, 9000),
            (10, 1, 0, 100),
            (11, 10, 0, 50),
            (20, 1, 0, 0),
        ];
        let after = [
            (1, 0, 0, 9900),
            (10, 1, 0, 600),
            (11, 10, 0, 1050),
            // New, with its whole time.
            (12, 11, 5, 500),
            // A number used again.
            (20, 1, 5, 200),
        ];
        let previous = sample(10, &before, &[1, 2]);
        let current = sample(12, &after, &[1, 2, 3]);
        let roots = [
            (replica(1), vec![10, 11]),
            (replica(2), vec![20, 99]),
            (replica(3), vec![10]),
        ];
        let found = usage(&previous, &current, &roots);
        close(found.get(&replica(1)), 1.0, 30);
        close(found.get(&replica(2)), 0.1, 10);
        assert_eq!(found.get(&replica(3)), None, "asked for the first time");
        let gone = usage(&previous, &current, &[(replica(1), vec![99])]);
        assert!(gone.is_empty(), "a replica without a process is unknown");
        assert!(
            usage(&current, &current, &roots).is_empty(),
            "no time has passed"
        );
    }

    #[test]
    fn a_ring_of_parents_ends() {
        let rows = [(10, 11, 0, 0), (11, 10, 0, 0)];
        let (previous, current) = (sample(1, &rows, &[1]), sample(2, &rows, &[1]));
        let found = usage(&previous, &current, &[(replica(1), vec![10])]);
        close(found.get(&replica(1)), 0.0, 20);
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
            .map(|sample| children(&sample.processes));
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
}
