//! `metrics.k8s.io`: what the metrics server has measured.

use std::collections::BTreeMap;

use ebbtide_core::scale::pods::SampleTime;
use kube::api::ListParams;
use serde::Deserialize;

use super::api::{Access, Api};
use super::error::PodUsageError;
use super::pod::List;
use super::value::{Quantity, Time, Window};
use crate::pods::{Measured, Used};

/// The API group.
pub(super) const GROUP: &str = "metrics.k8s.io";

#[derive(Deserialize)]
struct PodMetrics {
    metadata: Metadata,
    timestamp: Time,
    window: Window,
    containers: Option<Vec<Container>>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
}

#[derive(Deserialize)]
struct Container {
    usage: BTreeMap<String, Quantity>,
}

/// What the pods of a namespace with these labels use, by their names.
///
/// # Errors
/// When it does not answer or refuses, or there is no metrics server.
pub(super) async fn read(
    api: &Api,
    namespace: &str,
    labels: &str,
) -> Result<BTreeMap<String, Used>, PodUsageError> {
    let access = Access {
        verb: "list",
        resource: "pods",
        group: GROUP,
        namespace: Some(namespace),
        name: None,
    };
    let parameters = ListParams::default().labels(labels);
    let list: List<PodMetrics> = api.list(&access, "v1beta1", &parameters).await?;
    let pods = list.items.unwrap_or_default().into_iter();
    Ok(pods
        .map(|pod| (pod.metadata.name.clone(), pod.used()))
        .collect())
}

impl PodMetrics {
    fn used(&self) -> Used {
        let time = SampleTime {
            at: self.timestamp.0,
            window: self.window.0,
        };
        let measured = |resource: &str| {
            let containers = self.containers.as_deref().unwrap_or_default();
            let amounts = containers.iter().map(|one| one.usage.get(resource));
            let amount: Option<f64> = amounts.map(|amount| amount.map(|amount| amount.0)).sum();
            // The sum of none is zero, which says nothing of a pod.
            let amount = amount.filter(|_| !containers.is_empty());
            amount.map(|amount| Measured { amount, time })
        };
        Used {
            cores: measured("cpu"),
            bytes: measured("memory"),
        }
    }
}
