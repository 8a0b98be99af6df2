//! Certificates for hosts, made when they are asked for.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::sign::CertifiedKey;

use super::kept::{Kept, set_validity};
use crate::clock::wall_now;

/// Certificates that are kept; the oldest is forgotten for one more.
const MOST: usize = 1024;

/// How long a certificate is valid.
const LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// One that is valid for less than this is made anew.
const RENEWED_BEFORE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The name under which a machine finds itself; its certificate is for the addresses too.
const LOCALHOST: &str = "localhost";

/// Makes certificates, all with one key, which is nowhere but here.
pub struct Leaves {
    authority: Kept,
    key: KeyPair,
    made: Mutex<Made>,
}

#[derive(Default)]
struct Made {
    certificates: HashMap<Arc<str>, (Arc<CertifiedKey>, Timestamp)>,
    /// From the oldest to the newest.
    order: VecDeque<Arc<str>>,
}

impl Leaves {
    pub(super) fn by(authority: Kept) -> anyhow::Result<Self> {
        Ok(Self {
            authority,
            key: KeyPair::generate()?,
            made: Mutex::default(),
        })
    }

    /// The certificate for `host` at this time.
    fn at(&self, host: &str, now: Timestamp) -> anyhow::Result<Arc<CertifiedKey>> {
        // Handshakes wait for each other for as long as it takes to look, or to sign once.
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((certificate, until)) = made.certificates.get(host)
            && *until > now + RENEWED_BEFORE
        {
            return Ok(Arc::clone(certificate));
        }
        let certificate = Arc::new(self.make(host, now)?);
        made.keep(host, Arc::clone(&certificate), now + LIFE);
        Ok(certificate)
    }

    fn make(&self, host: &str, now: Timestamp) -> anyhow::Result<CertifiedKey> {
        let mut params = CertificateParams::new(vec![host.to_owned()])?;
        if host == LOCALHOST {
            let own = [
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ];
            params.subject_alt_names.extend(own.map(SanType::IpAddress));
        }
        params.distinguished_name = DistinguishedName::new();
        params
            .distinguished_name
            .push(DnType::CommonName, "Ebbtide");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        set_validity(&mut params, now, LIFE)?;
        let certificate = params.signed_by(&self.key, &self.authority.0)?;
        let key = PrivateKeyDer::try_from(self.key.serialize_der()).map_err(anyhow::Error::msg)?;
        let chain = vec![certificate.der().clone()];
        Ok(CertifiedKey::from_der(chain, key, &default_provider())?)
    }
}

impl Made {
    fn keep(&mut self, host: &str, certificate: Arc<CertifiedKey>, until: Timestamp) {
        let host: Arc<str> = host.into();
        let entry = (certificate, until);
        if self.certificates.insert(Arc::clone(&host), entry).is_some() {
            return;
        }
        self.order.push_back(host);
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.certificates.remove(&oldest);
        }
    }
}

impl ebbtide_ingress::Issuer for Leaves {
    fn issue(&self, host: &str) -> Option<Arc<CertifiedKey>> {
        match self.at(host, wall_now()) {
            Ok(certificate) => Some(certificate),
            Err(error) => {
                tracing::debug!(host, "no certificate can be made: {error:#}");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::LocalAuthority;
    use super::*;

    fn leaves() -> (tempfile::TempDir, Leaves) {
        let state = tempfile::tempdir().unwrap();
        let authority = LocalAuthority::open(&state.path().join("a"), wall_now()).unwrap();
        assert!(authority.root().is_file());
        (state, authority.leaves().unwrap())
    }

    #[test]
    fn one_is_made_for_each_host_and_again_before_it_expires() {
        let (_state, leaves) = leaves();
        let now = wall_now();
        let first = leaves.at("hello.localhost", now).unwrap();
        let before = now + LIFE - RENEWED_BEFORE - SignedDuration::from_secs(1);
        let again = leaves.at("hello.localhost", before).unwrap();
        assert!(Arc::ptr_eq(&first, &again));
        assert!(!Arc::ptr_eq(
            &first,
            &leaves.at("other.localhost", now).unwrap()
        ));
        let due = now + LIFE - RENEWED_BEFORE;
        let renewed = leaves.at("hello.localhost", due).unwrap();
        assert!(!Arc::ptr_eq(&first, &renewed));
        assert!(leaves.at("no\u{e4}scii", now).is_err());
    }

    #[test]
    fn the_oldest_is_forgotten_for_one_too_many() {
        let (_state, leaves) = leaves();
        let now = wall_now();
        let certificate = leaves.at("0", now).unwrap();
        let mut made = leaves.made.lock().unwrap();
        for host in 1..=MOST {
            made.keep(&host.to_string(), Arc::clone(&certificate), now + LIFE);
        }
        assert_eq!((made.certificates.len(), made.order.len()), (MOST, MOST));
        assert!(!made.certificates.contains_key("0") && made.certificates.contains_key("1"));
    }
}
