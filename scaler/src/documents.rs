//! Reads documents from files, folders and standard input.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use ebbtide_core::document::{
    self, Declaration, Diagnostic, Located, ParseOptions, Source, check_unique,
};
use thiserror::Error;

/// What the bundled example is called in messages.
pub const EXAMPLE_NAME: &str = "manifests/local/hello.yaml";

const EXAMPLE: &str = include_str!("../../manifests/local/hello.yaml");

/// What standard input is called in messages.
const STDIN: &str = "standard input";

/// The longest file that is read, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// Names of files that are documents, in a folder.
const EXTENSIONS: [&str; 3] = ["yaml", "yml", "json"];

/// What the files declare.
#[derive(Debug, Default)]
pub struct Documents {
    /// The apps and revisions, in the order of the files.
    pub declarations: Vec<Located<Declaration>>,
    /// What is no error, but will surprise.
    pub warnings: Vec<Diagnostic>,
}

/// Documents that are not valid, with everything that is wrong with them.
#[derive(Debug, Error)]
#[error("{}", listed(.0))]
pub struct InvalidDocument(pub Vec<Diagnostic>);

fn listed(diagnostics: &[Diagnostic]) -> String {
    let title = match diagnostics.len() {
        1 => "the document is not valid".to_owned(),
        count => format!("{count} errors in the documents"),
    };
    let lines = diagnostics
        .iter()
        .map(|diagnostic| format!("  {diagnostic}"));
    [title]
        .into_iter()
        .chain(lines)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The texts of documents, each with the name that messages call it.
pub type Texts = Vec<(String, String)>;

/// The bundled example, which runs when no file is given.
pub fn example() -> Texts {
    vec![(EXAMPLE_NAME.to_owned(), EXAMPLE.to_owned())]
}

/// Reads `paths`: files, folders, whose `.yaml`, `.yml` and `.json` files are read by name and
/// whose folders are not, and `-`, which is standard input.
///
/// # Errors
/// The one file that cannot be read.
pub fn read(paths: &[PathBuf]) -> anyhow::Result<Texts> {
    files(paths)?.iter().map(|path| load(path)).collect()
}

/// Reads `paths` once more after `before` was read from them. Standard input has been read to its
/// end, so it says what it said then.
///
/// # Errors
/// The one file that cannot be read.
pub fn read_again(paths: &[PathBuf], before: &Texts) -> anyhow::Result<Texts> {
    let load_again = |path: &PathBuf| {
        let mut known = before.iter().filter(|_| is_stdin(path));
        let known = known.find(|(name, _)| name == STDIN);
        known.map_or_else(|| load(path), |text| Ok(text.clone()))
    };
    files(paths)?.iter().map(load_again).collect()
}

/// Parses texts; `set` fills placeholders.
///
/// # Errors
/// [`InvalidDocument`] with all that is wrong with all of them.
pub fn parse(texts: &Texts, set: &BTreeMap<String, String>) -> Result<Documents, InvalidDocument> {
    let mut documents = Documents::default();
    let mut errors = Vec::new();
    for (name, text) in texts {
        let stem = Path::new(name).file_stem().and_then(OsStr::to_str);
        let options = ParseOptions {
            set: set.clone(),
            default_name: stem.filter(|_| name != STDIN).map(default_name),
        };
        match document::parse(&Source { name, text }, &options) {
            Ok(parsed) => {
                documents.declarations.extend(parsed.declarations);
                documents.warnings.extend(parsed.warnings);
            }
            Err(found) => errors.extend(found),
        }
    }
    let twice = check_unique(&documents.declarations).err();
    errors.extend(twice.into_iter().flatten());
    if errors.is_empty() {
        Ok(documents)
    } else {
        Err(InvalidDocument(errors))
    }
}

/// The keys of `set` that no text mentions, so that their values are used nowhere.
pub fn unmentioned<'s>(texts: &Texts, set: &'s BTreeMap<String, String>) -> Vec<&'s str> {
    // The names of an ARM template's parameters may be written in any case.
    let mentions = |text: &str, key: &str| text.to_lowercase().contains(&key.to_lowercase());
    let keys = set.keys().map(String::as_str);
    keys.filter(|key| !texts.iter().any(|(_, text)| mentions(text, key)))
        .collect()
}

/// The longest name of an app, in characters.
const LONGEST_NAME: usize = 32;

/// The app's name that is nearest to a file's stem: `02_Web API` becomes `web-api`. The stem itself
/// when it has no letter, so that the error shows it.
fn default_name(stem: &str) -> String {
    let mut name = String::new();
    for c in stem.chars().map(|c| c.to_ascii_lowercase()) {
        let follows = c.is_ascii_digit() && !name.is_empty();
        if c.is_ascii_lowercase() || follows {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(LONGEST_NAME);
    let name = name.trim_end_matches('-');
    if name.is_empty() { stem } else { name }.to_owned()
}

/// The files that `paths` name, folders replaced by what is in them.
///
/// # Errors
/// When a path is not there, or a folder cannot be read or has no document.
pub fn files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !is_stdin(path) && path.is_dir() {
            files.extend(files_of(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

fn files_of(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let unreadable = || format!("cannot read the folder {}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let path = entry.with_context(unreadable)?.path();
        let is_hidden = path
            .file_name()
            .is_some_and(|name| name.as_encoded_bytes()[0] == b'.');
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        if EXTENSIONS.contains(&extension) && !is_hidden && path.is_file() {
            files.push(path);
        }
    }
    let shown = folder.display();
    ensure!(
        !files.is_empty(),
        "no .yaml, .yml or .json file is in the folder {shown}"
    );
    files.sort();
    Ok(files)
}

fn is_stdin(path: &Path) -> bool {
    path == Path::new("-")
}

/// The name that messages call the file, and its text.
fn load(path: &Path) -> anyhow::Result<(String, String)> {
    if is_stdin(path) {
        let name = STDIN.to_owned();
        let text = text_of(std::io::stdin().lock()).context("cannot read standard input")?;
        return Ok((name, text));
    }
    let name = path.display().to_string();
    let text = File::open(path)
        .map_err(anyhow::Error::from)
        .and_then(text_of);
    let text = text.with_context(|| format!("cannot read {name}"))?;
    Ok((name, text))
}

fn text_of(reader: impl Read) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    reader.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    ensure!(
        bytes.len() as u64 <= MAX_FILE,
        "it is longer than {} MiB",
        MAX_FILE >> 20
    );
    String::from_utf8(bytes)
        .ok()
        .context("it is not UTF-8; save it as UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "{properties: {template: {containers: [{name: a, command: [b]}]}}}";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        folder
    }

    #[test]
    fn the_bundled_example_is_valid_and_says_nothing_to_warn_of() {
        let documents = parse(&example(), &BTreeMap::new()).unwrap();
        assert_eq!(documents.declarations.len(), 2);
        assert!(documents.warnings.is_empty(), "{:?}", documents.warnings);
    }

    #[test]
    fn an_app_without_a_name_is_called_like_its_file() {
        for (stem, expected) in [
            ("hello", "hello"),
            ("02_rest_spec", "rest-spec"),
            ("Web API.tmpl", "web-api-tmpl"),
            ("__a__1--b__", "a-1-b"),
            ("1-2-a", "a"),
            ("größe", "gr-e"),
            (
                "a234567890123456789012345678901_3",
                "a234567890123456789012345678901",
            ),
            (
                "a2345678901234567890123456789012345",
                "a2345678901234567890123456789012",
            ),
            ("2024", "2024"),
            ("_", "_"),
        ] {
            assert_eq!(default_name(stem), expected, "{stem}");
        }
        let parsed =
            |name: &str| parse(&vec![(name.to_owned(), GOOD.to_owned())], &BTreeMap::new());
        assert!(parsed("apps/02_Web.yaml").is_ok());
        let error = parsed("apps/2024.yaml").unwrap_err().to_string();
        assert!(error.contains("\"2024\" is not an app name"), "{error}");
    }

    #[test]
    fn a_folder_is_its_documents_by_name() {
        let folder = folder(&[
            ("b.yml", GOOD),
            ("a.yaml", GOOD),
            (
                "c.json",
                "{\"properties\":{\"template\":{\"containers\":[{\"name\":\"a\",\"command\":[\"b\"]}]}}}",
            ),
            (".a.yaml", "not: a document"),
            ("notes.txt", "not: a document"),
        ]);
        fs::create_dir(folder.path().join("d.yaml")).unwrap();
        let texts = read(&[folder.path().to_owned()]).unwrap();
        let documents = parse(&texts, &BTreeMap::new()).unwrap();
        let names = documents
            .declarations
            .iter()
            .map(|located| match &located.value {
                Declaration::App(app) => app.name.to_string(),
                Declaration::Revision(revision) => revision.name.to_string(),
                Declaration::Routes(config) => config.name.to_string(),
            });
        assert_eq!(names.collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn all_errors_of_all_files_are_reported() {
        let twice = format!("name: a\n{}", &GOOD[1..GOOD.len() - 1]);
        let folder = folder(&[
            ("a.yaml", GOOD),
            ("b.yaml", &twice),
            (
                "c.yaml",
                "properties: {template: {scale: {minReplicas: -1}}}",
            ),
        ]);
        let texts = read(&[folder.path().to_owned()]).unwrap();
        let error = parse(&texts, &BTreeMap::new()).unwrap_err();
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

    #[test]
    fn a_key_that_no_text_mentions_is_known() {
        let texts = vec![
            ("a.yaml".to_owned(), "image: <REGISTRY>/a".to_owned()),
            ("b.json".to_owned(), "[parameters('Tag')]".to_owned()),
        ];
        let set = ["REGISTRY", "tag", "TAGG"].map(|key| (key.to_owned(), String::new()));
        assert_eq!(unmentioned(&texts, &set.into()), ["TAGG"]);
    }

    #[test]
    fn standard_input_is_read_once_and_files_again() {
        let folder = folder(&[("a.yaml", GOOD)]);
        let file = folder.path().join("a.yaml");
        let before = vec![
            (STDIN.to_owned(), "from a pipe".to_owned()),
            (file.display().to_string(), "from before".to_owned()),
        ];
        let texts = read_again(&["-".into(), file], &before).unwrap();
        let texts: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts, ["from a pipe", GOOD]);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = folder(&[("bad.yaml", "")]);
        fs::write(folder.path().join("bad.yaml"), [0xff]).unwrap();
        let empty = tempfile::tempdir().unwrap();
        for (path, expected) in [
            (folder.path().join("none.yaml"), "none.yaml"),
            (
                folder.path().join("bad.yaml"),
                "is not UTF-8; save it as UTF-8",
            ),
            (empty.path().to_owned(), "no .yaml, .yml or .json file"),
        ] {
            let error = read(&[path]).unwrap_err();
            let text = format!("{error:#}");
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
    }
}
