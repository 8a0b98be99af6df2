//! `properties.configuration`.

use crate::document::model::{ActiveRevisionsMode, Configuration};
use crate::document::reader::{Field, Object, Reader};
use crate::document::shape::Shape::{Any, Boolean, Choice, Integer, List, Object as Mapping, Text};
use crate::document::shape::{Shape, check, may, must};
use crate::name::AppName;

use super::ingress;
use super::secrets::{self, SecretNames};

/// Dapr's settings; sizes are in KB and MB.
const DAPR: Shape = Mapping(&[
    may("enabled", Boolean),
    may("appId", Text),
    may("appProtocol", Choice(&["http", "grpc"])),
    may("appPort", Integer(1, 65_535)),
    may("httpReadBufferSize", Integer(1, u32::MAX)),
    may("httpMaxRequestSize", Integer(1, u32::MAX)),
    may("logLevel", Choice(&["info", "debug", "warn", "error"])),
    may("enableApiLogging", Boolean),
    may("appHealth", Any),
    may("maxConcurrency", Integer(0, u32::MAX)),
]);

const REGISTRIES: Shape = List(&Mapping(&[
    must("server", Text),
    may("username", Text),
    may("passwordSecretRef", Text),
    may("identity", Text),
]));

const IDENTITY_SETTINGS: Shape = List(&Mapping(&[
    must("identity", Text),
    may("lifecycle", Choice(&["All", "Init", "Main", "None"])),
]));

const SERVICE: Shape = Mapping(&[must("type", Text)]);

/// Reads the configuration and the names of its secrets.
pub(super) fn read(
    reader: &mut Reader<'_>,
    field: Option<Field<'_>>,
    app: Option<&AppName>,
) -> (Configuration, SecretNames) {
    let Some(mut object) = field.and_then(|field| reader.object(&field)) else {
        return (Configuration::default(), SecretNames::default());
    };
    let mode = object.get("activeRevisionsMode");
    let active_revisions_mode = mode
        .and_then(|field| revisions_mode(reader, &field))
        .unwrap_or_default();
    let (secrets, names) = match object.get("secrets") {
        Some(field) => secrets::read(reader, &field),
        None => (Vec::new(), SecretNames::default()),
    };
    let ingress = (object.get("ingress"))
        .and_then(|field| ingress::read(reader, &field, app, active_revisions_mode));
    let configuration = Configuration {
        active_revisions_mode,
        max_inactive_revisions: object.integer(reader, "maxInactiveRevisions", 0..=u32::MAX),
        revision_transition_threshold: object.integer(
            reader,
            "revisionTransitionThreshold",
            1..=100,
        ),
        secrets,
        ingress,
    };
    accepted(reader, &mut object, &names);
    object.finish(reader);
    (configuration, names)
}

fn revisions_mode(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<ActiveRevisionsMode> {
    let choices = [
        ("Single", Some(ActiveRevisionsMode::Single)),
        ("Multiple", Some(ActiveRevisionsMode::Multiple)),
        ("Labels", None),
    ];
    let mode = reader.choice(field, &choices)?;
    if mode.is_none() {
        reader.error(field, "Labels is not supported yet; use Single or Multiple");
    }
    mode
}

/// What is kept and checked, but not acted on.
fn accepted(reader: &mut Reader<'_>, object: &mut Object<'_>, secrets: &SecretNames) {
    let shapes = [
        ("dapr", &DAPR),
        ("registries", &REGISTRIES),
        ("identitySettings", &IDENTITY_SETTINGS),
        ("service", &SERVICE),
        ("runtime", &Any),
        ("targetLabel", &Text),
    ];
    for (key, shape) in shapes {
        if let Some(field) = object.get(key) {
            reader.accept(&field);
            check(reader, &field, shape);
        }
    }
    for registry in object.list(reader, "registries") {
        let path = format!("{}.passwordSecretRef", registry.path);
        if let Some(node) = registry.node.get("passwordSecretRef")
            && !node.is_null()
        {
            secrets.reference(reader, &Field { node, path });
        }
    }
}
