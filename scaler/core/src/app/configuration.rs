//! What differs between two documents of an app outside the template.

use super::validate::TRAFFIC;
use super::{App, Change};
use crate::document::{Configuration, ContainerApp, Ingress};

impl App {
    /// The change that this document makes to what applies to the app as a whole, if any.
    pub(super) fn configuration_change(&self, document: &ContainerApp) -> Option<Change> {
        let old = &self.document;
        let mut what = Differences::default();
        what.note("location", &old.location, &document.location);
        what.note("tags", &old.tags, &document.tags);
        what.note_configuration(&old.configuration, &document.configuration);
        let mut paths: Vec<&String> = old
            .accepted
            .keys()
            .chain(document.accepted.keys())
            .collect();
        paths.sort();
        paths.dedup();
        for path in paths {
            what.note(path, &old.accepted.get(path), &document.accepted.get(path));
        }
        let what = what.paths;
        (!what.is_empty()).then_some(Change::ConfigurationChanged { what })
    }
}

/// The paths of properties that differ.
#[derive(Default)]
struct Differences {
    paths: Vec<String>,
}

impl Differences {
    fn note<T: PartialEq>(&mut self, path: &str, old: &T, new: &T) {
        if old != new {
            self.paths.push(path.to_owned());
        }
    }

    fn note_configuration(&mut self, old: &Configuration, new: &Configuration) {
        // Taken apart, so that the compiler points here when a property is added.
        let Configuration {
            active_revisions_mode,
            max_inactive_revisions,
            revision_transition_threshold,
            secrets,
            ingress,
        } = old;
        let path = |key| format!("properties.configuration.{key}");
        self.note(
            &path("activeRevisionsMode"),
            active_revisions_mode,
            &new.active_revisions_mode,
        );
        self.note(
            &path("maxInactiveRevisions"),
            max_inactive_revisions,
            &new.max_inactive_revisions,
        );
        self.note(
            &path("revisionTransitionThreshold"),
            revision_transition_threshold,
            &new.revision_transition_threshold,
        );
        self.note(&path("secrets"), secrets, &new.secrets);
        match (ingress, &new.ingress) {
            (Some(old), Some(new)) => self.note_ingress(old, new),
            (old, new) => self.note(&path("ingress"), old, new),
        }
    }

    fn note_ingress(&mut self, old: &Ingress, new: &Ingress) {
        let Ingress {
            external,
            target_port,
            allow_insecure,
            transport,
            exposed_port,
            traffic,
            custom_domains,
            ip_security_restrictions,
            cors_policy,
            client_certificate_mode,
            sticky_sessions,
            additional_port_mappings,
        } = old;
        let path = |key| format!("properties.configuration.ingress.{key}");
        self.note(&path("external"), external, &new.external);
        self.note(&path("targetPort"), target_port, &new.target_port);
        self.note(&path("allowInsecure"), allow_insecure, &new.allow_insecure);
        self.note(&path("transport"), transport, &new.transport);
        self.note(&path("exposedPort"), exposed_port, &new.exposed_port);
        self.note(TRAFFIC, traffic, &new.traffic);
        self.note(&path("customDomains"), custom_domains, &new.custom_domains);
        self.note(
            &path("ipSecurityRestrictions"),
            ip_security_restrictions,
            &new.ip_security_restrictions,
        );
        self.note(&path("corsPolicy"), cors_policy, &new.cors_policy);
        self.note(
            &path("stickySessions"),
            sticky_sessions,
            &new.sticky_sessions,
        );
        self.note(
            &path("clientCertificateMode"),
            client_certificate_mode,
            &new.client_certificate_mode,
        );
        self.note(
            &path("additionalPortMappings"),
            additional_port_mappings,
            &new.additional_port_mappings,
        );
    }
}
