//! The answers that do not end: when a subject becomes active, and what its metrics are.

use std::time::Duration;

use ebbtide_proto::external_scaler::{GetMetricSpecResponse, IsActiveResponse};
use futures_util::{Stream, stream};
use tokio::sync::watch;
use tokio::time::sleep;
use tonic::Status;

use super::pulse::Pulse;
use super::scaled_objects::OpenStream;

/// How often `true` is said again while requests wait and nothing is ready. KEDA drops one that
/// comes before it has made the HPA, and each one costs its API server a write.
const RESEND: Duration = Duration::from_secs(1);

/// What a stream of activity follows.
pub(super) struct Activity {
    pulse: watch::Receiver<Pulse>,
    stopping: watch::Receiver<bool>,
    /// The rises that have been told; none before the first message.
    told: Option<u64>,
    /// Counts the stream for as long as it lives.
    open: OpenStream,
}

impl Activity {
    /// Follows `pulse` until `stopping`.
    pub(super) fn new(
        pulse: watch::Receiver<Pulse>,
        stopping: watch::Receiver<bool>,
        open: OpenStream,
    ) -> Self {
        Self {
            pulse,
            stopping,
            told: None,
            open,
        }
    }

    /// The present state, then `true` on each rising edge, and again about once a second while
    /// requests wait and nothing is ready. Ends, with OK, when the server stops: KEDA resets its
    /// backoff for a stream only then.
    pub(super) fn messages(self) -> impl Stream<Item = Result<IsActiveResponse, Status>> + Send {
        stream::unfold(self, async |mut following| {
            let result = following.next().await?;
            following.open.sent(result);
            Some((Ok(IsActiveResponse { result }), following))
        })
    }

    async fn next(&mut self) -> Option<bool> {
        loop {
            let pulse = *self.pulse.borrow_and_update();
            match self.told.replace(pulse.rises) {
                None => return Some(pulse.active),
                Some(told) if told != pulse.rises => return Some(true),
                Some(_) => {}
            }
            tokio::select! {
                biased;
                _ = self.stopping.wait_for(|stopping| *stopping) => return None,
                changed = self.pulse.changed() => changed.ok()?,
                () = sleep(RESEND), if pulse.active && pulse.waiting => return Some(true),
            }
        }
    }
}

/// How often it is looked whether a trigger's metrics are others now: they change with a document,
/// and KEDA asks again at each poll in any case.
const SPECS_INTERVAL: Duration = Duration::from_secs(1);

/// What a stream of metric specs follows.
struct Specs<Present> {
    present: Present,
    stopping: watch::Receiver<bool>,
    sent: Option<GetMetricSpecResponse>,
    _open: OpenStream,
}

/// The present specs, and then again whenever they are others. Ends, with OK, when the server
/// stops.
pub(super) fn specs(
    present: impl FnMut() -> Option<GetMetricSpecResponse> + Send,
    stopping: watch::Receiver<bool>,
    open: OpenStream,
) -> impl Stream<Item = Result<GetMetricSpecResponse, Status>> + Send {
    let following = Specs {
        present,
        stopping,
        sent: None,
        _open: open,
    };
    stream::unfold(following, async |mut following| {
        loop {
            let specs = (following.present)();
            if specs.is_some() && specs != following.sent {
                following.sent.clone_from(&specs);
                return Some((Ok(specs?), following));
            }
            tokio::select! {
                biased;
                _ = following.stopping.wait_for(|stopping| *stopping) => return None,
                () = sleep(SPECS_INTERVAL) => {}
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ebbtide_proto::external_scaler::{MetricSpec, ScaledObjectRef};
    use futures_util::StreamExt;

    use super::super::scaled_objects::ScaledObjects;
    use super::*;
    use crate::clock::SystemClock;

    fn open_stream() -> OpenStream {
        let objects = ScaledObjects::new(Arc::new(SystemClock::start()));
        let reference = ScaledObjectRef {
            name: "hello".to_owned(),
            scaler_metadata: [("app".to_owned(), "hello".to_owned())].into(),
            ..ScaledObjectRef::default()
        };
        let (caller, _) = objects.caller(reference, None).unwrap();
        objects.open_stream(caller, None)
    }

    fn held(waiting: bool) -> Pulse {
        Pulse {
            active: true,
            waiting,
            rises: 0,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn true_is_said_each_second_while_requests_wait_and_nothing_is_ready() {
        let (pulse, following) = watch::channel(held(true));
        let (_stop, stopping) = watch::channel(false);
        let messages = Activity::new(following, stopping, open_stream()).messages();
        tokio::pin!(messages);
        for _ in 0..3 {
            assert!(messages.next().await.unwrap().unwrap().result);
        }
        pulse.send_replace(held(false));
        let silent = tokio::time::timeout(Duration::from_secs(3600), messages.next()).await;
        assert!(silent.is_err(), "nothing is said while a replica is ready");
    }

    #[tokio::test(start_paused = true)]
    async fn an_edge_is_told_even_if_it_has_fallen_again() {
        let (pulse, following) = watch::channel(Pulse::default());
        let (stop, stopping) = watch::channel(false);
        let messages = Activity::new(following, stopping, open_stream()).messages();
        tokio::pin!(messages);
        assert!(!messages.next().await.unwrap().unwrap().result);
        pulse.send_replace(Pulse {
            rises: 1,
            ..Pulse::default()
        });
        assert!(messages.next().await.unwrap().unwrap().result);
        stop.send_replace(true);
        assert!(messages.next().await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn specs_are_told_again_when_they_are_others() {
        let mut looks = 0;
        let present = move || {
            looks += 1;
            let target = if looks < 5 { 10.0 } else { 20.0 };
            let spec = MetricSpec {
                target_size_float: target,
                ..MetricSpec::default()
            };
            Some(GetMetricSpecResponse {
                metric_specs: vec![spec],
            })
        };
        let (_stop, stopping) = watch::channel(false);
        let messages = specs(present, stopping, open_stream());
        tokio::pin!(messages);
        for target in [10.0, 20.0] {
            let specs = messages.next().await.unwrap().unwrap().metric_specs;
            assert!((specs[0].target_size_float - target).abs() < 1e-9);
        }
    }
}
