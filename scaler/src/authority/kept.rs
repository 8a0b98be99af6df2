//! The root and its key, in two files.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, anyhow};
use jiff::{SignedDuration, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::sign::CertifiedKey;

use crate::certificates::{pem, validity};

/// The root's file.
pub(super) const ROOT: &str = "ca.crt";

/// Its key's.
const KEY: &str = "ca.key";

/// What the root is called. Certificates name their issuer by it, so it stays as it is.
const NAME: &str = "Ebbtide local authority";

/// How long the root is valid.
const LIFE: SignedDuration = SignedDuration::from_hours(10 * 365 * 24);

/// Clocks may differ, so certificates are valid from somewhat before they are made.
pub(super) const BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// The authority as it signs.
pub(super) struct Kept(pub(super) Issuer<'static, KeyPair>);

impl Kept {
    /// Reads it, or makes it if there is none.
    pub(super) fn read_or_make(folder: &Path, now: Timestamp) -> anyhow::Result<Self> {
        if !folder.exists() {
            make(folder, now)?;
        }
        check_access(&folder.join(KEY))?;
        let read = read(folder, now);
        let again = || format!("remove {} to have another one made", folder.display());
        read.map_err(|error| anyhow!("{error:#}; {}", again()))
    }
}

fn read(folder: &Path, now: Timestamp) -> anyhow::Result<Kept> {
    let (root, key) = (folder.join(ROOT), folder.join(KEY));
    let content =
        |path: &Path| fs::read(path).with_context(|| format!("cannot read {}", path.display()));
    let (root_pem, key_pem) = (content(&root)?, content(&key)?);
    let signing = std::str::from_utf8(&key_pem).ok();
    let signing = signing.and_then(|text| KeyPair::from_pem(text).ok());
    let signing = signing.with_context(|| format!("{} has no key that signs", key.display()))?;
    let chain = pem::certificates(&root, &root_pem)?;
    for own in chain.iter().take(1) {
        validity::check_one(&root, &validity::parse(&root, own)?, now)?;
    }
    CertifiedKey::from_der(chain, pem::key(&key, &key_pem)?, &default_provider())
        .with_context(|| format!("{ROOT} and {KEY} do not go together"))?;
    Ok(Kept(Issuer::new(params(now)?, signing)))
}

/// Nobody else may read the key: who has it can be any host to those who trust the root.
fn check_access(key: &Path) -> anyhow::Result<()> {
    let about = fs::metadata(key).with_context(|| format!("cannot read {}", key.display()))?;
    let mode = about.permissions().mode() & 0o777;
    let others = mode & 0o077;
    anyhow::ensure!(
        others == 0,
        "{} can be read by others (mode {mode:o}); chmod 600 it, or remove its folder if they may \
         have read it",
        key.display()
    );
    Ok(())
}

/// Makes both in a folder beside, which then takes its place: whoever looks sees all or nothing, and
/// of two that make it at once the first has it.
fn make(folder: &Path, now: Timestamp) -> anyhow::Result<()> {
    let parent = folder.parent().context("it has no folder around it")?;
    let private = |recursive: bool, path: &Path| {
        let made = DirBuilder::new()
            .recursive(recursive)
            .mode(0o700)
            .create(path);
        made.with_context(|| format!("cannot make {}", path.display()))
    };
    private(true, parent)?;
    let beside = folder.with_extension(format!("new-{}", std::process::id()));
    // Of an earlier process with this number, that was killed.
    if beside.exists() {
        fs::remove_dir_all(&beside)?;
    }
    private(false, &beside)?;
    let key = KeyPair::generate()?;
    let root = params(now)?.self_signed(&key)?;
    write(&beside.join(KEY), 0o600, &key.serialize_pem())?;
    write(&beside.join(ROOT), 0o644, &root.pem())?;
    match fs::rename(&beside, folder) {
        Ok(()) => Ok(()),
        Err(_) if folder.exists() => Ok(fs::remove_dir_all(&beside)?),
        Err(error) => Err(error).with_context(|| format!("cannot make {}", folder.display())),
    }
}

fn write(path: &Path, mode: u32, content: &str) -> anyhow::Result<()> {
    let written = || -> io::Result<()> {
        let mut file = OpenOptions::new();
        let mut file = file.write(true).create_new(true).mode(mode).open(path)?;
        file.write_all(content.as_bytes())?;
        file.sync_all()
    };
    written().with_context(|| format!("cannot write {}", path.display()))
}

fn params(now: Timestamp) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, NAME);
    // It signs no further authorities.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    set_validity(&mut params, now, LIFE)?;
    Ok(params)
}

/// Has a certificate be valid from shortly before `now` for `life`.
pub(super) fn set_validity(
    params: &mut CertificateParams,
    now: Timestamp,
    life: SignedDuration,
) -> anyhow::Result<()> {
    let at = |time: Timestamp| -> anyhow::Result<_> {
        let since_1970 = std::time::Duration::from_secs(u64::try_from(time.as_second())?);
        Ok(rcgen::date_time_ymd(1970, 1, 1) + since_1970)
    };
    params.not_before = at(now.checked_sub(BEFORE)?)?;
    params.not_after = at(now.checked_add(life)?)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::wall_now;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn error(folder: &Path, now: Timestamp) -> String {
        let made = Kept::read_or_make(folder, now);
        format!("{:#}", made.err().unwrap())
    }

    #[test]
    fn it_is_made_once_and_nobody_else_can_read_its_key() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("deep/down/local-authority");
        Kept::read_or_make(&folder, wall_now()).unwrap();
        let files = [ROOT, KEY].map(|name| fs::read(folder.join(name)).unwrap());
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join(KEY)), 0o600);
        Kept::read_or_make(&folder, wall_now()).unwrap();
        assert_eq!(
            files,
            [ROOT, KEY].map(|name| fs::read(folder.join(name)).unwrap())
        );
        let beside = fs::read_dir(folder.parent().unwrap()).unwrap().count();
        assert_eq!(beside, 1, "nothing is left beside it");
        // Another that makes it at the same time finds that it is there.
        make(&folder, wall_now()).unwrap();
        assert_eq!(files[0], fs::read(folder.join(ROOT)).unwrap());
    }

    #[test]
    fn what_is_wrong_with_it_is_said_with_what_to_do() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("one");
        let now = wall_now();
        Kept::read_or_make(&folder, now).unwrap();
        let later = now + LIFE + BEFORE;
        assert!(error(&folder, later).contains("has expired"));
        let key = folder.join(KEY);
        fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(error(&folder, now).contains("chmod 600"));
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let other = state.path().join("other");
        Kept::read_or_make(&other, now).unwrap();
        fs::copy(other.join(ROOT), folder.join(ROOT)).unwrap();
        assert!(error(&folder, now).contains("do not go together"));
        fs::write(&key, "nonsense").unwrap();
        let said = error(&folder, now);
        assert!(
            said.contains("no key that signs; remove ") && !said.contains("nonsense"),
            "{said}"
        );
        fs::remove_file(&key).unwrap();
        assert!(error(&folder, now).contains("cannot read"));
        let file = state.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(error(&file.join("in"), now).contains("cannot make"));
    }
}
