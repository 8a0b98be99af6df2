//! The account and the certificates of a directory, in a folder that only this user can read.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, renameat_with};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::schedule::Validity;
use crate::certificates::{pem, validity};

const ACCOUNT: &str = "account.json";
const LOCK: &str = ".lock";
const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// A certificate as it was issued, in PEM, with its key.
pub(super) struct Issued {
    pub(super) chain: String,
    pub(super) key: String,
}

/// What is kept for one directory.
#[derive(Clone)]
pub(super) struct Kept(PathBuf);

impl Kept {
    /// What is kept in `folder`, which is made if it is not there.
    ///
    /// # Errors
    /// The folder cannot be made, or not be written in.
    pub(super) fn open(folder: PathBuf) -> anyhow::Result<Self> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        made.with_context(|| format!("cannot make {}", folder.display()))?;
        let this = Self(folder);
        this.open_lock()?;
        Ok(this)
    }

    /// The folder, which has a folder `HOST` for each certificate.
    pub(super) fn folder(&self) -> &Path {
        &self.0
    }

    /// The right to order, which is had until this is dropped; none while another process has it.
    ///
    /// # Errors
    /// The file for it cannot be opened.
    pub(super) fn lock(&self) -> anyhow::Result<Option<File>> {
        let file = self.open_lock()?;
        let locked = flock(&file, FlockOperation::NonBlockingLockExclusive);
        Ok(locked.is_ok().then_some(file))
    }

    fn open_lock(&self) -> anyhow::Result<File> {
        let path = self.0.join(LOCK);
        let mut options = OpenOptions::new();
        let options = options.create(true).truncate(false).write(true).mode(0o600);
        let opened = options.open(&path);
        opened.with_context(|| format!("cannot write {}", path.display()))
    }

    /// The file of the account.
    pub(super) fn account_path(&self) -> PathBuf {
        self.0.join(ACCOUNT)
    }

    /// The account; none if there is none yet.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn account(&self) -> anyhow::Result<Option<Vec<u8>>> {
        let path = self.account_path();
        match fs::read(&path) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Keeps the account.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn set_account(&self, content: &[u8]) -> anyhow::Result<()> {
        let (path, beside) = (self.account_path(), self.0.join(".account.new"));
        let written = remove_if_there(fs::remove_file(&beside))
            .and_then(|()| write(&beside, content))
            .and_then(|()| fs::rename(&beside, &path));
        written.with_context(|| format!("cannot write {}", path.display()))
    }

    /// The certificates that there are, by host. One that is not what it should be is none.
    pub(super) fn certificates(&self) -> BTreeMap<String, Validity> {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let names = names.filter(|name| !name.starts_with('.'));
        names
            .filter_map(|host| Some((host.clone(), self.validity(&host)?)))
            .collect()
    }

    /// The validity of a host's certificate, if it goes with its key.
    pub(super) fn validity(&self, host: &str) -> Option<Validity> {
        let place = self.0.join(host);
        let (path, key_path) = (place.join(CERTIFICATE), place.join(KEY));
        let chain = pem::certificates(&path, &fs::read(&path).ok()?).ok()?;
        let key = pem::key(&key_path, &fs::read(&key_path).ok()?).ok()?;
        let own = validity::parse(&path, chain.first()?).ok()?;
        let validity = validity::validity(&own).ok()?;
        CertifiedKey::from_der(chain, key, &default_provider()).ok()?;
        Some(validity)
    }

    /// Keeps a host's certificate with its key, both at once: whoever reads them meanwhile sees those
    /// before.
    ///
    /// # Errors
    /// They cannot be written.
    pub(super) fn store(&self, host: &str, issued: &Issued) -> anyhow::Result<()> {
        let (place, beside) = (self.0.join(host), self.0.join(format!(".{host}.new")));
        let stored = || -> io::Result<()> {
            remove_if_there(fs::remove_dir_all(&beside))?;
            DirBuilder::new().mode(0o700).create(&beside)?;
            write(&beside.join(KEY), issued.key.as_bytes())?;
            write(&beside.join(CERTIFICATE), issued.chain.as_bytes())?;
            put_in_place(&beside, &place)?;
            File::open(&self.0)?.sync_all()
        };
        stored().with_context(|| format!("cannot write {}", place.display()))
    }
}

fn put_in_place(beside: &Path, place: &Path) -> io::Result<()> {
    if !place.exists() {
        return fs::rename(beside, place);
    }
    if renameat_with(CWD, beside, CWD, place, RenameFlags::EXCHANGE).is_ok() {
        return fs::remove_dir_all(beside);
    }
    // Not every file system can.
    fs::remove_dir_all(place)?;
    fs::rename(beside, place)
}

fn remove_if_there(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new();
    let mut file = file.write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rcgen::generate_simple_self_signed;

    use super::*;

    const HOST: &str = "www.example.com";

    fn issued() -> Issued {
        let made = generate_simple_self_signed([HOST.to_owned()]).unwrap();
        Issued {
            chain: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_is_kept_can_be_read_by_this_user_alone_and_is_replaced_as_a_whole() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::open(folder.path().join("acme/ca")).unwrap();
        assert_eq!(kept.account().unwrap(), None);
        for account in ["one", "two"] {
            kept.set_account(account.as_bytes()).unwrap();
            assert_eq!(kept.account().unwrap().unwrap(), account.as_bytes());
        }
        let (first, second) = (issued(), issued());
        // Of a process that was killed.
        fs::create_dir(kept.folder().join(".www.example.com.new")).unwrap();
        for issued in [&first, &second] {
            kept.store(HOST, issued).unwrap();
            let place = kept.folder().join(HOST);
            assert_eq!(fs::read_to_string(place.join(KEY)).unwrap(), issued.key);
            assert_eq!(kept.certificates().into_keys().collect::<Vec<_>>(), [HOST]);
            assert_eq!(mode(&place), 0o700);
            assert_eq!(mode(&place.join(KEY)), 0o600);
            assert_eq!(mode(&place.join(CERTIFICATE)), 0o600);
        }
        assert_eq!(mode(kept.folder()), 0o700);
        assert_eq!(mode(&kept.account_path()), 0o600);
        let names = fs::read_dir(kept.folder()).unwrap().count();
        assert_eq!(names, 3, "nothing is left beside it");
        // Another's key makes it none.
        fs::write(kept.folder().join(HOST).join(KEY), &first.key).unwrap();
        assert!(kept.certificates().is_empty());
    }

    #[test]
    fn one_process_at_a_time_may_order() {
        let folder = tempfile::tempdir().unwrap();
        let kept = Kept::open(folder.path().to_owned()).unwrap();
        let lock = kept.lock().unwrap();
        assert!(lock.is_some());
        assert!(kept.lock().unwrap().is_none());
        drop(lock);
        assert!(kept.lock().unwrap().is_some());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let error = Kept::open(file.join("in")).err().unwrap();
        assert!(format!("{error:#}").contains("cannot make"));
    }
}
