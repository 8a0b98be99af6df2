//! `Microsoft.App/containerApps/revisions`, as `az containerapp revision show` prints it.

use crate::document::model::DeclaredRevision;
use crate::document::reader::{Object, Reader};
use crate::name::{AppName, RevisionName};

use super::template;

/// What Azure adds to the resource.
const IGNORED: &[&str] = &["id", "systemData", "resourceGroup", "etag", "location"];
/// What Azure adds to `properties`.
const READ_ONLY: &[&str] = &[
    "createdTime",
    "fqdn",
    "healthState",
    "labels",
    "lastActiveTime",
    "provisioningError",
    "provisioningState",
    "replicas",
    "runningState",
    "runningStateDetails",
    "trafficWeight",
];

/// Reads a revision. None if its name or a required part is missing, which is reported.
pub(super) fn read(reader: &mut Reader<'_>, mut object: Object<'_>) -> Option<DeclaredRevision> {
    let name = name(reader, &mut object);
    object.ignore(IGNORED);
    let properties = object.require(reader, "properties", "the revision's template");
    object.finish(reader);

    let mut properties = reader.object(&properties?)?;
    let active = (properties.get("active")).and_then(|field| reader.boolean(&field));
    properties.ignore(READ_ONLY);
    let template = properties.require(reader, "template", "the containers to run");
    properties.finish(reader);

    let app = (name.as_ref()).and_then(|name| AppName::new(name.app()).ok());
    let scope = template::Scope {
        app: app.as_ref(),
        secrets: None,
        workload_profile: false,
    };
    let field = template?;
    let template = template::read(reader, &field, &scope)?;
    let name = name?;
    if let Some(suffix) = &template.revision_suffix
        && suffix != name.suffix()
    {
        let path = format!("{}.revisionSuffix", field.path);
        let message = format!(
            "is not the suffix of the revision's name, `{}`",
            name.suffix()
        );
        reader.error_at(field.node.at, &path, message);
    }
    Some(DeclaredRevision {
        name,
        active: active.unwrap_or(true),
        template,
        accepted: std::mem::take(&mut reader.accepted),
    })
}

/// `app--suffix`, or `app/app--suffix` as ARM names a child resource.
fn name(reader: &mut Reader<'_>, object: &mut Object<'_>) -> Option<RevisionName> {
    let field = object.require(reader, "name", "the revision's name, as in hello--v1")?;
    let text = reader.text(&field)?;
    let (app, full) = match text.split_once('/') {
        Some((app, full)) => (Some(app), full),
        None => (None, &*text),
    };
    match RevisionName::parse(full) {
        Ok(name) if app.is_none_or(|app| app == name.app()) => Some(name),
        Ok(name) => {
            let message = format!("`{}` is a revision of `{}`", name, name.app());
            reader.error(&field, format!("{message}; write `{}/{name}`", name.app()));
            None
        }
        Err(error) => {
            reader.error(&field, error.to_string());
            None
        }
    }
}
