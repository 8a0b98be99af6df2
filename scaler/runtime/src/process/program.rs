//! Finding the program that a command names.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};
use thiserror::Error;

/// Why a program cannot be run.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum ProgramError {
    #[error(
        "there is no program `{program}` in PATH or in {}; write its path, or install it",
        folder.display()
    )]
    NotFound { program: String, folder: PathBuf },
    #[error("there is no file {}", .0.display())]
    NoFile(PathBuf),
    #[error("{} is a folder, not a program", .0.display())]
    Folder(PathBuf),
    #[error("{} is not executable; try `chmod +x` on it", .0.display())]
    NotExecutable(PathBuf),
}

/// Finds `program`: by its path if it has a `/`, relative to `folder`; otherwise in the folders of
/// `search` (the variable PATH), then in `folder`.
pub(super) fn find(
    program: &str,
    search: Option<&OsStr>,
    folder: &Path,
) -> Result<PathBuf, ProgramError> {
    if program.contains('/') {
        return executable(folder.join(program));
    }
    let mut searched = search.into_iter().flat_map(std::env::split_paths);
    searched
        .find_map(|entry| executable(folder.join(entry).join(program)).ok())
        .map_or_else(|| beside_document(program, folder), Ok)
}

fn beside_document(program: &str, folder: &Path) -> Result<PathBuf, ProgramError> {
    executable(folder.join(program)).map_err(|error| match error {
        ProgramError::NoFile(_) | ProgramError::Folder(_) => ProgramError::NotFound {
            program: program.to_owned(),
            folder: folder.to_owned(),
        },
        other => other,
    })
}

fn executable(path: PathBuf) -> Result<PathBuf, ProgramError> {
    if path.is_dir() {
        Err(ProgramError::Folder(path))
    } else if !path.exists() {
        Err(ProgramError::NoFile(path))
    } else if access(&path, Access::EXEC_OK).is_err() {
        Err(ProgramError::NotExecutable(path))
    } else {
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{File, Permissions, create_dir, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn file(path: &Path, mode: u32) {
        File::create(path).unwrap();
        set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn path_comes_before_the_documents_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path();
        create_dir(folder.join("bin")).unwrap();
        create_dir(folder.join("sub")).unwrap();
        file(&folder.join("bin/both"), 0o755);
        file(&folder.join("both"), 0o755);
        file(&folder.join("only"), 0o755);
        file(&folder.join("bin/plain"), 0o644);
        file(&folder.join("plain"), 0o755);
        file(&folder.join("text"), 0o644);
        let search = folder.join("bin").into_os_string();
        let find = |program: &str| find(program, Some(&search), folder);
        let at = |path: &str| folder.join(path);

        assert_eq!(find("both"), Ok(at("bin/both")));
        assert_eq!(find("only"), Ok(at("only")));
        assert_eq!(find("plain"), Ok(at("plain")));
        assert_eq!(find("bin/both"), Ok(at("bin/both")));
        assert_eq!(find(at("only").to_str().unwrap()), Ok(at("only")));
        assert_eq!(find("text"), Err(ProgramError::NotExecutable(at("text"))));
        assert_eq!(find("./none"), Err(ProgramError::NoFile(at("./none"))));
        assert_eq!(find("./sub"), Err(ProgramError::Folder(at("./sub"))));
        let missing = |program: &str| ProgramError::NotFound {
            program: program.to_owned(),
            folder: folder.to_owned(),
        };
        assert_eq!(find("none"), Err(missing("none")));
        assert_eq!(find("sub"), Err(missing("sub")));
    }
}
