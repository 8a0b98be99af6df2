//! `containers[]` and `initContainers[]`.

use std::collections::BTreeSet;

use crate::document::model::{
    Container, EnvironmentValue, EnvironmentVariable, Resources, VolumeMount,
};
use crate::document::nearest::suggestion;
use crate::document::node::NodeValue;
use crate::document::quantity;
use crate::document::reader::{Field, Object, Reader, shortened};
use crate::name::AppName;

use super::probe;
use super::secrets::{self, SecretNames};

/// The warning about an image without a command. A document may be meant for elsewhere alone, so it
/// is no error until it is to run here.
pub const IMAGE_ALONE: &str = "cannot run as a local process, which `ebbtide up` starts: images are \
                           not run; add `command: [program, argument, …]` beside it";

/// What a container may refer to.
pub(super) struct Context<'a> {
    pub(super) app: Option<&'a AppName>,
    pub(super) secrets: Option<&'a SecretNames>,
    pub(super) volumes: BTreeSet<&'a str>,
}

/// Reads `containers`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    fields: &[Field<'_>],
    context: &Context<'_>,
) -> Vec<Container> {
    let mut containers = Vec::new();
    for field in fields {
        let Some(mut object) = reader.object(field) else {
            continue;
        };
        let probes = object.get("probes");
        let probes = probes.map_or_else(Vec::new, |field| probe::read(reader, &field));
        if let Some(container) = container(reader, field, object, context) {
            containers.push(Container {
                probes,
                ..container
            });
        }
    }
    containers
}

/// Reads `initContainers`, which have no probes.
pub(super) fn read_init(
    reader: &mut Reader<'_>,
    fields: &[Field<'_>],
    context: &Context<'_>,
) -> Vec<Container> {
    let mut containers = Vec::new();
    for field in fields {
        let Some(mut object) = reader.object(field) else {
            continue;
        };
        if let Some(probes) = object.get("probes") {
            reader.error(&probes, "init containers have no probes");
        }
        containers.extend(container(reader, field, object, context));
    }
    containers
}

fn container(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    mut object: Object<'_>,
    context: &Context<'_>,
) -> Option<Container> {
    let name = name(reader, field, &mut object, context);
    let image_field = object.get("image");
    let image_field = image_field.filter(|image| image.node.text() != Some(""));
    let has_image = image_field.is_some();
    let image = image_field.as_ref().and_then(|image| reader.text(image));
    let command_field = object.get("command");
    // One that is something else than a list is an error of its own.
    let has_none = command_field.as_ref().is_none_or(is_empty_list);
    let command = command_field.map_or_else(Vec::new, |field| reader.texts(&field));
    if has_none && !has_image {
        reader.error(field, "needs `command`, the program to run, or `image`");
    }
    if let Some(image) = image_field.filter(|_| has_none) {
        reader.warn(&image, IMAGE_ALONE);
    }
    let args = object.texts(reader, "args");
    let env = environment(reader, &mut object, context.secrets);
    let resources = object.get("resources");
    let resources = resources.and_then(|field| resources_of(reader, &field));
    if let Some(field) = object.get("volumeMounts") {
        reader.not_acted_on(&field);
    }
    let mounts = object.list(reader, "volumeMounts");
    let mounts = mounts
        .iter()
        .filter_map(|field| mount(reader, field, context));
    let volume_mounts = mounts.collect();
    object.ignore(&["imageType"]);
    object.finish(reader);
    Some(Container {
        name: name?,
        image,
        command,
        args,
        env,
        resources: resources.unwrap_or_default(),
        probes: Vec::new(),
        volume_mounts,
    })
}

fn is_empty_list(field: &Field<'_>) -> bool {
    matches!(&field.node.value, NodeValue::Sequence(items) if items.is_empty())
}

/// The container's name; without one, the app's.
fn name(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    object: &mut Object<'_>,
    context: &Context<'_>,
) -> Option<String> {
    if let Some(name) = object.get("name") {
        let text = reader.text(&name)?;
        if text.is_empty() {
            reader.error(&name, "must not be empty");
        }
        return Some(text);
    }
    let Some(app) = context.app else {
        object.require(reader, "name", "the container's name");
        return None;
    };
    reader.warn(
        field,
        format!("has no name; it is called `{app}`, like the app"),
    );
    Some(app.to_string())
}

fn environment(
    reader: &mut Reader<'_>,
    object: &mut Object<'_>,
    secrets: Option<&SecretNames>,
) -> Vec<EnvironmentVariable> {
    let mut names = BTreeSet::new();
    let mut variables = Vec::new();
    for field in object.list(reader, "env") {
        let Some(variable) = variable(reader, &field, secrets) else {
            continue;
        };
        if !names.insert(variable.name.clone()) {
            let message = format!("`{}` is given twice; the last one counts", variable.name);
            reader.warn(&field, message);
        }
        variables.push(variable);
    }
    variables
}

fn variable(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    secrets: Option<&SecretNames>,
) -> Option<EnvironmentVariable> {
    let mut object = reader.object(field)?;
    let name_field = object.require(reader, "name", "the variable's name");
    let value = object.get("value");
    let reference = object.get("secretRef");
    object.finish(reader);
    let name_field = name_field?;
    let name = reader.text(&name_field)?;
    if name.is_empty() || name.contains('=') {
        reader.error(&name_field, "must be a name without '='");
    }
    let value = match (value, reference) {
        (value, None) => EnvironmentValue::Literal(match value {
            Some(value) => reader.text(&value)?,
            None => String::new(),
        }),
        (None, Some(secret)) => {
            EnvironmentValue::SecretRef(secrets::reference(reader, &secret, secrets)?)
        }
        (Some(_), Some(_)) => {
            reader.error(field, "give `value` or `secretRef`, not both");
            return None;
        }
    };
    Some(EnvironmentVariable { name, value })
}

fn resources_of(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Resources> {
    let mut object = reader.object(field)?;
    let cpu = object.get("cpu");
    let memory = object.get("memory");
    object.accept(reader, &["gpu"]);
    object.ignore(&["ephemeralStorage"]);
    object.finish(reader);
    Some(Resources {
        cpu: cpu.and_then(|field| cores(reader, &field)),
        memory: memory.and_then(|field| bytes(reader, &field)),
    })
}

fn cores(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<f64> {
    const WANTED: &str = "a number of cores, as in 0.5";
    let text = reader.scalar(field, WANTED)?.text.trim();
    let cores: Option<f64> = text.parse().ok();
    let cores = cores.filter(|cores| cores.is_finite() && *cores > 0.0);
    if cores.is_none() {
        reader.error_type(field, WANTED);
    }
    cores
}

fn bytes(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<u64> {
    const WANTED: &str = "an amount of memory, as in 0.5Gi or 100Mi";
    let bytes = quantity::bytes(reader.scalar(field, WANTED)?.text.trim());
    if bytes.is_none() {
        reader.error_type(field, WANTED);
    }
    bytes
}

fn mount(reader: &mut Reader<'_>, field: &Field<'_>, context: &Context<'_>) -> Option<VolumeMount> {
    let mut object = reader.object(field)?;
    let name_field = object.require(reader, "volumeName", "the name of one of `volumes`");
    let mount_path = object.require(reader, "mountPath", "where the container sees the volume");
    let sub_path = object.text(reader, "subPath");
    object.finish(reader);
    let name_field = name_field?;
    let volume_name = reader.text(&name_field)?;
    if !context.volumes.contains(volume_name.as_str()) {
        let hint = suggestion(&volume_name, context.volumes.iter().copied());
        let shown = shortened(&volume_name);
        reader.error(&name_field, format!("there is no volume `{shown}`{hint}"));
    }
    Some(VolumeMount {
        volume_name,
        mount_path: reader.text(&mount_path?)?,
        sub_path,
    })
}

/// Azure's consumption plan has 0.25 cores and 0.5Gi, 0.5 cores and 1Gi, … to 4 cores and 8Gi for
/// all containers together. Nothing here needs that, so other sizes are only mentioned.
pub(super) fn warn_of_unusual_size(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    containers: &[Container],
) {
    const STEP_BYTES: u64 = 1 << 29;
    let mut cores = 0.0;
    let mut bytes = 0_u64;
    for container in containers {
        match (container.resources.cpu, container.resources.memory) {
            (None, None) => return,
            (cpu, memory) => {
                cores += cpu.unwrap_or(0.0);
                bytes = bytes.saturating_add(memory.unwrap_or(0));
            }
        }
    }
    let steps = (1_u8..=16).find(|steps| u64::from(*steps) * STEP_BYTES == bytes);
    let fits = steps.is_some_and(|steps| (f64::from(steps) * 0.25 - cores).abs() < 1e-9);
    if !fits && !containers.is_empty() {
        let memory = quantity::print(bytes);
        let message = format!(
            "{cores} cores and {memory} together are not a size that Azure's consumption plan \
             has (0.25 cores with 0.5Gi, 0.5 with 1Gi, … 4 with 8Gi)"
        );
        reader.warn(field, message);
    }
}
