//! The contract itself: what each call is answered.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_proto::external_scaler::external_scaler_server::ExternalScaler;
use ebbtide_proto::external_scaler::{
    GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, MetricSpec,
    MetricValue, ScaledObjectRef,
};
use futures_util::Stream;
use tokio::sync::watch;
use tokio::time::timeout;
use tonic::{Code, Request, Response, Status};

use super::answer::{self, Metric, Standing, Unanswered};
use super::asking::Asking;
use super::bounds::SourceBounds;
use super::metrics::{Calls, Method};
use super::pulse::Pulses;
use super::scaled_objects::{Caller, ScaledObjects};
use super::streams::{self, Activity};
use crate::control::{Adoption, Command, Control, ControlError, Published};

/// How long a call waits for a first decision. The HPA's path to here gives up after three seconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// Answers KEDA.
pub(super) struct Service {
    pub(super) control: Control,
    pub(super) scaled_objects: ScaledObjects,
    pub(super) bounds: Arc<SourceBounds>,
    pub(super) pulses: Arc<Pulses>,
    pub(super) calls: Arc<Calls>,
    pub(super) stopping: watch::Receiver<bool>,
}

type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// Who asked, from where, and what its trigger says.
struct Asked {
    method: Method,
    peer: Option<SocketAddr>,
    caller: Caller,
    asking: Arc<Asking>,
}

impl Service {
    async fn asked(
        &self,
        method: Method,
        request: Request<ScaledObjectRef>,
    ) -> Result<Asked, Status> {
        let peer = request.remote_addr();
        self.asked_from(peer, method, Some(request.into_inner()))
            .await
    }

    async fn asked_from(
        &self,
        peer: Option<SocketAddr>,
        method: Method,
        reference: Option<ScaledObjectRef>,
    ) -> Result<Asked, Status> {
        let reference = reference.ok_or_else(|| {
            Unanswered::Invalid("scaledObjectRef: is missing; it says who asks".to_owned())
        });
        let found = reference.and_then(|reference| self.scaled_objects.caller(reference, peer));
        match found {
            Ok((caller, asking)) => {
                let asked = Asked {
                    method,
                    peer,
                    caller,
                    asking,
                };
                match self.adopt(&asked).await {
                    Ok(()) => Ok(asked),
                    Err(error) => self.finish(&asked, Err(error)).map(Response::into_inner),
                }
            }
            Err(error) => Err(self.refused(method, error)),
        }
    }

    /// Has the control task decide by the rules of a trigger's own, unless it does already.
    async fn adopt(&self, asked: &Asked) -> Result<(), Unanswered> {
        let Asking { scope, own, .. } = &*asked.asking;
        let Some(own) = own else {
            return Ok(());
        };
        if self.control.published().app(scope.app.as_str()).is_some() {
            return Ok(());
        }
        self.bounds.check(own)?;
        let (namespace, name) = asked.caller.names();
        let adoption = Adoption {
            app: scope.app.clone(),
            namespace: namespace.to_owned(),
            scaled_object: name.to_owned(),
            rules: own.clone(),
            sources: self.bounds.per_namespace,
        };
        let adopt = |reply| Command::Adopt { adoption, reply };
        let adopted = timeout(PATIENCE, self.control.ask_in_turn(adopt)).await;
        adopted
            .unwrap_or(Err(ControlError::Busy))
            .map_err(|error| match error {
                ControlError::Conflict(message) => Unanswered::Full(message),
                ControlError::Invalid(_) | ControlError::InvalidDocument(_) => {
                    Unanswered::Invalid(error.to_string())
                }
                ControlError::NotFound(_) | ControlError::Busy | ControlError::Stopping => {
                    Unanswered::Unknown(error.to_string())
                }
            })
    }

    fn refused(&self, method: Method, error: Unanswered) -> Status {
        let status = Status::from(error);
        self.calls.count(method, status.code());
        status
    }

    /// Waits a little for an answer that may come in a moment.
    async fn read<T>(
        &self,
        read: impl Fn(&Published) -> Result<T, Unanswered>,
    ) -> Result<T, Unanswered> {
        let mut publications = self.control.publications();
        let settled = async {
            loop {
                publications.mark_unchanged();
                let answer = read(&self.control.published());
                let not_yet = matches!(answer, Err(Unanswered::NotYet(_)));
                if !not_yet || publications.changed().await.is_err() {
                    return answer;
                }
            }
        };
        match timeout(PATIENCE, settled).await {
            Ok(answer) => answer,
            Err(_) => read(&self.control.published()),
        }
    }

    /// Answers with what `answer` makes of the subject's standing, and keeps it in words.
    async fn answer<T>(
        &self,
        asked: &Asked,
        answer: impl FnOnce(&Standing) -> (T, &'static str),
    ) -> Result<Response<T>, Status> {
        let standing = self.read(|published| answer::standing(published, &asked.asking));
        let answered = standing.await.map(|standing| {
            let (message, words) = answer(&standing);
            (message, words.to_owned(), standing.because)
        });
        self.finish(asked, answered)
    }

    /// Keeps what was answered and why, counts it, and sends it.
    fn finish<T>(
        &self,
        asked: &Asked,
        answered: Result<(T, String, String), Unanswered>,
    ) -> Result<Response<T>, Status> {
        let Asked {
            method,
            peer,
            caller,
            ..
        } = asked;
        match answered {
            Ok((message, words, because)) => {
                let kept = Ok((words, because));
                self.scaled_objects.answered(caller, *method, *peer, kept);
                self.calls.count(*method, Code::Ok);
                Ok(Response::new(message))
            }
            Err(error) => {
                self.scaled_objects
                    .answered(caller, *method, *peer, Err(&error));
                Err(self.refused(*method, error))
            }
        }
    }

    /// The metrics there are, with their names in words.
    async fn announced(&self, asking: &Asking) -> Result<(Vec<Metric>, String), Unanswered> {
        let read = |published: &Published| answer::announced(published, asking);
        let metrics = self.read(read).await?;
        let words = names(&metrics);
        Ok((metrics, words))
    }
}

/// Why a trigger has the metrics that it has.
const AS_ASKED: &str = "as the trigger's metadata says";

#[tonic::async_trait]
impl ExternalScaler for Service {
    type StreamIsActiveStream = Messages<IsActiveResponse>;
    type StreamMetricSpecStream = Messages<GetMetricSpecResponse>;

    async fn is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<IsActiveResponse>, Status> {
        let asked = self.asked(Method::IsActive, request).await?;
        let active = |standing: &Standing| {
            let result = standing.replicas > 0;
            let words = if result { "active" } else { "not active" };
            (IsActiveResponse { result }, words)
        };
        self.answer(&asked, active).await
    }

    async fn stream_is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamIsActiveStream>, Status> {
        let asked = self.asked(Method::StreamIsActive, request).await?;
        // Before what it stands at is read, so that no edge falls in between.
        let scope = asked.asking.scope.clone();
        let pulse = self.pulses.watch(scope, &self.control);
        let open = self
            .scaled_objects
            .open_stream(asked.caller.clone(), asked.peer);
        let stopping = self.stopping.clone();
        let messages = |_: &Standing| {
            let activity = Activity::new(pulse, stopping, open);
            let messages: Self::StreamIsActiveStream = Box::pin(activity.messages());
            (messages, "opened")
        };
        self.answer(&asked, messages).await
    }

    async fn get_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<GetMetricSpecResponse>, Status> {
        let asked = self.asked(Method::GetMetricSpec, request).await?;
        let announced = self.announced(&asked.asking).await;
        let answered =
            announced.map(|(metrics, words)| (specs(&metrics), words, AS_ASKED.to_owned()));
        self.finish(&asked, answered)
    }

    async fn stream_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Result<Response<Self::StreamMetricSpecStream>, Status> {
        let asked = self.asked(Method::StreamMetricSpec, request).await?;
        let open = self
            .scaled_objects
            .open_stream(asked.caller.clone(), asked.peer);
        let (asking, control) = (Arc::clone(&asked.asking), self.control.clone());
        let present = move || {
            let announced = answer::announced(&control.published(), &asking);
            announced.ok().map(|metrics| specs(&metrics))
        };
        let messages = streams::specs(present, self.stopping.clone(), open);
        let messages: Self::StreamMetricSpecStream = Box::pin(messages);
        let announced = self.announced(&asked.asking).await;
        let answered = announced.map(|(_, words)| (messages, words, AS_ASKED.to_owned()));
        self.finish(&asked, answered)
    }

    async fn get_metrics(
        &self,
        request: Request<GetMetricsRequest>,
    ) -> Result<Response<GetMetricsResponse>, Status> {
        let peer = request.remote_addr();
        let GetMetricsRequest {
            scaled_object_ref,
            metric_name,
        } = request.into_inner();
        let asked = self
            .asked_from(peer, Method::GetMetrics, scaled_object_ref)
            .await?;
        let read = |published: &Published| answer::measured(published, &asked.asking);
        let answered = self.read(read).await.and_then(|(standing, metrics)| {
            let metric = wanted(metrics, &metric_name)?;
            let value = metric.value.map_err(Unanswered::Unknown)?;
            let words = format!("{metric_name} {value} / target {}", metric.target);
            let metric_values = vec![metric_value(metric_name, value)];
            let message = GetMetricsResponse { metric_values };
            Ok((message, words, standing.because))
        });
        self.finish(&asked, answered)
    }
}

/// The metric of this name.
///
/// # Errors
/// When it is none of those announced.
fn wanted(mut metrics: Vec<Metric>, name: &str) -> Result<Metric, Unanswered> {
    let Some(place) = metrics.iter().position(|metric| metric.name == name) else {
        let announced = names(&metrics);
        return Err(Unanswered::NotFound(format!(
            "metricName: {name:?} was never announced; GetMetricSpec announces {announced}"
        )));
    };
    Ok(metrics.swap_remove(place))
}

/// `a, b`: the names of the metrics.
fn names(metrics: &[Metric]) -> String {
    let names = metrics.iter().map(|metric| metric.name.as_str());
    names.collect::<Vec<_>>().join(", ")
}

#[expect(deprecated, reason = "old clients read the whole number")]
fn specs(metrics: &[Metric]) -> GetMetricSpecResponse {
    let specs = metrics.iter().map(|metric| MetricSpec {
        metric_name: metric.name.clone(),
        target_size: whole(metric.target),
        target_size_float: metric.target,
    });
    GetMetricSpecResponse {
        metric_specs: specs.collect(),
    }
}

/// Both fields, since KEDA takes the whole number where the float is zero.
#[expect(deprecated, reason = "old clients read the whole number")]
fn metric_value(metric_name: String, value: f64) -> MetricValue {
    MetricValue {
        metric_name,
        metric_value: whole(value),
        metric_value_float: value,
    }
}

/// The whole number for clients that know no floats: rounded up, as the HPA rounds replicas, so
/// that it is zero only if the float is.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a float beyond i64 saturates"
)]
fn whole(value: f64) -> i64 {
    value.ceil() as i64
}
