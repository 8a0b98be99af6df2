//! KEDA and the HPA as they call and reckon (KEDA 2.20, Kubernetes 1.35).

use std::collections::BTreeMap;

use ebbtide_proto::external_scaler::external_scaler_client::ExternalScalerClient;
use ebbtide_proto::external_scaler::{GetMetricsRequest, MetricSpec, MetricValue, ScaledObjectRef};
use tonic::transport::Channel;
use tonic::{Code, Status};

/// KEDA's client on a connection.
pub(super) fn client(channel: Channel) -> ExternalScalerClient<Channel> {
    ExternalScalerClient::new(channel)
}

/// A ScaledObject with one trigger.
pub(super) struct Keda {
    client: ExternalScalerClient<Channel>,
    reference: ScaledObjectRef,
    /// Whether its build of the contract knows the float fields.
    pub(super) floats: bool,
}

/// What a poll found out.
#[derive(Debug, PartialEq)]
pub(super) struct Polled {
    /// Each metric: its name with KEDA's prefix, its value and its target.
    pub(super) metrics: Vec<(String, f64, f64)>,
    /// Whether the target is to have replicas.
    pub(super) active: bool,
}

impl Keda {
    /// The ScaledObject `apps/hello` with this metadata.
    pub(super) fn new(client: &ExternalScalerClient<Channel>, metadata: &[(&str, &str)]) -> Self {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let mut scaler_metadata: BTreeMap<String, String> = metadata.iter().map(owned).collect();
        scaler_metadata.insert("scalerAddress".to_owned(), "127.0.0.1:9090".to_owned());
        Self {
            client: client.clone(),
            reference: ScaledObjectRef {
                name: "hello".to_owned(),
                namespace: "apps".to_owned(),
                scaler_metadata,
            },
            floats: true,
        }
    }

    /// Who asks.
    pub(super) fn reference(&self) -> ScaledObjectRef {
        self.reference.clone()
    }

    /// A poll: the specs, then for each metric its value and the activity; on an error all of it
    /// once more, at once. An error freezes what there is.
    pub(super) async fn poll(&mut self) -> Result<Polled, Status> {
        match self.attempt().await {
            Err(_) => self.attempt().await,
            polled => polled,
        }
    }

    /// A poll that fails, with its code and message.
    pub(super) async fn refused(&mut self) -> (Code, String) {
        let status = self.poll().await.unwrap_err();
        (status.code(), status.message().to_owned())
    }

    /// The metrics announced.
    pub(super) async fn specs(&mut self) -> Result<Vec<MetricSpec>, Status> {
        let response = self.client.get_metric_spec(self.reference()).await?;
        Ok(response.into_inner().metric_specs)
    }

    async fn attempt(&mut self) -> Result<Polled, Status> {
        let specs = self.specs().await?;
        let mut polled = Polled {
            metrics: Vec::new(),
            active: false,
        };
        for spec in specs {
            let name = format!("s0-{}", spec.metric_name);
            let value = self.value(&name).await?;
            let is_active = self.client.is_active(self.reference()).await?;
            polled.active |= is_active.into_inner().result;
            polled.metrics.push((name, value, self.target(&spec)));
        }
        Ok(polled)
    }

    /// The value of a metric: its prefix is stripped, and all that comes back counts under its
    /// name.
    pub(super) async fn value(&mut self, name: &str) -> Result<f64, Status> {
        let metric_name = name.strip_prefix("s0-").unwrap_or(name).to_owned();
        let request = GetMetricsRequest {
            scaled_object_ref: Some(self.reference()),
            metric_name,
        };
        let response = self.client.get_metrics(request).await?.into_inner();
        let values = response.metric_values.iter();
        Ok(values.map(|value| self.amount(value)).sum())
    }

    #[expect(
        deprecated,
        reason = "KEDA reads them where the float is not above zero"
    )]
    fn target(&self, spec: &MetricSpec) -> f64 {
        self.pick(spec.target_size_float, spec.target_size)
    }

    #[expect(
        deprecated,
        reason = "KEDA reads them where the float is not above zero"
    )]
    fn amount(&self, value: &MetricValue) -> f64 {
        self.pick(value.metric_value_float, value.metric_value)
    }

    #[expect(clippy::cast_precision_loss, reason = "tests count far below 2^53")]
    fn pick(&self, float: f64, whole: i64) -> f64 {
        if self.floats && float > 0.0 {
            float
        } else {
            whole as f64
        }
    }
}

impl Polled {
    /// What the HPA makes of `replicas`: the largest over the metrics, each in thousandths as KEDA
    /// hands them on, and none changed by a tenth or less.
    pub(super) fn hpa(&self, replicas: u32) -> f64 {
        let thousandths = |amount: f64| (amount * 1000.0).round();
        let current = f64::from(replicas);
        let wanted = self.metrics.iter().map(|(_, value, target)| {
            let wanted = thousandths(*value) / thousandths(*target);
            let ratio = wanted / current;
            if (1.0 - 0.1..=1.0 + 0.1).contains(&ratio) {
                current
            } else {
                wanted.ceil()
            }
        });
        wanted.fold(1.0, f64::max)
    }
}
