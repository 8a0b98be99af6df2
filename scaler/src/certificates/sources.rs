//! The folders that certificates are in.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;

use super::folder::{self, Found};
use super::follow::CertificateStatus;
use crate::acme::{NAME_PREFIX, OrderReport, is_ordered};

/// Where certificates are.
#[derive(Clone, Debug, Default)]
pub struct CertificateSources {
    /// The folder of those that were given.
    pub given: Option<PathBuf>,
    /// The folder of those that are ordered, `HOST/tls.crt`.
    pub ordered: Option<PathBuf>,
}

impl CertificateSources {
    /// Reads them. The names of those that are ordered have a prefix.
    ///
    /// # Errors
    /// A folder that cannot be read, with its option.
    pub(super) fn read(&self) -> anyhow::Result<Found> {
        let mut found = Found::new();
        if let Some(path) = &self.given {
            let read = folder::read(path);
            found = read.with_context(|| format!("--certificates {}", path.display()))?;
        }
        if let Some(path) = &self.ordered {
            let read = folder::read(path);
            let ordered = read.with_context(|| format!("--acme-dir {}", path.display()))?;
            let named = ordered.into_iter();
            found.extend(named.map(|(name, pair)| (format!("{NAME_PREFIX}{name}"), pair)));
        }
        Ok(found)
    }
}

/// Adds to what is told of certificates how their orders went; a host that has none yet is told of too.
pub(super) fn add_orders(
    statuses: &mut Vec<CertificateStatus>,
    orders: &BTreeMap<String, OrderReport>,
) {
    for status in statuses.iter_mut().filter(|one| is_ordered(&one.name)) {
        status.order_failures = Some(0);
    }
    for (host, report) in orders {
        let name = format!("{NAME_PREFIX}{host}/tls.crt");
        let present = statuses.iter().position(|status| status.name == name);
        let place = present.unwrap_or_else(|| {
            statuses.push(CertificateStatus {
                name,
                hosts: vec![host.clone()],
                ..CertificateStatus::default()
            });
            statuses.len() - 1
        });
        let status = &mut statuses[place];
        status.order_failures = Some(report.failures);
        status.problem = report.problem.clone().or(status.problem.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_whose_order_failed_is_told_of_with_or_without_a_certificate() {
        let status = |name: &str| CertificateStatus {
            name: name.to_owned(),
            ..CertificateStatus::default()
        };
        let mut statuses = vec![status("www.crt"), status("acme/a.example/tls.crt")];
        let failed = OrderReport {
            failures: 2,
            problem: Some("no".to_owned()),
        };
        let orders = [
            ("a.example".to_owned(), OrderReport::default()),
            ("b.example".to_owned(), failed),
        ];
        add_orders(&mut statuses, &BTreeMap::from(orders));
        let told: Vec<_> = statuses
            .iter()
            .map(|one| {
                (
                    one.name.as_str(),
                    one.order_failures,
                    one.problem.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("www.crt", None, None),
                ("acme/a.example/tls.crt", Some(0), None),
                ("acme/b.example/tls.crt", Some(2), Some("no")),
            ]
        );
        assert_eq!(statuses[2].hosts, ["b.example"]);
    }
}
