//! `properties.configuration`.

use serde_json::Value;

use super::{Mapping, SecretDisplay};
use crate::document::model::{
    ActiveRevisionsMode, ClientCertificateMode, Configuration, CorsPolicy, Ingress, IpAction,
    IpSecurityRestriction, PortMapping, Secret, SecretValue, TrafficTarget, TrafficWeight,
    Transport,
};

pub(super) fn value(configuration: &Configuration, secrets: SecretDisplay) -> Value {
    let mode = match configuration.active_revisions_mode {
        ActiveRevisionsMode::Single => "Single",
        ActiveRevisionsMode::Multiple => "Multiple",
    };
    Mapping::default()
        .with("activeRevisionsMode", mode)
        .maybe("maxInactiveRevisions", configuration.max_inactive_revisions)
        .maybe(
            "revisionTransitionThreshold",
            configuration.revision_transition_threshold,
        )
        .list("secrets", &configuration.secrets, |secret| {
            secret_value(secret, secrets)
        })
        .maybe("ingress", configuration.ingress.as_ref().map(ingress))
        .into()
}

fn secret_value(secret: &Secret, display: SecretDisplay) -> Value {
    let shown = match display {
        SecretDisplay::Hidden => None,
        SecretDisplay::Shown => secret.value.as_ref().map(SecretValue::expose),
    };
    Mapping::default()
        .with("name", secret.name.as_str())
        .maybe("value", shown)
        .into()
}

fn ingress(ingress: &Ingress) -> Value {
    let transport = match ingress.transport {
        Transport::Auto => "auto",
        Transport::Http => "http",
        Transport::Http2 => "http2",
        Transport::Tcp => "tcp",
    };
    let sticky = ingress
        .sticky_sessions
        .then(|| Value::from(Mapping::default().with("affinity", "sticky")));
    let client_certificates = match ingress.client_certificate_mode {
        ClientCertificateMode::Ignore => None,
        ClientCertificateMode::Accept => Some("accept"),
        ClientCertificateMode::Require => Some("require"),
    };
    Mapping::default()
        .with("external", ingress.external)
        .maybe("targetPort", ingress.target_port)
        .with("allowInsecure", ingress.allow_insecure)
        .with("transport", transport)
        .maybe("exposedPort", ingress.exposed_port)
        .list("traffic", &ingress.traffic, traffic)
        .list("customDomains", &ingress.custom_domains, |name| {
            Mapping::default().with("name", name.as_str()).into()
        })
        .list(
            "ipSecurityRestrictions",
            &ingress.ip_security_restrictions,
            ip_security_restriction,
        )
        .maybe("corsPolicy", ingress.cors_policy.as_ref().map(cors_policy))
        .maybe("clientCertificateMode", client_certificates)
        .maybe("stickySessions", sticky)
        .list(
            "additionalPortMappings",
            &ingress.additional_port_mappings,
            port_mapping,
        )
        .into()
}

fn cors_policy(cors: &CorsPolicy) -> Value {
    let text = |text: &String| Value::from(text.as_str());
    Mapping::default()
        .with("allowedOrigins", cors.allowed_origins.clone())
        .list("allowedMethods", &cors.allowed_methods, text)
        .list("allowedHeaders", &cors.allowed_headers, text)
        .list("exposeHeaders", &cors.expose_headers, text)
        .maybe("maxAge", cors.max_age)
        .with("allowCredentials", cors.allow_credentials)
        .into()
}

fn ip_security_restriction(restriction: &IpSecurityRestriction) -> Value {
    let action = match restriction.action {
        IpAction::Allow => "Allow",
        IpAction::Deny => "Deny",
    };
    Mapping::default()
        .with("name", restriction.name.as_str())
        .maybe("description", restriction.description.clone())
        .with("ipAddressRange", restriction.range.to_string())
        .with("action", action)
        .into()
}

fn port_mapping(mapping: &PortMapping) -> Value {
    Mapping::default()
        .with("external", mapping.external)
        .with("targetPort", mapping.target_port)
        .maybe("exposedPort", mapping.exposed_port)
        .into()
}

fn traffic(entry: &TrafficWeight) -> Value {
    let mapping = Mapping::default().with("weight", entry.weight);
    let mapping = match &entry.target {
        TrafficTarget::LatestRevision => mapping.with("latestRevision", true),
        TrafficTarget::Revision(name) => mapping.with("revisionName", name.as_str()),
    };
    mapping.maybe("label", entry.label.clone()).into()
}
