//! `properties.template`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::document::model::Template;
use crate::document::node::Node;
use crate::document::reader::{Field, Object, Reader};
use crate::document::shape::Shape::{List, Object as Mapping, Text};
use crate::document::shape::{Shape, check, may, must};
use crate::name::{AppName, RevisionName};

use super::secrets::SecretNames;
use super::{container, scale, volume};

/// What a template is read within.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The app, if its name is one.
    pub(super) app: Option<&'a AppName>,
    /// The app's secrets; none when the document declares a revision only.
    pub(super) secrets: Option<&'a SecretNames>,
    /// Whether the app asks for a workload profile, which has sizes of its own.
    pub(super) workload_profile: bool,
}

const SERVICE_BINDS: Shape = List(&Mapping(&[must("serviceId", Text), may("name", Text)]));

/// Reads a template. None if it is not a mapping, which is reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    scope: &Scope<'_>,
) -> Option<Template> {
    let mut object = reader.object(field)?;
    let revision_suffix = revision_suffix(reader, &mut object, scope);
    let grace = object.integer(reader, "terminationGracePeriodSeconds", 0..=u32::MAX);
    let init_containers = object.list(reader, "initContainers");
    let container_list = object.require(reader, "containers", "at least one container");
    let containers = (container_list.as_ref()).map_or_else(Vec::new, |list| reader.list(list));
    if let Some(list) = &container_list
        && list.node.items().is_some_and(<[_]>::is_empty)
    {
        reader.error(list, "is empty; give at least one container");
    }
    if let Some(field) = object.get("volumes") {
        reader.not_acted_on(&field);
    }
    let volume_fields = object.list(reader, "volumes");
    let volumes = volume::read(reader, &volume_fields, scope.secrets);
    let scale = object.get("scale");
    let scale = scale.and_then(|field| scale::read(reader, &field, scope.secrets));
    if let Some(binds) = object.get("serviceBinds") {
        reader.accept(&binds);
        check(reader, &binds, &SERVICE_BINDS);
    }
    object.finish(reader);

    let context = container::Context {
        app: scope.app,
        secrets: scope.secrets,
        volumes: volumes.iter().map(|volume| volume.name.as_str()).collect(),
    };
    check_names(reader, init_containers.iter().chain(&containers));
    let init_containers = container::read_init(reader, &init_containers, &context);
    let main = container::read(reader, &containers, &context);
    if let Some(list) = &container_list
        && !scope.workload_profile
    {
        container::warn_of_unusual_size(reader, list, &main);
    }
    Some(Template {
        revision_suffix,
        termination_grace_period: grace.map(|seconds| Duration::from_secs(seconds.into())),
        init_containers,
        containers: main,
        scale: scale.unwrap_or_default(),
        volumes,
    })
}

fn revision_suffix(
    reader: &mut Reader<'_>,
    object: &mut Object<'_>,
    scope: &Scope<'_>,
) -> Option<String> {
    let field = object.get("revisionSuffix")?;
    let suffix = reader.text(&field).filter(|suffix| !suffix.is_empty())?;
    if let Some(app) = scope.app
        && let Err(error) = RevisionName::new(app, &suffix)
    {
        reader.error(&field, error.to_string());
    }
    Some(suffix)
}

/// Containers of a replica are told apart by their names.
fn check_names<'n>(reader: &mut Reader<'_>, fields: impl Iterator<Item = &'n Field<'n>>) {
    let mut names = BTreeSet::new();
    for field in fields {
        if let Some(name) = field.node.get("name").and_then(Node::text)
            && !names.insert(name)
        {
            reader.error(field, format!("a second container has the name `{name}`"));
        }
    }
}
