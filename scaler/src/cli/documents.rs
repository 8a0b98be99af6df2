//! Documents of the command line: files, folders, and `-`, which is standard input.

use std::io::Read;
use std::path::{Path, PathBuf};

use crate::documents::{LoadError, Loaded, Texts, parse, read};

/// What messages call standard input.
const STDIN: &str = "standard input";

/// The most that is read of standard input, in bytes; as much as of a file.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Reads and parses `paths`, of which there is at least one.
///
/// # Errors
/// What cannot be read, or everything that is wrong with what was.
pub(super) fn load(paths: &[PathBuf], set: &[(String, String)]) -> Result<Loaded, LoadError> {
    let (stdin, files): (Vec<PathBuf>, Vec<PathBuf>) = paths
        .iter()
        .cloned()
        .partition(|path| path == Path::new("-"));
    // Without a path, the bundled example would be read.
    let mut texts = if files.is_empty() {
        Texts::new()
    } else {
        read(&files)?
    };
    if !stdin.is_empty() {
        texts.insert(STDIN.to_owned(), text_of(std::io::stdin().lock())?);
    }
    parse(&texts, &set.iter().cloned().collect())
}

fn text_of(reader: impl Read) -> Result<String, LoadError> {
    let unreadable = |because: String| LoadError::Unreadable {
        path: STDIN.to_owned(),
        because,
    };
    let mut text = String::new();
    let read = reader.take(LONGEST + 1).read_to_string(&mut text);
    read.map_err(|error| unreadable(error.to_string()))?;
    if text.len() as u64 > LONGEST {
        return Err(unreadable(format!("longer than {LONGEST} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_or_not_text_is_refused() {
        assert_eq!(text_of(&b"name: a"[..]).unwrap(), "name: a");
        assert!(
            text_of(&b"\xff"[..])
                .unwrap_err()
                .to_string()
                .contains(STDIN)
        );
        let endless = std::io::repeat(b' ');
        assert!(text_of(endless).unwrap_err().to_string().contains("longer"));
    }

    #[test]
    fn all_errors_of_all_files_are_reported() {
        let folder = tempfile::tempdir().unwrap();
        let app = "{name: a, properties: {template: {containers: [{name: a, command: [b]}]}}}";
        let scale = "properties: {template: {scale: {minReplicas: -1}}}";
        for (name, text) in [("a.yaml", app), ("b.yaml", app), ("c.yaml", scale)] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let error = load(&[folder.path().to_owned()], &[]).unwrap_err();
        let error = crate::cli::failure::load_error(error);
        assert_eq!(crate::cli::exit_code(&error), 3);
        let text = error.to_string();
        for expected in [
            "c.yaml:1:",
            "minReplicas",
            "b.yaml:1:1: name: ",
            "a.yaml:1 declares",
        ] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
    }
}
