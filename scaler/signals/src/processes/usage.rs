//! What two samples say together.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ebbtide_core::name::ReplicaName;
use ebbtide_core::time::Timestamp;

use crate::cgroup::Cgroups;

/// What a replica uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    /// Cores, on average since the sample before.
    pub cpu_cores: f64,
    /// Bytes: the working set of its cgroup, or what is resident of each of its processes.
    pub memory_bytes: u64,
}

/// A process as one sample saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    pub(super) parent: Option<u32>,
    /// Seconds since 1970; tells it from an earlier process of the same number.
    pub(super) started: u64,
    pub(super) cpu_milliseconds: u64,
    pub(super) memory_bytes: u64,
}

#[derive(Debug)]
pub(super) struct Sample {
    pub(super) at: Timestamp,
    pub(super) processes: BTreeMap<u32, Process>,
    /// The cgroups of those that have some for themselves.
    pub(super) cgroups: BTreeMap<ReplicaName, Cgroups>,
    /// The replicas that were asked for.
    pub(super) replicas: BTreeSet<ReplicaName>,
}

/// What each replica used between two samples.
pub(super) fn usage(
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
            let cpu = cpu_of_cgroups(replica, previous, current)
                .unwrap_or_else(|| cpu_of_tree(&tree, previous, current));
            let memory = memory_of_cgroups(replica, current)
                .unwrap_or_else(|| memory_of_tree(&tree, current));
            let usage = Usage {
                cpu_cores: cpu.as_secs_f64() / elapsed,
                memory_bytes: memory,
            };
            (!tree.is_empty()).then(|| (replica.clone(), usage))
        })
        .collect()
}

/// CPU time of a replica's own cgroups since the sample before, if they are the same as then.
fn cpu_of_cgroups(replica: &ReplicaName, previous: &Sample, current: &Sample) -> Option<Duration> {
    let (before, after) = (
        previous.cgroups.get(replica)?,
        current.cgroups.get(replica)?,
    );
    if !before.keys().eq(after.keys()) {
        return None;
    }
    let used = before.values().zip(after.values()).map(|(before, after)| {
        // Less than before means another cgroup of the same name.
        let used = after.cpu_microseconds.checked_sub(before.cpu_microseconds);
        used.map(Duration::from_micros)
    });
    used.sum()
}

fn memory_of_cgroups(replica: &ReplicaName, current: &Sample) -> Option<u64> {
    let cgroups = current.cgroups.get(replica)?.values();
    cgroups.map(|figures| figures.memory_bytes).sum()
}

fn cpu_of_tree(tree: &BTreeSet<u32>, previous: &Sample, current: &Sample) -> Duration {
    let used = tree.iter().map(|id| cpu_since(*id, previous, current));
    Duration::from_millis(used.sum())
}

fn memory_of_tree(tree: &BTreeSet<u32>, current: &Sample) -> u64 {
    let processes = tree.iter().filter_map(|id| current.processes.get(id));
    processes.map(|process| process.memory_bytes).sum()
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

/// The processes by their parent.
pub(super) fn children(processes: &BTreeMap<u32, Process>) -> BTreeMap<u32, Vec<u32>> {
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
    use crate::cgroup::Figures;

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
            cgroups: BTreeMap::new(),
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

    /// Two samples, a second apart, of replica 1 with these cgroups; its process used 100 ms.
    fn with_cgroups(before: &[(&str, u64)], after: &[(&str, u64, Option<u64>)]) -> Usage {
        let figures = |cpu_microseconds, memory_bytes| Figures {
            cpu_microseconds,
            memory_bytes,
        };
        let mut previous = sample(1, &[(10, 1, 0, 500)], &[1]);
        let before = before
            .iter()
            .map(|&(path, cpu)| (path.to_owned(), figures(cpu, None)));
        previous.cgroups.insert(replica(1), before.collect());
        let mut current = sample(2, &[(10, 1, 0, 600)], &[1]);
        let after = after.iter();
        let after = after.map(|&(path, cpu, memory)| (path.to_owned(), figures(cpu, memory)));
        current.cgroups.insert(replica(1), after.collect());
        usage(&previous, &current, &[(replica(1), vec![10])])[&replica(1)]
    }

    #[test]
    fn cgroups_of_its_own_say_what_a_replica_uses_and_else_its_processes_do() {
        for (before, after, cpu_cores, memory_bytes) in [
            (&[("/a", 0)][..], &[("/a", 700_000, Some(7))][..], 0.7, 7),
            (
                &[("/a", 5), ("/b", 0)],
                &[("/a", 200_005, Some(7)), ("/b", 50_000, Some(1))],
                0.25,
                8,
            ),
            // Memory is not accounted for.
            (&[("/a", 0)], &[("/a", 700_000, None)], 0.7, 10),
            // Moved, started anew, or one more than before.
            (&[("/a", 0)], &[("/b", 700_000, Some(7))], 0.1, 7),
            (&[("/a", 9)], &[("/a", 8, Some(7))], 0.1, 7),
            (
                &[("/a", 0)],
                &[("/a", 1, Some(7)), ("/b", 1, None)],
                0.1,
                10,
            ),
        ] {
            close(Some(&with_cgroups(before, after)), cpu_cores, memory_bytes);
        }
    }

    #[test]
    fn a_ring_of_parents_ends() {
        let rows = [(10, 11, 0, 0), (11, 10, 0, 0)];
        let (previous, current) = (sample(1, &rows, &[1]), sample(2, &rows, &[1]));
        let found = usage(&previous, &current, &[(replica(1), vec![10])]);
        close(found.get(&replica(1)), 0.0, 20);
    }
}
