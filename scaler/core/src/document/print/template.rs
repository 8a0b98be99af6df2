//! `properties.template`.

use std::time::Duration;

use serde_json::Value;

use super::Mapping;
use crate::document::model::{
    Container, EnvironmentValue, EnvironmentVariable, Probe, ProbeAction, ProbeKind, Resources,
    RuleAuth, RuleForm, Scale, ScaleRule, StorageType, Template, Volume, VolumeMount,
};
use crate::document::quantity;

pub(super) fn value(template: &Template) -> Value {
    let grace = template.termination_grace_period.as_ref();
    Mapping::default()
        .maybe("revisionSuffix", template.revision_suffix.clone())
        .maybe(
            "terminationGracePeriodSeconds",
            grace.map(Duration::as_secs),
        )
        .list("initContainers", &template.init_containers, container)
        .list("containers", &template.containers, container)
        .with("scale", scale(&template.scale))
        .list("volumes", &template.volumes, volume)
        .into()
}

fn container(container: &Container) -> Value {
    let text = |text: &String| Value::from(text.as_str());
    Mapping::default()
        .with("name", container.name.as_str())
        .maybe("image", container.image.clone())
        .list("command", &container.command, text)
        .list("args", &container.args, text)
        .list("env", &container.env, environment)
        .maybe("resources", resources(container.resources))
        .list("probes", &container.probes, probe)
        .list("volumeMounts", &container.volume_mounts, mount)
        .into()
}

fn environment(variable: &EnvironmentVariable) -> Value {
    let mapping = Mapping::default().with("name", variable.name.as_str());
    match &variable.value {
        EnvironmentValue::Literal(text) => mapping.with("value", text.as_str()),
        EnvironmentValue::SecretRef(name) => mapping.with("secretRef", name.as_str()),
    }
    .into()
}

fn resources(resources: Resources) -> Option<Value> {
    (resources != Resources::default()).then(|| {
        Mapping::default()
            .maybe("cpu", resources.cpu)
            .maybe("memory", resources.memory.map(quantity::print))
            .into()
    })
}

fn probe(probe: &Probe) -> Value {
    let kind = match probe.kind {
        ProbeKind::Startup => "Startup",
        ProbeKind::Readiness => "Readiness",
        ProbeKind::Liveness => "Liveness",
    };
    let (action, details) = action(&probe.action);
    Mapping::default()
        .with("type", kind)
        .with(action, details)
        .with("initialDelaySeconds", probe.initial_delay.as_secs())
        .with("periodSeconds", probe.period.as_secs())
        .with("timeoutSeconds", probe.timeout.as_secs())
        .with("failureThreshold", probe.failure_threshold)
        .with("successThreshold", probe.success_threshold)
        .into()
}

fn action(action: &ProbeAction) -> (&'static str, Mapping) {
    match action {
        ProbeAction::TcpSocket { port } => ("tcpSocket", Mapping::default().with("port", *port)),
        ProbeAction::HttpGet {
            port,
            path,
            host,
            https,
            headers,
        } => {
            let details = Mapping::default()
                .with("port", *port)
                .with("path", path.as_str())
                .maybe("host", host.clone())
                .maybe("scheme", https.then_some("HTTPS"))
                .list("httpHeaders", headers, |(name, value)| {
                    let header = Mapping::default().with("name", name.as_str());
                    header.with("value", value.as_str()).into()
                });
            ("httpGet", details)
        }
    }
}

fn mount(mount: &VolumeMount) -> Value {
    Mapping::default()
        .with("volumeName", mount.volume_name.as_str())
        .with("mountPath", mount.mount_path.as_str())
        .maybe("subPath", mount.sub_path.clone())
        .into()
}

fn volume(volume: &Volume) -> Value {
    let storage_type = match volume.storage_type {
        StorageType::EmptyDir => "EmptyDir",
        StorageType::AzureFile => "AzureFile",
        StorageType::NfsAzureFile => "NfsAzureFile",
        StorageType::Secret => "Secret",
    };
    Mapping::default()
        .with("name", volume.name.as_str())
        .with("storageType", storage_type)
        .into()
}

fn scale(scale: &Scale) -> Value {
    Mapping::default()
        .with("minReplicas", scale.min_replicas)
        .with("maxReplicas", scale.max_replicas)
        .with("cooldownPeriod", scale.cooldown_period.as_secs())
        .with("pollingInterval", scale.polling_interval.as_secs())
        .list("rules", &scale.rules, rule)
        .into()
}

fn rule(rule: &ScaleRule) -> Value {
    let metadata = |mapping: Mapping| mapping.texts("metadata", &rule.metadata);
    let (form, details) = match rule.form {
        RuleForm::Http => ("http", metadata(Mapping::default())),
        RuleForm::Tcp => ("tcp", metadata(Mapping::default())),
        RuleForm::Custom => {
            let mapping = Mapping::default().with("type", rule.scaler.as_str());
            ("custom", metadata(mapping))
        }
        RuleForm::AzureQueue => ("azureQueue", azure_queue(rule)),
    };
    let details = details
        .list("auth", &rule.auth, auth)
        .maybe("identity", rule.identity.clone());
    Mapping::default()
        .with("name", rule.name.as_str())
        .with(form, details)
        .into()
}

fn azure_queue(rule: &ScaleRule) -> Mapping {
    (rule.metadata.iter()).fold(Mapping::default(), |mapping, (key, text)| {
        match text.parse::<u32>() {
            Ok(length) if key == "queueLength" => mapping.with(key, length),
            _ => mapping.with(key, text.as_str()),
        }
    })
}

fn auth(auth: &RuleAuth) -> Value {
    Mapping::default()
        .with("secretRef", auth.secret_ref.as_str())
        .with("triggerParameter", auth.trigger_parameter.as_str())
        .into()
}
