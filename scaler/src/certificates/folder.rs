//! A folder of certificates, as it is found.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most certificates that a folder may have; further ones are not looked at.
const MOST: usize = 4096;

/// The longest file that is read, in bytes: a chain is a few thousand.
const LONGEST: u64 = 256 * 1024;

/// Certificates with their keys, by the certificate's path in the folder.
pub(super) type Found = BTreeMap<String, PairFiles>;

/// A certificate's file and its key's.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct PairFiles {
    /// Where the certificate is.
    pub(super) certificate_path: PathBuf,
    /// What it has; none if there is no such file.
    pub(super) certificate: Option<Vec<u8>>,
    /// Where the key is.
    pub(super) key_path: PathBuf,
    /// What it has; none if there is no such file.
    pub(super) key: Option<Vec<u8>>,
}

/// Reads `NAME.crt` with `NAME.key`, and `NAME/tls.crt` with `NAME/tls.key` as Kubernetes and
/// cert-manager have them. A `ca.crt` beside them, a root without a key, is none of them.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn read(folder: &Path) -> io::Result<Found> {
    let mut found = Found::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        // Mounted secrets have folders like ..data, which links lead to.
        if name.starts_with('.') || found.len() >= MOST {
            continue;
        }
        // Of what a link leads to. It may have gone meanwhile.
        let Ok(about) = fs::metadata(&path) else {
            continue;
        };
        let (certificate, key) = if about.is_dir() {
            (path.join("tls.crt"), path.join("tls.key"))
        } else if name != "ca.crt" && is_of_a_pair(&path) {
            (path.with_extension("crt"), path.with_extension("key"))
        } else {
            continue;
        };
        let name = certificate.strip_prefix(folder).unwrap_or(&certificate);
        let name = name.to_string_lossy().into_owned();
        let pair = PairFiles {
            certificate: content(&certificate),
            key: content(&key),
            certificate_path: certificate,
            key_path: key,
        };
        if pair.certificate.is_some() || pair.key.is_some() {
            found.insert(name, pair);
        }
    }
    Ok(found)
}

fn is_of_a_pair(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "crt" || extension == "key")
}

fn content(path: &Path) -> Option<Vec<u8>> {
    let about = fs::metadata(path).ok()?;
    if !about.is_file() || about.len() > LONGEST {
        return None;
    }
    fs::read(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_naming_are_found_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for path in [
            "a.crt",
            "a.key",
            "b.crt",
            "c.key",
            "ca.crt",
            "notes.txt",
            ".hidden.crt",
        ] {
            fs::write(folder.path().join(path), path).unwrap();
        }
        for name in ["web", "empty", "..data"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        for path in ["web/tls.crt", "web/tls.key", "web/ca.crt", "..data/tls.crt"] {
            fs::write(folder.path().join(path), path).unwrap();
        }
        let found = read(folder.path()).unwrap();
        let found: Vec<_> = found
            .iter()
            .map(|(name, pair)| {
                (
                    name.as_str(),
                    pair.certificate.is_some(),
                    pair.key.is_some(),
                )
            })
            .collect();
        assert_eq!(
            found,
            [
                ("a.crt", true, true),
                ("b.crt", true, false),
                ("c.crt", false, true),
                ("web/tls.crt", true, true),
            ]
        );
        assert!(read(&folder.path().join("gone")).is_err());
    }
}
