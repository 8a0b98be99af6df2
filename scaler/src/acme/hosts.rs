//! Which hosts are to have a certificate from the directory.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::reports::is_ordered;
use crate::certificates::CertificateStatus;

/// The most hosts that certificates are ordered for.
const MOST_HOSTS: usize = 1000;

/// Hosts of which was said that no certificate is ordered for them.
#[derive(Default)]
pub(super) struct PassedOver(BTreeSet<String>);

impl PassedOver {
    /// Those of the `domains` that none of the certificates that were `given` is for, and that can have one.
    /// Says once of each other why it gets none.
    pub(super) fn wanted(
        &mut self,
        domains: Vec<String>,
        given: &[CertificateStatus],
        now: Timestamp,
    ) -> BTreeSet<String> {
        let mut wanted = BTreeSet::new();
        self.0.retain(|host| domains.contains(host));
        for host in domains {
            if is_local(&host) || given.iter().any(|status| covers(status, &host, now)) {
                continue;
            }
            let why_not = if !can_be_ordered(&host) {
                "a directory proves names of the public DNS by http-01, and none with a wildcard; give \
                 one with --certificates"
            } else if wanted.len() >= MOST_HOSTS {
                "there are more hosts than certificates are ordered for; give one with --certificates"
            } else {
                wanted.insert(host);
                continue;
            };
            if self.0.insert(host.clone()) {
                tracing::warn!("no certificate is ordered for {host}: {why_not}");
            }
        }
        wanted
    }
}

/// Whether a certificate that was given is for `host`.
fn covers(status: &CertificateStatus, host: &str, now: Timestamp) -> bool {
    let is_valid = status.not_after.is_some_and(|until| until > now);
    let is_for = |name: &String| {
        name == host
            || name
                .strip_prefix("*.")
                .is_some_and(|rest| host.split_once('.').is_some_and(|(_, of)| of == rest))
    };
    is_valid && !is_ordered(&status.name) && status.hosts.iter().any(is_for)
}

/// Whether a name is of this machine.
fn is_local(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether a name is one that a directory can prove by `http-01`.
fn can_be_ordered(host: &str) -> bool {
    let labels = host.split('.');
    let is_label = |label: &str| {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(plain)
    };
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    labels.clone().count() > 1 && labels.clone().all(is_label) && !is_address
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::clock::wall_now;

    #[test]
    fn hosts_that_can_have_one_and_have_none_are_wanted() {
        let now = wall_now();
        let mut passed_over = PassedOver::default();
        let domains = ["*.example.com", "a.example.com", "web.localhost"].map(str::to_owned);
        let wanted = passed_over.wanted(domains.to_vec(), &[], now);
        assert_eq!(wanted.into_iter().collect::<Vec<_>>(), ["a.example.com"]);
        let many = (0..=MOST_HOSTS).map(|number| format!("{number:04}.example.com"));
        let wanted = passed_over.wanted(many.collect(), &[], now);
        assert_eq!(wanted.len(), MOST_HOSTS);
        assert_eq!(passed_over.0.len(), 1, "those before are forgotten");
    }

    #[test]
    fn only_names_that_can_be_proved_are_ordered() {
        for (host, expected) in [
            ("www.example.com", true),
            ("xn--bcher-kva.example", true),
            ("*.example.com", false),
            ("example", false),
            ("192.0.2.1", false),
            ("../x.example", false),
            (".example.com", false),
            ("a..example", false),
        ] {
            assert_eq!(can_be_ordered(host), expected, "{host}");
        }
        assert!(is_local("web.localhost") && is_local("localhost") && !is_local("a.notlocalhost"));
    }

    #[test]
    fn a_host_with_a_certificate_of_its_own_that_is_valid_needs_none() {
        let now = wall_now();
        let status = |name: &str, host: &str, hours: i64| CertificateStatus {
            name: name.to_owned(),
            hosts: vec![host.to_owned()],
            not_after: Some(now + SignedDuration::from_hours(hours)),
            ..CertificateStatus::default()
        };
        for (name, of, hours, expected) in [
            ("www.crt", "www.example.com", 1, true),
            ("www/tls.crt", "*.example.com", 1, true),
            ("acme/tls.crt", "*.example.com", 1, true),
            ("www.crt", "*.com", 1, false),
            ("www.crt", "example.com", 1, false),
            ("www.crt", "www.example.com", -1, false),
            ("acme/www.example.com/tls.crt", "www.example.com", 1, false),
        ] {
            let covered = covers(&status(name, of, hours), "www.example.com", now);
            assert_eq!(covered, expected, "{name} {of}");
        }
        let gone = CertificateStatus {
            not_after: None,
            ..status("www.crt", "www.example.com", 1)
        };
        assert!(!covers(&gone, "www.example.com", now));
    }
}
