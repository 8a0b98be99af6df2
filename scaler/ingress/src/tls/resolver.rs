//! Which certificate a client is shown.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::Certificates;
use crate::publish::Published;
use crate::table::snapshot::DOMAIN;

/// Makes certificates for hosts that none was given for. It is asked in the handshake, by the
/// worker's own thread, so it keeps what it has made.
pub trait Issuer: Send + Sync {
    /// A certificate for `host`, a name in lowercase; none if it cannot make one.
    fn issue(&self, host: &str) -> Option<Arc<CertifiedKey>>;
}

/// Chooses: one that was given for the host, else one that is made for it, else the default.
pub(crate) struct Resolver {
    pub(crate) certificates: Arc<Certificates>,
    pub(crate) issuer: Option<Arc<dyn Issuer>>,
    pub(crate) published: Arc<Published>,
}

impl Resolver {
    fn choose(&self, host: Option<&str>) -> Option<Arc<CertifiedKey>> {
        let Some(host) = host else {
            let default = self.certificates.default_one();
            return default.or_else(|| self.issuer.as_ref()?.issue(DOMAIN));
        };
        self.certificates
            .find(host)
            .or_else(|| self.made(host))
            .or_else(|| self.certificates.default_one())
    }

    /// Nobody may have certificates made for hosts that lead nowhere here.
    fn made(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        let issuer = self.issuer.as_ref()?;
        let rest = host.strip_suffix(DOMAIN);
        let is_local = rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        let is_ours = is_local || self.published.snapshot().has_host(host);
        is_ours.then(|| issuer.issue(host))?
    }
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            Some(host) if host.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                self.choose(Some(&host.to_ascii_lowercase()))
            }
            host => self.choose(host),
        }
    }
}

impl fmt::Debug for Resolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Resolver");
        shown
            .field("certificates", &self.certificates)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use ebbtide_core::name::AppName;
    use rcgen::generate_simple_self_signed;
    use tokio_rustls::rustls::crypto::ring::default_provider;
    use tokio_rustls::rustls::pki_types::PrivateKeyDer;

    use super::*;
    use crate::publish::Publisher;
    use crate::tls::HostCertificates;
    use crate::{AppRoute, RoutingTable, Split};

    fn certificate() -> Arc<CertifiedKey> {
        let made = generate_simple_self_signed(["any".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let chain = vec![made.cert.der().clone()];
        Arc::new(CertifiedKey::from_der(chain, key, &default_provider()).unwrap())
    }

    /// Gives out one certificate, and remembers for which hosts.
    struct Asked(Arc<CertifiedKey>, Mutex<Vec<String>>);

    impl Issuer for Asked {
        fn issue(&self, host: &str) -> Option<Arc<CertifiedKey>> {
            self.1.lock().unwrap().push(host.to_owned());
            Some(Arc::clone(&self.0))
        }
    }

    fn resolver(issuer: Option<Arc<Asked>>) -> Resolver {
        let published = Arc::new(Published::new(1));
        Publisher::new(Arc::clone(&published)).publish(RoutingTable {
            apps: vec![Arc::new(AppRoute {
                app: AppName::new("hello").unwrap(),
                hosts: vec!["www.ours.test".to_owned()],
                policy: Arc::default(),
                split: Arc::new(Split::new(Vec::new())),
                labels: BTreeMap::new(),
                backends: Vec::new(),
            })],
            ..RoutingTable::default()
        });
        Resolver {
            certificates: Certificates::new(),
            issuer: issuer.map(|issuer| issuer as _),
            published,
        }
    }

    fn is(found: Option<&Arc<CertifiedKey>>, expected: Option<&Arc<CertifiedKey>>) -> bool {
        found.map(Arc::as_ptr) == expected.map(Arc::as_ptr)
    }

    #[test]
    fn a_hosts_own_comes_before_a_wildcard_and_the_default_last() {
        let (own, wildcard, default) = (certificate(), certificate(), certificate());
        let resolver = resolver(None);
        assert!(resolver.choose(Some("www.example.com")).is_none());
        let given = |with_default: bool| {
            let mut hosts = HostCertificates::default();
            assert!(hosts.add("WWW.example.com", &own));
            assert!(hosts.add("*.example.com", &wildcard));
            assert!(!hosts.add("*.example.com", &own), "the first has it");
            if with_default {
                hosts.set_default(Arc::clone(&default));
            }
            hosts
        };
        for with_default in [false, true] {
            resolver.certificates.replace(given(with_default));
            for (host, expected) in [
                (Some("www.example.com"), Some(&own)),
                (Some("api.example.com"), Some(&wildcard)),
                (Some("a.api.example.com"), None),
                (Some("example.com"), None),
                (Some("com"), None),
                (None, None),
            ] {
                let otherwise = with_default.then_some(&default);
                let found = resolver.choose(host);
                assert!(is(found.as_ref(), expected.or(otherwise)), "{host:?}");
                let covered = host.is_some_and(|host| resolver.certificates.cover(host));
                assert_eq!(covered, expected.is_some(), "a default is for no host");
            }
        }
    }

    #[test]
    fn certificates_are_made_for_hosts_that_are_ours_and_have_none() {
        let (made, own) = (certificate(), certificate());
        let asked = Arc::new(Asked(Arc::clone(&made), Mutex::default()));
        let resolver = resolver(Some(Arc::clone(&asked)));
        let mut hosts = HostCertificates::default();
        hosts.add("given.localhost", &own);
        resolver.certificates.replace(hosts);
        for (host, expected) in [
            (Some("hello.localhost"), Some(&made)),
            (Some("unknown.localhost"), Some(&made)),
            (Some("localhost"), Some(&made)),
            (Some("www.ours.test"), Some(&made)),
            (Some("hello"), Some(&made)),
            (None, Some(&made)),
            (Some("given.localhost"), Some(&own)),
            (Some("notlocalhost"), None),
            (Some("www.example.com"), None),
        ] {
            assert!(is(resolver.choose(host).as_ref(), expected), "{host:?}");
        }
        let asked = asked.1.lock().unwrap();
        assert_eq!(asked.len(), 6, "{asked:?}");
        assert_eq!(asked[5], "localhost");
    }
}
