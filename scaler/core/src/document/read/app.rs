//! `Microsoft.App/containerApps`.

use std::collections::BTreeMap;

use crate::document::model::{ContainerApp, Ingress, ScaleRule, Template};
use crate::document::reader::{Field, Object, Reader};
use crate::document::tags;
use crate::name::AppName;

use super::{configuration, template};

/// Properties of the resource that are kept.
const ACCEPTED: &[&str] = &["identity", "kind", "managedBy", "extendedLocation"];
/// What Azure adds when it shows the resource, and what ARM templates have around it.
const IGNORED: &[&str] = &[
    "id",
    "systemData",
    "resourceGroup",
    "etag",
    "apiVersion",
    "dependsOn",
    "condition",
    "comments",
    "metadata",
    "scope",
];
/// What Azure adds to `properties`.
const READ_ONLY: &[&str] = &[
    "provisioningState",
    "runningStatus",
    "latestRevisionName",
    "latestReadyRevisionName",
    "latestRevisionFqdn",
    "outboundIpAddresses",
    "eventStreamEndpoint",
    "customDomainVerificationId",
    "deploymentErrors",
    "delegatedIdentities",
];

/// Reads an app. None if its name or a required part is missing, which is reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    mut object: Object<'_>,
    default_name: Option<&str>,
) -> Option<ContainerApp> {
    let name = name(reader, &mut object, default_name);
    let location = object.text(reader, "location");
    let tags = (object.get("tags")).map_or_else(BTreeMap::new, |field| tags::read(reader, &field));
    object.accept(reader, ACCEPTED);
    object.ignore(IGNORED);
    let properties = object.require(reader, "properties", "the app's configuration and template");
    object.finish(reader);

    let mut properties = reader.object(&properties?)?;
    environment(reader, &mut properties);
    properties.accept(reader, &["workloadProfileName", "patchingMode"]);
    properties.ignore(READ_ONLY);
    let configuration = properties.get("configuration");
    let template = properties.require(reader, "template", "the containers to run");
    let workload_profile = properties.get("workloadProfileName").is_some();
    properties.finish(reader);

    let (configuration, secrets) = configuration::read(reader, configuration, name.as_ref());
    let scope = template::Scope {
        app: name.as_ref(),
        secrets: Some(&secrets),
        workload_profile,
    };
    let field = template?;
    let template = template::read(reader, &field, &scope)?;
    warn_if_stuck_at_zero(reader, &field, configuration.ingress.as_ref(), &template);
    Some(ContainerApp {
        name: name?,
        location,
        tags,
        configuration,
        template,
        accepted: std::mem::take(&mut reader.accepted),
    })
}

fn name(
    reader: &mut Reader<'_>,
    object: &mut Object<'_>,
    default_name: Option<&str>,
) -> Option<AppName> {
    let Some(field) = object.get("name") else {
        let message = match default_name.map(AppName::new) {
            Some(Ok(name)) => return Some(name),
            Some(Err(error)) => format!("is missing, and {error}"),
            None => "is missing; give the app's name".to_owned(),
        };
        reader.error_at(object.position(), "name", message);
        return None;
    };
    let text = reader.text(&field)?;
    match AppName::new(&text) {
        Ok(name) => Some(name),
        Err(error) => {
            reader.error(&field, error.to_string());
            None
        }
    }
}

/// `environmentId`, under its older name too.
fn environment(reader: &mut Reader<'_>, properties: &mut Object<'_>) {
    let older = properties.get("managedEnvironmentId");
    let field = properties.get("environmentId").or(older.map(|older| Field {
        path: older.path.replace("managedEnvironmentId", "environmentId"),
        ..older
    }));
    if let Some(field) = field {
        reader.accept(&field);
    }
}

/// An app without ingress that may go to zero and has nothing that could wake it.
fn warn_if_stuck_at_zero(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    ingress: Option<&Ingress>,
    template: &Template,
) {
    let wakes = |rule: &ScaleRule| !matches!(&*rule.scaler, "http" | "tcp" | "cpu" | "memory");
    let scale = &template.scale;
    if ingress.is_none() && scale.min_replicas == 0 && !scale.rules.iter().any(wakes) {
        let path = format!("{}.scale.minReplicas", field.path);
        let message = "stuck at zero: without ingress, and without a rule that reads something \
                       outside the app, nothing starts a replica; set minReplicas to 1, or add \
                       ingress or such a rule";
        reader.warn_at(field.node.at, &path, message);
    }
}
