//! From a tree to the model: what each part of a document says.

mod app;
mod configuration;
mod container;
mod http_route;
mod ingress;
mod probe;
mod revision;
mod rule;
mod scale;
mod secrets;
mod template;
mod traffic;
mod volume;

pub use container::IMAGE_ALONE;

use super::model::{Declaration, Scale};
use super::nearest::{is_slip, suggestion};
use super::node::Node;
use super::reader::{Field, Reader};

pub(crate) use rule::SCALERS;
pub(crate) use traffic::is_label;

/// `type` of an app.
pub(crate) const APP_TYPE: &str = "Microsoft.App/containerApps";
/// `type` of a revision that a document of its own declares.
pub(crate) const REVISION_TYPE: &str = "Microsoft.App/containerApps/revisions";
/// `type` of routes to apps.
pub(crate) const ROUTES_TYPE: &str = "Microsoft.App/managedEnvironments/httpRouteConfigs";

/// Reads a `template.scale` that belongs to no document, so that it has no secrets. None if it is
/// not a mapping.
pub(crate) fn scale(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Scale> {
    scale::read(reader, field, None)
}

/// Reads one document. Without a declaration, the reader has an error that says why; with one, it
/// may have errors too.
pub(crate) fn declaration(
    reader: &mut Reader<'_>,
    node: &Node,
    default_name: Option<&str>,
) -> Option<Declaration> {
    let path = String::new();
    let document = Field { node, path };
    let mut object = reader.object(&document)?;
    let kind = object.get("type");
    if kind.is_none() && http_route::is_bare(node) {
        let config = http_route::read_bare(reader, object, default_name);
        return config.map(Box::new).map(Declaration::Routes);
    }
    let kind_text = match &kind {
        Some(field) => reader.text(field)?,
        None => APP_TYPE.to_owned(),
    };
    let types = [APP_TYPE, REVISION_TYPE, ROUTES_TYPE];
    if let Some(field) = &kind
        && !types
            .iter()
            .any(|name| kind_text.eq_ignore_ascii_case(name))
    {
        let hint = suggestion(&kind_text, types);
        let wanted = format!("{APP_TYPE}, {REVISION_TYPE} or {ROUTES_TYPE}{hint}");
        reader.error_type(field, &wanted);
    }
    // A misspelt type must not hide the other errors.
    if is_slip(&kind_text, APP_TYPE) {
        let app = app::read(reader, object, default_name);
        return app.map(Box::new).map(Declaration::App);
    }
    if is_slip(&kind_text, REVISION_TYPE) {
        let revision = revision::read(reader, object);
        return revision.map(Box::new).map(Declaration::Revision);
    }
    if is_slip(&kind_text, ROUTES_TYPE) {
        let config = http_route::read(reader, object, default_name);
        return config.map(Box::new).map(Declaration::Routes);
    }
    None
}
