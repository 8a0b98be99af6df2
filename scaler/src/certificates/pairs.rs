//! Certificates with their keys, of which each is in force until a better one is there.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use ebbtide_ingress::HostCertificates;
use jiff::{SignedDuration, Timestamp};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::sign::CertifiedKey;
use x509_cert::Certificate;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use super::folder::{Found, PairFiles};
use super::{pem, validity};

/// What a certificate is called that is for clients that name no host, or one without a
/// certificate.
const DEFAULT: [&str; 2] = ["default.crt", "default/tls.crt"];

/// All that a folder has, by the certificate's path in it.
#[derive(Default)]
pub(super) struct Pairs(BTreeMap<String, Pair>);

/// What became of a certificate and its key.
pub(super) struct Pair {
    seen: PairFiles,
    /// What clients are shown.
    pub(super) in_force: Option<Loaded>,
    /// Why that is not what the files have.
    pub(super) problem: Option<String>,
}

/// A certificate with its key, checked.
pub(super) struct Loaded {
    key: Arc<CertifiedKey>,
    /// The names it is for, in lowercase.
    pub(super) hosts: Vec<String>,
    not_before: Timestamp,
    /// Until when it is valid.
    pub(super) not_after: Timestamp,
}

/// A certificate that is valid no longer than this is worth a word.
const WARNED_BEFORE: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What has changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Another certificate is in force.
    Taken(String),
    /// What came does not replace what is in force, if anything is, and why.
    Refused(String, String),
    /// It is gone.
    Gone(String),
}

impl Pairs {
    /// Takes in what was found. What is wrong changes nothing that is in force.
    pub(super) fn take_in(&mut self, found: &Found, now: Timestamp) -> Vec<Change> {
        let mut changes = Vec::new();
        self.0.retain(|name, _| {
            let stays = found.contains_key(name);
            if !stays {
                changes.push(Change::Gone(name.clone()));
            }
            stays
        });
        for (name, files) in found {
            let before = self.0.get(name);
            // What was refused is looked at again: it may not have been valid yet.
            if before.is_some_and(|pair| pair.problem.is_none() && pair.seen == *files) {
                continue;
            }
            let (in_force, said) = match self.0.remove(name) {
                Some(pair) => (pair.in_force, pair.problem),
                None => (None, None),
            };
            let (in_force, problem) = match load(name, files, now, in_force.is_some()) {
                Ok(loaded) => {
                    changes.push(Change::Taken(name.clone()));
                    (Some(loaded), None)
                }
                Err(error) => {
                    let problem = format!("{error:#}");
                    if said.as_ref() != Some(&problem) {
                        changes.push(Change::Refused(name.clone(), problem.clone()));
                    }
                    (in_force, Some(problem))
                }
            };
            let seen = files.clone();
            self.0.insert(
                name.clone(),
                Pair {
                    seen,
                    in_force,
                    problem,
                },
            );
        }
        changes
    }

    /// Each by its name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&String, &Pair)> {
        self.0.iter()
    }

    /// Those in force, by host. Of two for one host, as while one is renewed under another name, the
    /// one that is valid for longer has it.
    pub(super) fn by_host(&self) -> HostCertificates {
        let in_force = self.0.iter();
        let in_force = in_force.filter_map(|(name, pair)| Some((name, pair.in_force.as_ref()?)));
        let mut in_force: Vec<_> = in_force.collect();
        in_force.sort_by_key(|(_, loaded)| Reverse(loaded.not_after));
        let mut hosts = HostCertificates::default();
        for (name, loaded) in in_force {
            for host in &loaded.hosts {
                hosts.add(host, &loaded.key);
            }
            if DEFAULT.contains(&name.as_str()) {
                hosts.set_default(Arc::clone(&loaded.key));
            }
        }
        hosts
    }
}

impl Loaded {
    /// What is to be said of how long it is valid.
    pub(super) fn warning(&self, now: Timestamp) -> Option<String> {
        let Self {
            not_before,
            not_after,
            ..
        } = self;
        if *not_after <= now {
            return Some(format!(
                "has expired: it was valid until {not_after}; renew it"
            ));
        }
        if *not_before > now {
            return Some(format!("is not valid yet: it will be from {not_before}"));
        }
        let soon = *not_after < now + WARNED_BEFORE;
        soon.then(|| format!("is valid until {not_after}; renew it"))
    }
}

/// Reads and checks a certificate and its key. One that is not valid now is better than none, since
/// clients say what is wrong with it, and worse than what `replaces` it.
fn load(name: &str, files: &PairFiles, now: Timestamp, replaces: bool) -> anyhow::Result<Loaded> {
    let (path, key_path) = (&files.certificate_path, &files.key_path);
    let missing = |path: &std::path::Path| anyhow!("there is no {} to read", path.display());
    let certificate = files.certificate.as_ref().ok_or_else(|| missing(path))?;
    let key = files.key.as_ref().ok_or_else(|| missing(key_path))?;
    let chain = pem::certificates(path, certificate)?;
    let key = pem::key(key_path, key)?;
    let own = chain.first().ok_or_else(|| missing(path))?;
    let own = validity::parse(path, own)?;
    let hosts =
        hosts(&own).with_context(|| format!("{} has names that are none", path.display()))?;
    anyhow::ensure!(
        !hosts.is_empty() || DEFAULT.contains(&name),
        "{} names no host (a DNS name in subjectAltName), so no client would accept it",
        path.display()
    );
    if replaces {
        validity::check_one(path, &own, now)?;
    }
    let (not_before, not_after) = validity::validity(&own)?;
    let key = CertifiedKey::from_der(chain, key, &default_provider()).with_context(|| {
        format!(
            "{} and {} do not go together",
            path.display(),
            key_path.display()
        )
    })?;
    Ok(Loaded {
        key: Arc::new(key),
        hosts,
        not_before,
        not_after,
    })
}

/// The DNS names of a certificate, in lowercase.
fn hosts(certificate: &Certificate) -> anyhow::Result<Vec<String>> {
    let names = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>()?;
    let names = names.map_or_else(Vec::new, |(_, SubjectAltName(names))| names);
    let dns = names.iter().filter_map(|name| match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_ascii_lowercase()),
        _ => None,
    });
    Ok(dns.collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::folder;
    use super::*;
    use crate::clock::wall_now;
    use crate::keda::tests::certificates::Authority;

    struct Bed {
        folder: tempfile::TempDir,
        authority: Authority,
        pairs: Pairs,
    }

    impl Bed {
        fn new() -> Self {
            Self {
                folder: tempfile::tempdir().unwrap(),
                authority: Authority::new(),
                pairs: Pairs::default(),
            }
        }

        fn write(&self, path: &str, content: &str) {
            fs::write(self.folder.path().join(path), content).unwrap();
        }

        fn issue(&self, name: &str, host: &str) {
            let (certificate, key) = self.authority.issue(host);
            self.write(&format!("{name}.crt"), &certificate);
            self.write(&format!("{name}.key"), &key);
        }

        fn look(&mut self, now: Timestamp) -> Vec<Change> {
            let found = folder::read(self.folder.path()).unwrap();
            self.pairs.take_in(&found, now)
        }

        fn hosts(&self) -> Vec<String> {
            let pairs = self.pairs.iter();
            let loaded = pairs.filter_map(|(_, pair)| pair.in_force.as_ref());
            loaded.flat_map(|loaded| loaded.hosts.clone()).collect()
        }
    }

    fn taken(name: &str) -> Change {
        Change::Taken(name.to_owned())
    }

    fn refused(changes: &[Change]) -> &str {
        match changes {
            [Change::Refused(_, problem)] => problem,
            others => panic!("{others:?}"),
        }
    }

    #[test]
    fn what_is_wrong_keeps_what_is_in_force_and_is_said_once() {
        let mut bed = Bed::new();
        let now = wall_now();
        bed.issue("web", "www.example.com");
        assert_eq!(bed.look(now), [taken("web.crt")]);
        assert_eq!(bed.look(now), []);
        bed.issue("web", "*.Example.com");
        assert_eq!(bed.look(now), [taken("web.crt")]);
        assert_eq!(bed.hosts(), ["*.example.com"]);
        let (certificate, key) = bed.authority.issue("other.example.com");
        let (nameless, nameless_key) = bed.authority.issue("127.0.0.1");
        for (certificate, key, expected) in [
            (
                certificate.as_str(),
                "nonsense",
                "web.key has no private key in PEM",
            ),
            (
                "nonsense",
                key.as_str(),
                "web.crt has no certificate in PEM",
            ),
            (&certificate, &nameless_key, "do not go together"),
            (&nameless, &nameless_key, "names no host"),
        ] {
            bed.write("web.crt", certificate);
            bed.write("web.key", key);
            let changes = bed.look(now);
            assert!(refused(&changes).contains(expected), "{changes:?}");
            assert_eq!(bed.look(now), [], "it is said once");
            assert_eq!(bed.hosts(), ["*.example.com"]);
        }
        bed.write("web.crt", &certificate);
        fs::remove_file(bed.folder.path().join("web.key")).unwrap();
        assert!(refused(&bed.look(now)).contains("there is no"));
        bed.write("web.key", &key);
        assert_eq!(bed.look(now), [taken("web.crt")]);
        fs::remove_file(bed.folder.path().join("web.key")).unwrap();
        fs::remove_file(bed.folder.path().join("web.crt")).unwrap();
        assert_eq!(bed.look(now), [Change::Gone("web.crt".to_owned())]);
        assert_eq!(bed.hosts(), [""; 0]);
    }

    #[test]
    fn one_that_is_not_valid_is_better_than_none_and_worse_than_another() {
        let mut bed = Bed::new();
        // The authority's certificates are valid from 1975 on for some millennia.
        let before = Timestamp::from_second(0).unwrap();
        bed.issue("web", "www.example.com");
        assert_eq!(bed.look(before), [taken("web.crt")]);
        let pair = bed.pairs.iter().next().unwrap().1;
        let loaded = pair.in_force.as_ref().unwrap();
        let warning = loaded.warning(before).unwrap();
        assert!(warning.contains("is not valid yet"), "{warning}");
        assert_eq!(loaded.warning(wall_now()), None);
        assert!(
            loaded
                .warning(loaded.not_after)
                .unwrap()
                .contains("has expired")
        );
        bed.issue("web", "other.example.com");
        assert!(refused(&bed.look(before)).contains("is not valid yet"));
        assert_eq!(bed.hosts(), ["www.example.com"]);
        assert_eq!(bed.look(wall_now()), [taken("web.crt")], "it is valid now");
    }
}
