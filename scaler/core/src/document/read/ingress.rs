//! `configuration.ingress`.

mod access;
mod cors;
mod ports;

use std::collections::BTreeSet;

use crate::document::model::{ActiveRevisionsMode, ClientCertificateMode, Ingress, Transport};
use crate::document::reader::{Field, Object, Reader};
use crate::document::shape::Shape::Choice;
use crate::document::shape::check;
use crate::name::AppName;

use super::traffic;

const TRANSPORTS: [(&str, Transport); 4] = [
    ("auto", Transport::Auto),
    ("http", Transport::Http),
    ("http2", Transport::Http2),
    ("tcp", Transport::Tcp),
];

const CLIENT_CERTIFICATE_MODES: [(&str, ClientCertificateMode); 3] = [
    ("ignore", ClientCertificateMode::Ignore),
    ("accept", ClientCertificateMode::Accept),
    ("require", ClientCertificateMode::Require),
];

const AFFINITIES: [(&str, bool); 2] = [("none", false), ("sticky", true)];

/// Reads the ingress of `app`, which is none if its name is wrong.
pub(super) fn read(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    app: Option<&AppName>,
    mode: ActiveRevisionsMode,
) -> Option<Ingress> {
    let mut object = reader.object(field)?;
    let transport = object.get("transport");
    let transport = transport.map_or_else(Transport::default, |field| {
        reader.choice(&field, &TRANSPORTS).unwrap_or_default()
    });
    let traffic = object.get("traffic");
    let allow_insecure = object.boolean(reader, "allowInsecure");
    let client_certificates = object.get("clientCertificateMode").and_then(|field| {
        let mode = reader.choice(&field, &CLIENT_CERTIFICATE_MODES);
        if mode == Some(ClientCertificateMode::Require) && allow_insecure {
            let refused = "requests in the clear have no certificate, so they are refused";
            reader.warn(&field, refused);
        }
        mode
    });
    let mut ingress = Ingress {
        external: object.boolean(reader, "external"),
        target_port: object.port(reader, "targetPort"),
        allow_insecure,
        transport,
        exposed_port: ports::exposed_port(reader, &mut object, transport),
        traffic: traffic.map_or_else(Vec::new, |field| traffic::read(reader, &field, app, mode)),
        custom_domains: custom_domains(reader, &mut object),
        ip_security_restrictions: access::read(reader, &mut object),
        cors_policy: cors::read(reader, &mut object),
        client_certificate_mode: client_certificates.unwrap_or_default(),
        sticky_sessions: sticky_sessions(reader, &mut object, mode, transport),
        additional_port_mappings: Vec::new(),
    };
    let main = ingress.tcp_port();
    ingress.additional_port_mappings = ports::mappings(reader, &mut object, main);
    object.ignore(&["fqdn", "targetPortHttpScheme"]);
    object.finish(reader);
    Some(ingress)
}

/// Names of `customDomains`, lowercase.
pub(super) fn custom_domains(reader: &mut Reader<'_>, object: &mut Object<'_>) -> Vec<String> {
    let mut names = BTreeSet::new();
    let mut domains = Vec::new();
    for field in object.list(reader, "customDomains") {
        let Some(mut domain) = reader.object(&field) else {
            continue;
        };
        let name = domain.require(reader, "name", "the domain's name");
        if let Some(binding) = domain.get("bindingType") {
            reader.accept(&binding);
            check(
                reader,
                &binding,
                &Choice(&["Disabled", "SniEnabled", "Auto"]),
            );
        }
        domain.accept(reader, &["certificateId"]);
        domain.finish(reader);
        let name = name.and_then(|name| Some((reader.text(&name)?.to_ascii_lowercase(), name)));
        if let Some((text, name)) = name {
            if !names.insert(text.clone()) {
                reader.error(&name, format!("`{text}` is given twice"));
            }
            if text.strip_prefix("*.").unwrap_or(&text).contains('*') {
                let message = "a `*` stands for the first labels alone, as in *.example.com";
                reader.error(&name, message);
            }
            domains.push(text);
        }
    }
    domains
}

fn sticky_sessions(
    reader: &mut Reader<'_>,
    object: &mut Object<'_>,
    mode: ActiveRevisionsMode,
    transport: Transport,
) -> bool {
    let Some(field) = object.get("stickySessions") else {
        return false;
    };
    let Some(mut sticky) = reader.object(&field) else {
        return false;
    };
    let affinity = sticky.get("affinity");
    let affinity = affinity.and_then(|affinity| reader.choice(&affinity, &AFFINITIES));
    sticky.finish(reader);
    let is_sticky = affinity.unwrap_or_default();
    if is_sticky && transport == Transport::Tcp {
        reader.warn(
            &field,
            "a connection of TCP has no session; this does nothing",
        );
    } else if is_sticky && mode != ActiveRevisionsMode::Single {
        reader.warn(&field, "Azure takes sticky sessions in Single mode only");
    }
    is_sticky
}
