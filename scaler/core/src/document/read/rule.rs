//! `scale.rules[]`.

use std::collections::BTreeMap;

use crate::document::model::{RuleAuth, RuleForm, ScaleRule};
use crate::document::nearest::suggestion;
use crate::document::quantity;
use crate::document::reader::{Field, Object, Reader};

use super::secrets::{self, SecretNames};

const FORMS: [(&str, RuleForm); 4] = [
    ("http", RuleForm::Http),
    ("tcp", RuleForm::Tcp),
    ("azureQueue", RuleForm::AzureQueue),
    ("custom", RuleForm::Custom),
];

/// Types of `custom` rules: KEDA's scalers, and Azure's own two.
pub(crate) const SCALERS: &[&str] = &[
    "http",
    "tcp",
    "activemq",
    "apache-kafka",
    "arangodb",
    "artemis-queue",
    "aws-cloudwatch",
    "aws-dynamodb",
    "aws-dynamodb-streams",
    "aws-kinesis-stream",
    "aws-sqs-queue",
    "azure-app-insights",
    "azure-blob",
    "azure-data-explorer",
    "azure-eventhub",
    "azure-log-analytics",
    "azure-monitor",
    "azure-pipelines",
    "azure-queue",
    "azure-servicebus",
    "beanstalkd",
    "cassandra",
    "couchdb",
    "cpu",
    "cron",
    "datadog",
    "dynatrace",
    "elasticsearch",
    "etcd",
    "external",
    "external-push",
    "gcp-cloudtasks",
    "gcp-pubsub",
    "gcp-stackdriver",
    "gcp-storage",
    "github-runner",
    "graphite",
    "huawei-cloudeye",
    "ibmmq",
    "influxdb",
    "kafka",
    "kubernetes-workload",
    "liiklus",
    "loki",
    "memory",
    "metrics-api",
    "mongodb",
    "mssql",
    "mysql",
    "nats-jetstream",
    "new-relic",
    "nsq",
    "openstack-metric",
    "openstack-swift",
    "postgresql",
    "predictkube",
    "prometheus",
    "pulsar",
    "rabbitmq",
    "redis",
    "redis-cluster",
    "redis-cluster-streams",
    "redis-sentinel",
    "redis-sentinel-streams",
    "redis-streams",
    "selenium-grid",
    "solace-event-queue",
    "solarwinds",
    "solr",
    "splunk",
    "splunk-observability",
    "stan",
    "sumologic",
    "temporal",
];

/// Reads one rule. None if it cannot be known what it is, which is reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    secrets: Option<&SecretNames>,
) -> Option<ScaleRule> {
    let mut object = reader.object(field)?;
    let name = object.require(reader, "name", "the rule's name");
    let mut found = Vec::new();
    for (key, form) in FORMS {
        found.extend(object.get(key).map(|field| (form, field)));
    }
    object.finish(reader);
    let name = name.and_then(|field| reader.text(&field));
    let [(form, scaler)] = &*found else {
        let message = match found.len() {
            0 => "needs one of http, tcp, azureQueue, custom",
            _ => "give only one of http, tcp, azureQueue, custom",
        };
        reader.error(field, message);
        return None;
    };
    let mut object = reader.object(scaler)?;
    let (scaler, metadata) = match form {
        RuleForm::AzureQueue => ("azure-queue".to_owned(), azure_queue(reader, &mut object)),
        form => scaler_and_metadata(reader, &mut object, *form)?,
    };
    let auth = object.list(reader, "auth");
    let auth = auth
        .iter()
        .filter_map(|field| read_auth(reader, field, secrets));
    let auth = auth.collect();
    let identity = object.text(reader, "identity");
    object.finish(reader);
    Some(ScaleRule {
        name: name?,
        form: *form,
        scaler,
        metadata,
        auth,
        identity,
    })
}

/// The scaler of an `http`, `tcp` or `custom` rule, and its metadata, checked.
fn scaler_and_metadata(
    reader: &mut Reader<'_>,
    object: &mut Object<'_>,
    form: RuleForm,
) -> Option<(String, BTreeMap<String, String>)> {
    let scaler = match form {
        RuleForm::Http => "http".to_owned(),
        RuleForm::Tcp => "tcp".to_owned(),
        RuleForm::AzureQueue | RuleForm::Custom => {
            let field = object.require(reader, "type", "the scaler, as in azure-servicebus")?;
            let scaler = reader.text(&field)?.to_ascii_lowercase();
            if !SCALERS.contains(&scaler.as_str()) {
                let hint = suggestion(&scaler, SCALERS.iter().copied());
                reader.warn(
                    &field,
                    format!("`{scaler}` is not a scaler that KEDA has{hint}"),
                );
            }
            scaler
        }
    };
    let Some(field) = object.get("metadata") else {
        if matches!(&*scaler, "cpu" | "memory") {
            object.require(reader, "metadata", "`type` and `value`");
        }
        return Some((scaler, BTreeMap::new()));
    };
    match &*scaler {
        "http" => check_http(reader, &field),
        "tcp" => check_tcp(reader, &field),
        "cpu" | "memory" => check_resource(reader, &field, &scaler),
        _ => {}
    }
    let mut metadata = BTreeMap::new();
    for (key, value) in reader.entries(&field) {
        metadata.extend(reader.text(&value).map(|text| (key.to_owned(), text)));
    }
    Some((scaler, metadata))
}

fn check_http(reader: &mut Reader<'_>, field: &Field<'_>) {
    let Some(mut metadata) = reader.object(field) else {
        return;
    };
    metadata.integer(reader, "concurrentRequests", 1..=u32::MAX);
    let rate = metadata.get("requestRate");
    if let Some(rate) = &rate {
        positive(reader, rate, "requests per second, as in 20");
    }
    if let Some(rate) = &rate
        && metadata.get("concurrentRequests").is_some()
    {
        reader.error(rate, "give `concurrentRequests` or `requestRate`, not both");
    }
    metadata.integer(reader, "windowSeconds", 1..=u32::MAX);
    metadata.finish(reader);
}

fn check_tcp(reader: &mut Reader<'_>, field: &Field<'_>) {
    let Some(mut metadata) = reader.object(field) else {
        return;
    };
    metadata.integer(reader, "concurrentConnections", 1..=u32::MAX);
    metadata.integer(reader, "windowSeconds", 1..=u32::MAX);
    metadata.finish(reader);
}

/// `cpu` and `memory`: `value` is a percentage, or with `AverageValue` an amount.
fn check_resource(reader: &mut Reader<'_>, field: &Field<'_>, scaler: &str) {
    let Some(mut metadata) = reader.object(field) else {
        return;
    };
    let kinds = [("Utilization", false), ("AverageValue", true)];
    let kind = metadata.get("type").or(metadata.get("metricType"));
    let average = kind.and_then(|kind| reader.choice(&kind, &kinds));
    if let Some(value) = metadata.require(reader, "value", "the percentage, as in 70") {
        match (average.unwrap_or(false), scaler) {
            (false, _) => {
                reader.integer(&value, 1..=u32::MAX);
            }
            (true, "memory") => {
                let amount = value.node.text().and_then(quantity::bytes);
                if amount.is_none() {
                    reader.error_type(&value, "an amount of memory, as in 100Mi");
                }
            }
            (true, _) => check_cores(reader, &value),
        }
    }
    metadata.ignore(&["metricType", "activationValue", "containerName"]);
    metadata.finish(reader);
}

/// Cores as a number, or thousandths of one as in `500m`.
fn check_cores(reader: &mut Reader<'_>, field: &Field<'_>) {
    let text = field.node.text().unwrap_or_default();
    let number = text.strip_suffix('m').unwrap_or(text);
    if !number
        .parse()
        .is_ok_and(|number: f64| number.is_finite() && number > 0.0)
    {
        reader.error_type(field, "a number of cores, as in 0.5 or 500m");
    }
}

fn positive(reader: &mut Reader<'_>, field: &Field<'_>, wanted: &str) {
    let Some(scalar) = reader.scalar(field, wanted) else {
        return;
    };
    let number: Option<f64> = scalar.text.trim().parse().ok();
    if !number.is_some_and(|number| number.is_finite() && number > 0.0) {
        reader.error_type(field, wanted);
    }
}

/// The properties of `azureQueue`, as metadata of the scaler that it is short for.
fn azure_queue(reader: &mut Reader<'_>, object: &mut Object<'_>) -> BTreeMap<String, String> {
    let mut metadata = BTreeMap::new();
    for key in ["accountName", "queueName"] {
        metadata.extend(object.text(reader, key).map(|text| (key.to_owned(), text)));
    }
    let length = object.integer(reader, "queueLength", 1..=u32::MAX);
    metadata.extend(length.map(|length| ("queueLength".to_owned(), length.to_string())));
    metadata
}

fn read_auth(
    reader: &mut Reader<'_>,
    field: &Field<'_>,
    secrets: Option<&SecretNames>,
) -> Option<RuleAuth> {
    let mut object = reader.object(field)?;
    let secret = object.require(reader, "secretRef", "the name of one of `secrets`");
    let parameter = object.require(reader, "triggerParameter", "the scaler's parameter");
    object.finish(reader);
    Some(RuleAuth {
        secret_ref: secrets::reference(reader, &secret?, secrets)?,
        trigger_parameter: reader.text(&parameter?)?,
    })
}
