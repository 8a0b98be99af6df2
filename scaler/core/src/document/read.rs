//! From a tree to the model: what each part of a document says.

mod app;
mod configuration;
mod container;
mod ingress;
mod probe;
mod revision;
mod rule;
mod scale;
mod secrets;
mod template;
mod traffic;
mod volume;

use super::model::Declaration;
use super::node::Node;
use super::reader::{Field, Reader};

/// `type` of an app.
pub(crate) const APP_TYPE: &str = "Microsoft.App/containerApps";
/// `type` of a revision that a document of its own declares.
pub(crate) const REVISION_TYPE: &str = "Microsoft.App/containerApps/revisions";

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
    let kind_text = match &kind {
        Some(field) => reader.text(field)?,
        None => APP_TYPE.to_owned(),
    };
    if kind_text.eq_ignore_ascii_case(APP_TYPE) {
        return app::read(reader, object, default_name)
            .map(Box::new)
            .map(Declaration::App);
    }
    if kind_text.eq_ignore_ascii_case(REVISION_TYPE) {
        return revision::read(reader, object)
            .map(Box::new)
            .map(Declaration::Revision);
    }
    reader.error_type(&kind?, &format!("{APP_TYPE} or {REVISION_TYPE}"));
    None
}
