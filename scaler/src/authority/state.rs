//! Where what belongs to a user, and is made by programs, is kept.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The folder of the authority: in `XDG_STATE_HOME`, or in `~/.local/state`.
///
/// # Errors
/// When neither is known.
pub fn folder() -> anyhow::Result<PathBuf> {
    let state = of(std::env::var_os("XDG_STATE_HOME"), std::env::var_os("HOME"));
    let state = state.ok_or_else(|| {
        anyhow::anyhow!("neither XDG_STATE_HOME nor HOME is set to a path, so nothing can be kept")
    })?;
    Ok(state.join("ebbtide").join("local-authority"))
}

/// Paths that are not absolute are to be ignored (XDG Base Directory Specification, 0.8).
fn of(state: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
    let absolute = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let at_home = || {
        home.and_then(absolute)
            .map(|home| home.join(Path::new(".local/state")))
    };
    state.and_then(absolute).or_else(at_home)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_paths_count() {
        let of = |state: Option<&str>, home: Option<&str>| {
            of(state.map(OsString::from), home.map(OsString::from))
        };
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(of(Some("/s"), Some("/h")), path("/s"));
        for state in [None, Some(""), Some("s")] {
            assert_eq!(of(state, Some("/h")), path("/h/.local/state"));
            assert_eq!(of(state, Some("h")), None);
            assert_eq!(of(state, None), None);
        }
    }
}
