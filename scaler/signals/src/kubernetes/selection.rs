//! The labels of the pods that are meant.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::api::{Access, Api, name};
use super::error::PodUsageError;
use crate::pods::PodSelection;

#[derive(Deserialize)]
struct Service {
    spec: ServiceSpec,
}

#[derive(Deserialize)]
struct ServiceSpec {
    selector: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct ScaledObject {
    spec: ScaledObjectSpec,
    #[serde(default)]
    status: ScaledObjectStatus,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScaledObjectSpec {
    scale_target_ref: Target,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScaledObjectStatus {
    // KEDA's name.
    #[serde(rename = "scaleTargetGVKR")]
    scale_target: Option<TargetKind>,
}

#[derive(Deserialize)]
struct TargetKind {
    #[serde(default)]
    group: String,
    version: String,
    resource: String,
}

#[derive(Deserialize)]
struct Scale {
    #[serde(default)]
    status: ScaleStatus,
}

#[derive(Default, Deserialize)]
struct ScaleStatus {
    #[serde(default)]
    selector: String,
}

/// The label selector of the pods that are meant.
///
/// # Errors
/// When what selects them is not there, cannot be read, or selects none.
pub(super) async fn labels(
    api: &Api,
    namespace: &str,
    pods: &PodSelection,
) -> Result<String, PodUsageError> {
    match pods {
        PodSelection::Labels(labels) if labels.is_empty() => Err(PodUsageError::NoSelector {
            what: format!("the empty selector of namespace {namespace}"),
            because: "give labels",
        }),
        PodSelection::Labels(labels) => Ok(labels.clone()),
        PodSelection::Service(service) => of_service(api, namespace, service).await,
        PodSelection::ScaledObject(scaled_object) => {
            of_scaled_object(api, namespace, scaled_object).await
        }
    }
}

async fn of_service(api: &Api, namespace: &str, service: &str) -> Result<String, PodUsageError> {
    let access = Access {
        verb: "get",
        resource: "services",
        group: "",
        namespace: Some(namespace),
        name: Some(name("Service", service)?),
    };
    let found: Service = api.get(&access, "v1", "").await?;
    let selector = found.spec.selector.unwrap_or_default();
    if selector.is_empty() {
        return Err(PodUsageError::NoSelector {
            what: format!("Service {service} in namespace {namespace}"),
            because: "it has no selector",
        });
    }
    let labels = selector.iter().map(|(key, value)| format!("{key}={value}"));
    Ok(labels.collect::<Vec<_>>().join(","))
}

/// The pods of what it scales, as that says in its `scale`. KEDA notes in the status which resource of
/// the API it is.
async fn of_scaled_object(
    api: &Api,
    namespace: &str,
    scaled_object: &str,
) -> Result<String, PodUsageError> {
    let access = Access {
        verb: "get",
        resource: "scaledobjects",
        group: "keda.sh",
        namespace: Some(namespace),
        name: Some(name("ScaledObject", scaled_object)?),
    };
    let found: ScaledObject = api.get(&access, "v1alpha1", "").await?;
    let what = || format!("ScaledObject {scaled_object} in namespace {namespace}");
    let kind = found
        .status
        .scale_target
        .ok_or_else(|| PodUsageError::NoSelector {
            what: what(),
            because: "KEDA has not noted yet what it scales",
        })?;
    let (group, version) = (kind.group.as_str(), name("version", &kind.version)?);
    let resource = format!("{}/scale", name("resource", &kind.resource)?);
    let access = Access {
        verb: "get",
        resource: &resource,
        group: if group.is_empty() {
            group
        } else {
            name("API group", group)?
        },
        namespace: Some(namespace),
        name: Some(name("scale target", &found.spec.scale_target_ref.name)?),
    };
    let scale: Scale = api.get(&access, version, "").await?;
    if scale.status.selector.is_empty() {
        return Err(PodUsageError::NoSelector {
            what: what(),
            because: "the scale of its target has no selector",
        });
    }
    Ok(scale.status.selector)
}
