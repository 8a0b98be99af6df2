//! Reading container app documents from files and folders.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ebbtide_core::document::{self, Declaration, Diagnostic, Located, ParseOptions, Source};
use thiserror::Error;

/// The example that runs when no file is given.
const EXAMPLE: &str = include_str!("../../manifests/local/hello.yaml");

/// What the example is called in messages.
pub const EXAMPLE_NAME: &str = "manifests/local/hello.yaml";

/// A file longer than this is not a container app document.
const LONGEST_FILE: u64 = 4 * 1024 * 1024;

/// Why documents could not be read.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file or folder cannot be read.
    #[error("{path}: {because}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        because: String,
    },
    /// Documents are not valid.
    #[error("{}", lines(.0))]
    Invalid(Vec<Diagnostic>),
}

fn lines(diagnostics: &[Diagnostic]) -> String {
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// The texts of the documents, by the name to show for each.
pub type Texts = BTreeMap<String, String>;

/// What was read.
#[derive(Debug)]
pub struct Loaded {
    /// What the documents declare.
    pub declarations: Vec<Located<Declaration>>,
    /// What their authors should know.
    pub warnings: Vec<Diagnostic>,
}

/// Reads the files, and those of the folders that end in `.yaml`, `.yml` or `.json`; the bundled
/// example when there are none.
///
/// # Errors
/// The first file or folder that cannot be read, or a folder without documents.
pub fn read(paths: &[PathBuf]) -> Result<Texts, LoadError> {
    if paths.is_empty() {
        return Ok(Texts::from([(EXAMPLE_NAME.to_owned(), EXAMPLE.to_owned())]));
    }
    let mut texts = Texts::new();
    for path in paths {
        for file in files(path)? {
            texts.insert(file.display().to_string(), text(&file)?);
        }
    }
    Ok(texts)
}

/// Parses texts, and checks that no two documents declare one app.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn parse(texts: &Texts, set: &BTreeMap<String, String>) -> Result<Loaded, LoadError> {
    let mut loaded = Loaded {
        declarations: Vec::new(),
        warnings: Vec::new(),
    };
    let mut errors = Vec::new();
    for (name, text) in texts {
        let default_name = Path::new(name).file_stem().and_then(|stem| stem.to_str());
        let options = ParseOptions {
            set: set.clone(),
            default_name: default_name.map(str::to_owned),
        };
        match document::parse(&Source { name, text }, &options) {
            Ok(parsed) => {
                loaded.declarations.extend(parsed.declarations);
                loaded.warnings.extend(parsed.warnings);
            }
            Err(found) => errors.extend(found),
        }
    }
    if let Err(twice) = document::check_unique(&loaded.declarations) {
        errors.extend(twice);
    }
    if errors.is_empty() {
        Ok(loaded)
    } else {
        Err(LoadError::Invalid(errors))
    }
}

/// The file itself, or the documents of a folder in the order of their names.
fn files(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let entries = fs::read_dir(path).map_err(|error| unreadable(path, &error))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|file| file.is_file() && is_document(file))
        .collect();
    files.sort();
    if files.is_empty() {
        let because = "this folder has no .yaml, .yml or .json file".to_owned();
        return Err(LoadError::Unreadable {
            path: path.display().to_string(),
            because,
        });
    }
    Ok(files)
}

fn is_document(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|one| ["yaml", "yml", "json"].contains(&one.to_lowercase().as_str()))
}

fn text(file: &Path) -> Result<String, LoadError> {
    let length = fs::metadata(file)
        .map_err(|error| unreadable(file, &error))?
        .len();
    if length > LONGEST_FILE {
        let because = format!("{length} bytes; a document has at most {LONGEST_FILE}");
        return Err(LoadError::Unreadable {
            path: file.display().to_string(),
            because,
        });
    }
    fs::read_to_string(file).map_err(|error| unreadable(file, &error))
}

fn unreadable(path: &Path, error: &std::io::Error) -> LoadError {
    LoadError::Unreadable {
        path: path.display().to_string(),
        because: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_example_is_valid_and_says_nothing_to_warn_of() {
        let loaded = parse(&read(&[]).unwrap(), &BTreeMap::new()).unwrap();
        assert_eq!(loaded.declarations.len(), 2);
        assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
    }

    #[test]
    fn a_folder_gives_its_documents_in_order_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.yml", "a.yaml", "notes.txt", "c.JSON"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let texts = read(&[folder.path().to_owned()]).unwrap();
        let names: Vec<_> = texts
            .keys()
            .filter_map(|name| name.rsplit('/').next())
            .collect();
        assert_eq!(names, ["a.yaml", "b.yml", "c.JSON"]);
        let empty = tempfile::tempdir().unwrap();
        assert!(read(&[empty.path().to_owned()]).is_err());
    }
}
