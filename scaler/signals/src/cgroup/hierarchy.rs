//! Where the hierarchy of version 2 is, and where in it a process is.

use std::path::PathBuf;

/// The hierarchy of version 2 as it is mounted here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hierarchy {
    /// The cgroup that is at the mount's top.
    root: String,
    /// The folder that it is mounted at.
    at: PathBuf,
}

impl Hierarchy {
    /// Finds it in the text of `/proc/self/mountinfo`.
    pub(super) fn parse(mountinfo: &str) -> Option<Self> {
        mountinfo.lines().find_map(|line| {
            // A number of optional fields come before the dash, and the file system after it.
            let (mount, file_system) = line.split_once(" - ")?;
            if file_system.split(' ').next() != Some("cgroup2") {
                return None;
            }
            let mut fields = mount.split(' ').skip(3);
            let (root, at) = (fields.next()?, fields.next()?);
            Some(Self {
                root: unescaped(root),
                at: PathBuf::from(unescaped(at)),
            })
        })
    }

    /// The folder of a cgroup, if it can be seen from here.
    pub(super) fn folder(&self, path: &str) -> Option<PathBuf> {
        let below = if self.root == "/" {
            path
        } else {
            path.strip_prefix(&self.root)?
        };
        // One outside of this process's namespace is shown by the way up to it.
        let is_outside = below.split('/').any(|part| part == "..");
        let below = below.trim_start_matches('/');
        (!is_outside).then(|| self.at.join(below))
    }
}

/// The cgroup of version 2 in the text of a `/proc/PID/cgroup`.
pub(super) fn path_of(text: &str) -> Option<&str> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    // Said of a cgroup that was removed while a process was in it.
    (!path.ends_with(" (deleted)")).then_some(path)
}

/// Whether a cgroup is another one, or below it.
pub(super) fn is_within(path: &str, other: &str) -> bool {
    let below = path.strip_prefix(other.trim_end_matches('/'));
    below.is_some_and(|below| below.is_empty() || below.starts_with('/'))
}

/// A field in which some characters are written in octal, as in `\040`.
fn unescaped(field: &str) -> String {
    let escapes = [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ];
    let mut text = field.to_owned();
    for (escape, character) in escapes {
        text = text.replace(escape, character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
24 30 0:22 / /proc rw,nosuid - proc proc rw
33 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:10 master:2 - cgroup2 cgroup2 rw
";

    #[test]
    fn the_hierarchy_is_found_among_other_mounts() {
        let folder = |mountinfo, path| {
            let hierarchy = Hierarchy::parse(mountinfo);
            hierarchy.and_then(|one| one.folder(path))
        };
        let within = "35 24 0:30 /pod/a /with\\040space rw - cgroup2 cgroup2 rw";
        for (mountinfo, path, expected) in [
            (
                HYBRID,
                "/a.scope/b",
                Some("/sys/fs/cgroup/unified/a.scope/b"),
            ),
            (HYBRID, "/", Some("/sys/fs/cgroup/unified/")),
            (HYBRID, "/../b", None),
            (within, "/pod/a/b", Some("/with space/b")),
            (within, "/pod/b", None),
            ("33 31 0:29 / /cgroup rw - cgroup cgroup rw,cpu", "/a", None),
            ("", "/a", None),
        ] {
            let expected = expected.map(PathBuf::from);
            assert_eq!(folder(mountinfo, path), expected, "{path} of {mountinfo}");
        }
    }

    #[test]
    fn a_process_says_where_it_is() {
        for (text, expected) in [
            ("0::/user.slice/a.scope\n", Some("/user.slice/a.scope")),
            ("4:memory:/else\n1:cpu:/\n0::/\n", Some("/")),
            ("4:memory:/else\n", None),
            ("0::/a.scope (deleted)\n", None),
            ("", None),
        ] {
            assert_eq!(path_of(text), expected, "{text:?}");
        }
    }
}
