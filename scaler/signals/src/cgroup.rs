//! The cgroups (version 2) that replicas have for themselves, and what those account for.
//!
//! Ebbtide makes none. A replica has its own where its command sees to that, as `systemd-run --scope`
//! does, or where whoever started it moved it there.

mod figures;
mod hierarchy;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::read_to_string;
use std::path::{Path, PathBuf};

use ebbtide_core::name::ReplicaName;

pub(crate) use figures::Figures;
use hierarchy::{Hierarchy, is_within, path_of};

/// The cgroups of a replica by their path, with what each accounts for.
pub(crate) type Cgroups = BTreeMap<String, Figures>;

/// Finds and reads cgroups of version 2.
#[derive(Debug)]
pub(crate) struct CgroupReader {
    proc: PathBuf,
    /// None where there is no such hierarchy.
    hierarchy: Option<Hierarchy>,
}

impl CgroupReader {
    /// Looks where the hierarchy of version 2 is mounted.
    pub(crate) fn new() -> Self {
        let proc = PathBuf::from("/proc");
        let mounts = read_to_string(proc.join("self/mountinfo"));
        let hierarchy = mounts.ok().and_then(|text| Hierarchy::parse(&text));
        Self { proc, hierarchy }
    }

    /// What the cgroups account for that each replica has for itself. A replica that shares a cgroup
    /// with Ebbtide or with another replica is left out, and so is one whose cgroups cannot be read.
    pub(crate) fn read(&self, roots: &[(ReplicaName, Vec<u32>)]) -> BTreeMap<ReplicaName, Cgroups> {
        let Some(hierarchy) = &self.hierarchy else {
            return BTreeMap::new();
        };
        let Some(ours) = self.path("self") else {
            return BTreeMap::new();
        };
        let paths = roots.iter().map(|(replica, processes)| {
            let paths = processes.iter();
            let paths = paths.filter_map(|process| self.path(&process.to_string()));
            (replica.clone(), paths.collect())
        });
        let own = own_paths(&ours, &paths.collect());
        let read = own.into_iter().filter_map(|(replica, paths)| {
            let read = |path: String| {
                let figures = Figures::read(&hierarchy.folder(&path)?)?;
                Some((path, figures))
            };
            let cgroups: Option<Cgroups> = paths.into_iter().map(read).collect();
            Some((replica, cgroups?))
        });
        read.collect()
    }

    fn path(&self, process: &str) -> Option<String> {
        let file = self.proc.join(Path::new(process)).join("cgroup");
        path_of(&read_to_string(file).ok()?).map(str::to_owned)
    }
}

/// The topmost cgroups of each replica, if none of them has a process of Ebbtide's or of another
/// replica in it or below it.
fn own_paths(
    ours: &str,
    paths: &BTreeMap<ReplicaName, BTreeSet<String>>,
) -> BTreeMap<ReplicaName, BTreeSet<String>> {
    let is_shared = |replica: &ReplicaName, path: &str| {
        let mut others = paths.iter().filter(|(other, _)| *other != replica);
        is_within(ours, path)
            || others.any(|(_, paths)| paths.iter().any(|other| is_within(other, path)))
    };
    let own = paths.iter().filter_map(|(replica, paths)| {
        if paths.is_empty() || paths.iter().any(|path| is_shared(replica, path)) {
            return None;
        }
        let is_topmost = |path: &&String| {
            let mut others = paths.iter().filter(|other| other != path);
            !others.any(|other| is_within(path, other))
        };
        let topmost = paths.iter().filter(is_topmost).cloned();
        Some((replica.clone(), topmost.collect()))
    });
    own.collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::io;

    use ebbtide_core::name::RevisionName;

    use super::*;

    /// A cgroup for a test, which ends with all that is in it.
    pub(crate) struct TestCgroup(PathBuf);

    impl TestCgroup {
        /// A cgroup in the root of the hierarchy.
        pub(crate) fn new(name: &str) -> io::Result<Self> {
            let hierarchy = CgroupReader::new().hierarchy;
            let folder = hierarchy.and_then(|one| one.folder(&format!("/{name}")));
            let folder = folder.ok_or_else(|| io::Error::other("no cgroups of version 2"))?;
            std::fs::create_dir(&folder)?;
            Ok(Self(folder))
        }

        /// Moves a process into it.
        pub(crate) fn add(&self, process: u32) -> io::Result<()> {
            std::fs::write(self.0.join("cgroup.procs"), process.to_string())
        }

        /// Ends all that is in it.
        pub(crate) fn kill(&self) -> io::Result<()> {
            std::fs::write(self.0.join("cgroup.kill"), "1")
        }

        /// Whether memory is accounted for here.
        pub(crate) fn has_memory(&self) -> bool {
            self.0.join("memory.current").exists()
        }
    }

    impl Drop for TestCgroup {
        fn drop(&mut self) {
            let _ = self.kill();
            // It is empty once the kernel has taken leave of those that were killed.
            for _ in 0..100_000 {
                if std::fs::remove_dir(&self.0).is_ok() {
                    return;
                }
                std::thread::yield_now();
            }
        }
    }

    fn replica(number: u32) -> ReplicaName {
        let revision = RevisionName::parse("hello--v1").unwrap();
        ReplicaName::new(&revision, &number.to_string())
    }

    /// The own cgroups of replicas with these paths, while Ebbtide is in `ours`.
    fn own(ours: &str, replicas: &[&[&str]]) -> Vec<(u32, Vec<String>)> {
        let paths = (1..).zip(replicas).map(|(number, paths)| {
            let paths = paths.iter().map(|path| (*path).to_owned());
            (replica(number), paths.collect())
        });
        let found = own_paths(ours, &paths.collect());
        let number = |name: &ReplicaName| (1..9).find(|one| replica(*one) == *name).unwrap();
        let found = found.into_iter();
        found
            .map(|(name, paths)| (number(&name), paths.into_iter().collect()))
            .collect()
    }

    #[test]
    fn a_replica_has_a_cgroup_of_its_own_when_no_one_else_is_in_it() {
        let ours = "/user.slice/ebbtide.scope";
        for (replicas, expected) in [
            (vec![&["/a.scope"][..], &["/b.scope"]], vec![1, 2]),
            (vec![&["/a.scope"], &["/a.scope"]], vec![]),
            // What is counted for the outer one is the inner one's too, but not the other way.
            (vec![&["/a.scope"], &["/a.scope/web"]], vec![2]),
            (vec![&["/a.scope"], &["/a.scope2"]], vec![1, 2]),
            (vec![&[ours]], vec![]),
            (vec![&["/user.slice"]], vec![]),
            (vec![&["/"]], vec![]),
            (vec![&["/user.slice/ebbtide.scope/one"]], vec![1]),
            (vec![&["/a.scope", ours]], vec![]),
            (vec![&[]], vec![]),
        ] {
            let found = own(ours, &replicas);
            let found: Vec<u32> = found.into_iter().map(|(number, _)| number).collect();
            assert_eq!(found, expected, "{replicas:?}");
        }
    }

    #[test]
    fn a_cgroup_within_another_of_the_same_replica_is_counted_once() {
        let found = own("/ebbtide", &[&["/a", "/a/web", "/b", "/ab"]]);
        let expected = ["/a", "/ab", "/b"].map(str::to_owned).to_vec();
        assert_eq!(found, [(1, expected)]);
    }
}
