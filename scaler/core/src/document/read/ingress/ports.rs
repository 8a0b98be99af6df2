//! `ingress.exposedPort` and `ingress.additionalPortMappings`.

use crate::document::model::{PortMapping, Transport};
use crate::document::reader::{Field, Object, Reader};

/// The most entries of `additionalPortMappings`.
const MOST: usize = 5;

/// The port of an app that speaks TCP.
pub(super) fn exposed_port(
    reader: &mut Reader<'_>,
    object: &mut Object<'_>,
    transport: Transport,
) -> Option<u16> {
    let field = object.get("exposedPort")?;
    // Azure shows 0 for apps that have none.
    if field.node.text() == Some("0") {
        return None;
    }
    let port = reader.port(&field)?;
    if transport == Transport::Tcp {
        check_is_not_http(reader, &field, port);
    } else {
        reader.error(
            &field,
            "is for `transport: tcp` only; remove it, or set that",
        );
    }
    Some(port)
}

/// Reads the mappings of an app whose own port is `main`, if it has one. One that is wrong is reported and
/// left out.
pub(super) fn mappings(
    reader: &mut Reader<'_>,
    ingress: &mut Object<'_>,
    main: Option<u16>,
) -> Vec<PortMapping> {
    let Some(list) = ingress.get("additionalPortMappings") else {
        return Vec::new();
    };
    let fields = reader.list(&list);
    let count = fields.len();
    if count > MOST {
        reader.error(
            &list,
            format!("has {count} entries; at most {MOST} are allowed"),
        );
    }
    let mut mappings: Vec<PortMapping> = Vec::new();
    for field in &fields {
        let Some(mapping) = mapping(reader, field) else {
            continue;
        };
        let port = mapping.port();
        if mappings
            .iter()
            .any(|one| one.target_port == mapping.target_port)
        {
            reader.error(field, "a second mapping has this targetPort");
        } else if main == Some(port) || mappings.iter().any(|one| one.port() == port) {
            let message = format!("the app has port {port} already; give another exposedPort");
            reader.error(field, message);
        } else {
            mappings.push(mapping);
        }
    }
    mappings
}

fn mapping(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<PortMapping> {
    let mut object = reader.object(field)?;
    let external = object.require(reader, "external", "true or false");
    let target = object.require(reader, "targetPort", "the port on which the app listens");
    let exposed = object.get("exposedPort");
    object.finish(reader);
    let external = external.and_then(|field| reader.boolean(&field));
    let target_port = target
        .as_ref()
        .and_then(|field| Some((reader.port(field)?, field)));
    let exposed_port = exposed.as_ref().map(|field| (reader.port(field), field));
    let (port, place) = match (exposed_port, target_port) {
        (Some((port, field)), _) => (port?, field),
        (None, target) => target?,
    };
    check_is_not_http(reader, place, port);
    Some(PortMapping {
        external: external?,
        target_port: target_port?.0,
        exposed_port: exposed_port.and_then(|(port, _)| port),
    })
}

fn check_is_not_http(reader: &mut Reader<'_>, field: &Field<'_>, port: u16) {
    if matches!(port, 80 | 443) {
        let message =
            format!("{port} is taken by HTTP; use any port but 80 and 443 as exposedPort");
        reader.error(field, message);
    }
}
