//! What a cgroup accounts for.

use std::fs::read_to_string;
use std::path::Path;

/// What a cgroup accounts for, with all that is below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    /// CPU time since it was made, that of processes which have ended included.
    pub(crate) cpu_microseconds: u64,
    /// Its working set, as Kubernetes counts it; none where memory is not accounted for.
    pub(crate) memory_bytes: Option<u64>,
}

impl Figures {
    /// Reads the files of a cgroup's folder; none if it is gone.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let file = |name: &str| read_to_string(folder.join(name)).ok();
        let memory = file("memory.current").zip(file("memory.stat"));
        Some(Self {
            cpu_microseconds: value_of(&file("cpu.stat")?, "usage_usec")?,
            memory_bytes: memory.and_then(|(current, stat)| working_set(&current, &stat)),
        })
    }
}

/// All memory less the pages of files that were not used lately: those the kernel takes back when it
/// needs room.
fn working_set(current: &str, stat: &str) -> Option<u64> {
    let current: u64 = current.trim().parse().ok()?;
    Some(current.saturating_sub(value_of(stat, "inactive_file")?))
}

/// The value of a key in a file of lines of a key and a value.
fn value_of(text: &str, key: &str) -> Option<u64> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(' '));
    let (_, value) = pairs.find(|(name, _)| *name == key)?;
    value.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_can_be_taken_back_are_not_part_of_the_working_set() {
        let stat = "anon 600\nfile 400\ninactive_anon 5\ninactive_file 300\nactive_file 100\n";
        for (current, stat, expected) in [
            ("1000\n", stat, Some(700)),
            // The two files are read one after the other.
            ("200\n", stat, Some(0)),
            ("max\n", stat, None),
            ("1000\n", "anon 600\n", None),
        ] {
            assert_eq!(working_set(current, stat), expected, "{current:?} {stat:?}");
        }
    }

    #[test]
    fn a_key_is_found_by_its_whole_name() {
        let stat = "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\n";
        for (key, expected) in [
            ("usage_usec", Some(1500)),
            ("system_usec", Some(500)),
            ("usage", None),
        ] {
            assert_eq!(value_of(stat, key), expected, "{key}");
        }
    }
}
