//! What a Deployment says of its replicas.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelectorRequirement;

/// How many replicas are asked for, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Desired {
    pub(super) replicas: u32,
    pub(super) because: String,
}

impl Desired {
    pub(super) fn of(deployment: &Deployment) -> Self {
        let spec = deployment.spec.as_ref();
        // One, says the API, if it is not given.
        let replicas = spec.and_then(|spec| spec.replicas).unwrap_or(1);
        Self {
            replicas: u32::try_from(replicas).unwrap_or(0),
            because: match scaler(deployment) {
                Some(manager) => format!("set by {manager}"),
                None => "set in its spec".to_owned(),
            },
        }
    }

    pub(super) fn deleted() -> Self {
        Self {
            replicas: 0,
            because: "the Deployment was deleted".to_owned(),
        }
    }
}

/// Who owns the number: the manager that wrote it last, by the scale subresource if there is such.
fn scaler(deployment: &Deployment) -> Option<String> {
    let entries = deployment.metadata.managed_fields.as_deref();
    let owners = entries.unwrap_or_default().iter().filter(|entry| {
        let fields = entry.fields_v1.as_ref();
        fields.is_some_and(|fields| !fields.0["f:spec"]["f:replicas"].is_null())
    });
    let newest = owners.max_by_key(|entry| entry.time.as_ref().map(|time| time.0))?;
    newest.manager.clone()
}

/// Its selector of pods, as the API takes it; none if it selects nothing.
pub(super) fn selector(deployment: &Deployment) -> Option<String> {
    let selector = &deployment.spec.as_ref()?.selector;
    let labels = selector.match_labels.iter().flatten();
    let labels = labels.map(|(name, value)| Some(format!("{name}={value}")));
    let others = selector.match_expressions.iter().flatten().map(expression);
    let parts: Option<Vec<_>> = labels.chain(others).collect();
    parts
        .map(|parts| parts.join(","))
        .filter(|text| !text.is_empty())
}

fn expression(of: &LabelSelectorRequirement) -> Option<String> {
    let key = &of.key;
    let values = of.values.as_deref().unwrap_or_default().join(",");
    match of.operator.as_str() {
        "In" => Some(format!("{key} in ({values})")),
        "NotIn" => Some(format!("{key} notin ({values})")),
        "Exists" => Some(key.clone()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(text: &str) -> Deployment {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_selector_is_written_as_the_api_takes_it() {
        for (selector, expected) in [
            (
                r#"{"matchLabels": {"app": "a", "tier": "b"}}"#,
                Some("app=a,tier=b"),
            ),
            (
                r#"{"matchLabels": {"app": "a"}, "matchExpressions": [
                    {"key": "k", "operator": "In", "values": ["x", "y"]},
                    {"key": "l", "operator": "NotIn", "values": ["z"]},
                    {"key": "m", "operator": "Exists"}, {"key": "n", "operator": "DoesNotExist"}]}"#,
                Some("app=a,k in (x,y),l notin (z),m,!n"),
            ),
            (
                r#"{"matchExpressions": [{"key": "k", "operator": "Like", "values": []}]}"#,
                None,
            ),
            ("{}", None),
        ] {
            let text = format!(r#"{{"spec": {{"selector": {selector}, "template": {{}}}}}}"#);
            assert_eq!(self::selector(&deployment(&text)).as_deref(), expected);
        }
    }

    #[test]
    fn who_wrote_the_number_last_is_named() {
        let owned = r#"{"metadata": {"managedFields": [
                {"manager": "kubectl", "time": "2026-01-01T00:00:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
                {"manager": "keda", "time": "2026-01-03T00:00:00Z", "fieldsV1": {"f:spec": {"f:template": {}}}},
                {"manager": "kube-controller-manager", "subresource": "scale", "time": "2026-01-02T00:00:00Z",
                 "fieldsV1": {"f:spec": {"f:replicas": {}}}}]},
            "spec": {"replicas": 4, "selector": {}, "template": {}}}"#;
        let desired = Desired::of(&deployment(owned));
        assert_eq!(
            (desired.replicas, desired.because.as_str()),
            (4, "set by kube-controller-manager")
        );
        let plain = Desired::of(&deployment(r#"{"spec": {"selector": {}, "template": {}}}"#));
        assert_eq!(
            (plain.replicas, plain.because.as_str()),
            (1, "set in its spec")
        );
    }
}
