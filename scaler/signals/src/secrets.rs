//! Where the values of secrets come from that documents do not have.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use ebbtide_core::document::{Secret, SecretValue};
use ebbtide_core::name::AppName;
use tokio::sync::watch;

/// What the name of a variable begins with that has a secret.
const PREFIX: &str = "EBBTIDE_SECRET_";
/// The longest secret in a file, in bytes.
const LONGEST: u64 = 64 << 10;
/// The most files that are read.
const MOST_FILES: usize = 10_000;

/// Somewhere that secrets are kept.
pub trait SecretStore: Send + Sync {
    /// The value of a secret of an app, if it is kept there.
    fn secret(&self, app: &AppName, name: &str) -> Option<SecretValue>;
}

/// Those of a document, `configuration.secrets` with a `value`.
pub struct DocumentSecrets<'d>(pub &'d [Secret]);

impl SecretStore for DocumentSecrets<'_> {
    fn secret(&self, _: &AppName, name: &str) -> Option<SecretValue> {
        let named = self.0.iter().find(|secret| secret.name == name);
        named?.value.clone()
    }
}

/// Those in variables of this process: `EBBTIDE_SECRET_APP_NAME` is the secret `name` of `app`, and
/// `EBBTIDE_SECRET_NAME` that of any, in capitals and with `_` for whatever a variable cannot have.
pub struct EnvironmentSecrets(BTreeMap<String, SecretValue>);

impl EnvironmentSecrets {
    /// Those among these variables.
    pub fn of(variables: impl Iterator<Item = (String, String)>) -> Self {
        let secrets = variables.filter(|(name, _)| name.starts_with(PREFIX));
        Self(
            secrets
                .map(|(name, value)| (name, SecretValue::new(value)))
                .collect(),
        )
    }

    /// The name of the variable for a secret of any app.
    pub fn variable(name: &str) -> String {
        let upper = |c: char| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_uppercase()
            } else {
                '_'
            }
        };
        let name: String = name.chars().map(upper).collect();
        format!("{PREFIX}{name}")
    }
}

impl SecretStore for EnvironmentSecrets {
    fn secret(&self, app: &AppName, name: &str) -> Option<SecretValue> {
        let own = self.0.get(&Self::variable(&format!("{app}-{name}")));
        own.or_else(|| self.0.get(&Self::variable(name))).cloned()
    }
}

/// Those in files of a folder: `FOLDER/APP/NAME` is the secret `NAME` of `APP`, and `FOLDER/NAME` that
/// of any app, as Kubernetes mounts them. A newline at the end of a file is not part of the secret.
pub struct FolderSecrets(watch::Receiver<Arc<Files>>);

/// The files of a folder, by their path in it.
pub type Files = BTreeMap<String, SecretValue>;

impl FolderSecrets {
    /// Those that were read last.
    pub fn new(files: watch::Receiver<Arc<Files>>) -> Self {
        Self(files)
    }
}

impl SecretStore for FolderSecrets {
    fn secret(&self, app: &AppName, name: &str) -> Option<SecretValue> {
        let files = Arc::clone(&self.0.borrow());
        let own = files.get(&format!("{app}/{name}"));
        own.or_else(|| files.get(name)).cloned()
    }
}

/// Reads the secrets in a folder and the folders in it. What begins with a point is passed over, as
/// are files that have no text or more than 64 KiB of it.
///
/// # Errors
/// The folder cannot be read.
pub fn read_folder(folder: &Path) -> io::Result<Files> {
    let mut files = Files::new();
    read_into(&mut files, folder, "", true)?;
    Ok(files)
}

fn read_into(files: &mut Files, folder: &Path, prefix: &str, deeper: bool) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
            continue;
        };
        if name.starts_with('.') || files.len() >= MOST_FILES {
            continue;
        }
        // Of what a link leads to, as Kubernetes mounts secrets. It may have gone meanwhile.
        let Ok(about) = fs::metadata(entry.path()) else {
            continue;
        };
        let path = format!("{prefix}{name}");
        if about.is_dir() && deeper {
            read_into(files, &entry.path(), &format!("{path}/"), false)?;
        } else if about.is_file()
            && about.len() <= LONGEST
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            let text = text.strip_suffix('\n').unwrap_or(&text);
            files.insert(path, SecretValue::new(text.to_owned()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(name: &str) -> AppName {
        AppName::new(name).unwrap()
    }

    fn exposed(secret: Option<SecretValue>) -> Option<String> {
        secret.map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn an_apps_own_variable_comes_before_that_of_all() {
        let variables = [
            ("EBBTIDE_SECRET_QUEUE_KEY", "all"),
            ("EBBTIDE_SECRET_ORDERS_QUEUE_KEY", "own"),
            ("QUEUE_KEY", "other"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let store = EnvironmentSecrets::of(variables.into_iter());
        let secret = |of: &str, name: &str| exposed(store.secret(&app(of), name));
        assert_eq!(secret("orders", "queue-key").as_deref(), Some("own"));
        assert_eq!(secret("bills", "queue-key").as_deref(), Some("all"));
        assert_eq!(secret("bills", "key"), None);
    }

    #[test]
    fn files_are_read_as_they_are_mounted() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &[u8]| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("..data/key", b"mounted\n");
        std::os::unix::fs::symlink("..data/key", folder.path().join("key")).unwrap();
        write("orders/key", b"own");
        write("orders/deep/key", b"not read");
        write("binary", &[0xff, 0xfe]);
        write("long", &vec![b'x'; 65 << 10]);
        let files = read_folder(folder.path()).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["key", "orders/key"]);
        let (sender, receiver) = watch::channel(Arc::new(files));
        let store = FolderSecrets::new(receiver);
        assert_eq!(
            exposed(store.secret(&app("orders"), "key")).as_deref(),
            Some("own")
        );
        assert_eq!(
            exposed(store.secret(&app("a"), "key")).as_deref(),
            Some("mounted")
        );
        write("key", b"rotated");
        sender.send_replace(Arc::new(read_folder(folder.path()).unwrap()));
        assert_eq!(
            exposed(store.secret(&app("a"), "key")).as_deref(),
            Some("rotated")
        );
        assert!(read_folder(&folder.path().join("none")).is_err());
    }
}
