//! `external` and `external-push`: what a scaler of somebody else's says.

mod channel;
mod metrics;
mod pushes;

use ebbtide_core::scaler::FROM_ENV;
use ebbtide_proto::external_scaler::external_scaler_client::ExternalScalerClient;
use ebbtide_proto::external_scaler::{GetMetricsRequest, MetricSpec, ScaledObjectRef};
use tonic::Status;
use tonic::transport::Channel;

use self::channel::Server;
use self::pushes::Pushes;
use super::{Context, Hearing, Reader, Reading};
use crate::amount::Amount;
use crate::parameters::Parameters;
use ebbtide_brokers::error::ReadError;

const ADDRESS: &str = "scalerAddress";
/// What the scaler is told instead of a ScaledObject's name.
const NAME: &str = "ebbtide";
/// The most metrics that one scaler is asked for.
const MOST_METRICS: usize = 32;

/// What a scaler may be told that it should not repeat.
#[derive(Clone, Copy)]
struct Discretion(bool);

struct External {
    server: Server,
    object: ScaledObjectRef,
    discretion: Discretion,
    client: Option<ExternalScalerClient<Channel>>,
    pushes: Pushes,
}

/// A reader for these parameters, which listens to the scaler if that pushes.
///
/// # Errors
/// An address that is none, TLS settings that cannot be.
pub(super) fn open(
    parameters: &Parameters,
    context: &Context,
    pushes: bool,
) -> Result<Box<dyn Reader>, ReadError> {
    let metadata = parameters.passed_on().clone();
    let discretion = Discretion(metadata.keys().any(|key| key.ends_with(FROM_ENV)));
    Ok(Box::new(External {
        server: Server::new(parameters, context.connect.clone())?,
        object: ScaledObjectRef {
            name: NAME.to_owned(),
            namespace: String::new(),
            scaler_metadata: metadata,
        },
        discretion,
        client: None,
        pushes: if pushes {
            Pushes::wanted()
        } else {
            Pushes::default()
        },
    }))
}

impl Reader for External {
    fn read(&mut self) -> Reading<'_> {
        Box::pin(self.amount())
    }

    fn hears(&mut self) -> Hearing<'_> {
        Box::pin(self.pushes.news())
    }
}

impl External {
    async fn amount(&mut self) -> Result<Amount, ReadError> {
        let client = match &mut self.client {
            Some(client) => client,
            None => self.client.insert(self.server.connect().await?),
        };
        self.pushes.open(client, &self.object);
        let replicas = replicas(client, &self.object, self.discretion).await?;
        let answer = client.is_active(self.object.clone()).await;
        let answer = answer.map_err(|status| self.discretion.failed("IsActive", &status))?;
        let is_active = self.pushes.settle(answer.into_inner().result);
        Ok(Amount {
            activity: Some(f64::from(u8::from(is_active))),
            ..Amount::from(replicas)
        })
    }
}

/// What the metric says that wants most.
async fn replicas(
    client: &mut ExternalScalerClient<Channel>,
    object: &ScaledObjectRef,
    discretion: Discretion,
) -> Result<f64, ReadError> {
    let answer = client.get_metric_spec(object.clone()).await;
    let answer = answer.map_err(|status| discretion.failed("GetMetricSpec", &status))?;
    let specs = answer.into_inner().metric_specs;
    if specs.is_empty() || specs.len() > MOST_METRICS {
        let number = specs.len();
        let message = format!("the scaler has {number} metrics; 1 to {MOST_METRICS} are asked for");
        return Err(ReadError::of(ADDRESS, message));
    }
    let mut most = 0.0_f64;
    for spec in specs {
        let MetricSpec { metric_name, .. } = &spec;
        let target = metrics::target(&spec).ok_or_else(|| {
            let message =
                format!("the scaler's metric {metric_name:?} has a target that is not above 0");
            ReadError::of(ADDRESS, message)
        })?;
        let request = GetMetricsRequest {
            scaled_object_ref: Some(object.clone()),
            metric_name: metric_name.clone(),
        };
        let answer = client.get_metrics(request).await;
        let answer = answer.map_err(|status| discretion.failed("GetMetrics", &status))?;
        let value = metrics::value(&answer.into_inner()).ok_or_else(|| {
            let message =
                format!("the scaler's metric {metric_name:?} has a value that is no amount");
            ReadError::of(ADDRESS, message)
        })?;
        most = most.max(value / target);
    }
    Ok(most)
}

impl Discretion {
    /// Why the scaler does not answer. What it says may have what it was told by variables.
    fn failed(self, question: &str, status: &Status) -> ReadError {
        let Self(is_discreet) = self;
        let code = status.code().description();
        let said = if is_discreet || status.message().is_empty() {
            String::new()
        } else {
            format!(": {}", status.message())
        };
        ReadError::of(ADDRESS, format!("{question} fails, {code}{said}"))
    }
}
