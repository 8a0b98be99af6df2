//! Where the metadata of KEDA's scalers has the target, and what it is when absent.

/// The keys of a scaler's target.
#[derive(Clone, Copy, Debug)]
pub(super) struct TargetKeys {
    /// The first of them that is given counts.
    pub(super) names: &'static [&'static str],
    /// The target if none is given; none if KEDA demands one.
    pub(super) default: Option<f64>,
}

const fn keys(names: &'static [&'static str], default: Option<f64>) -> TargetKeys {
    TargetKeys { names, default }
}

/// The keys of a scaler without a reader by its type, as KEDA 2.20 has them. A scaler that is not known here is
/// looked at for the usual keys, and has the target 1 without any.
pub(super) fn target_keys(scaler: &str) -> TargetKeys {
    match scaler {
        "aws-sqs-queue" => keys(&["queueLength"], Some(5.0)),
        "azure-blob" => keys(&["blobCount"], Some(5.0)),
        "azure-eventhub" => keys(&["unprocessedEventThreshold"], Some(64.0)),
        "azure-pipelines" => keys(&["targetPipelinesQueueLength"], Some(1.0)),
        "gcp-pubsub" => keys(&["value", "subscriptionSize"], Some(10.0)),
        "azure-log-analytics" | "loki" => keys(&["threshold"], None),
        "mongodb" => keys(&["queryValue"], None),
        "azure-monitor" | "mssql" => keys(&["targetValue"], None),
        _ => keys(&["targetValue", "value", "threshold"], Some(1.0)),
    }
}
