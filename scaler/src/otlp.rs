//! The export of spans: one for each request whose trace is sampled, in batches, by OTLP to a collector.
//!
//! Requests never wait for it. What the collector does not take in time is dropped, and counted.

mod attributes;
mod collector;
mod grpc;
mod headers;
mod http;
mod resource;
mod settings;
mod span;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::time::Clock;
use ebbtide_ingress::{Records, SpanRecord};
use ebbtide_proto::otlp::{
    ExportTraceServiceRequest, InstrumentationScope, Resource, ResourceSpans, ScopeSpans,
};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::clock::SystemClock;
use crate::log::Said;
use crate::stopping::told;

use collector::{Collector, Failure};
pub use settings::{OtlpEndpoint, OtlpOptions, OtlpProtocol, OtlpSettings};

/// Spans that are sent at once at most. One is less than 4 KiB, and collectors take 4 MiB.
const BATCH: usize = 1024;

/// How long a span waits for others to go with it.
const GATHER: Duration = Duration::from_secs(1);

/// How often a batch is sent before it is dropped.
const ATTEMPTS: u32 = 5;

/// Time from a failure to the next attempt: this at first, then twice as long each time, or as long as the
/// collector asks for.
const RETRY: Duration = Duration::from_millis(500);
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// Time for what is left once this is told to stop.
const FLUSH: Duration = Duration::from_secs(5);

/// Where the conventions of the attributes are stable.
const SCHEMA: &str = "https://opentelemetry.io/schemas/1.23.0";

/// Exports spans. One task owns it.
pub struct SpanExporter {
    records: Records<SpanRecord>,
    collector: Collector,
    resource: Resource,
    clock: Arc<SystemClock>,
    said: Said,
}

impl SpanExporter {
    /// What exports `records` as the settings have it. It connects when there is a span. Needs a runtime.
    ///
    /// # Errors
    /// A file that is not what it should be, or no root to trust the collector by.
    pub fn new(
        settings: OtlpSettings,
        records: Records<SpanRecord>,
        clock: Arc<SystemClock>,
    ) -> anyhow::Result<Self> {
        settings.warn_of_port();
        Ok(Self {
            records,
            resource: resource::of(&settings.resource),
            collector: Collector::new(settings)?,
            clock,
            said: Said::default(),
        })
    }

    /// Exports until told to stop, and then what is left, for a short time.
    pub fn spawn(self, tasks: &mut JoinSet<()>, stopped: watch::Receiver<bool>) {
        tasks.spawn(self.run(stopped));
    }

    async fn run(mut self, stopped: watch::Receiver<bool>) {
        let mut batch = Vec::with_capacity(BATCH);
        tokio::select! {
            () = self.export(&mut batch, &stopped) => {}
            () = gave_up(stopped.clone()) => {}
        }
        self.records.close();
        let left = batch.len() + self.records.waiting();
        if left > 0 {
            self.records.lost(left as u64);
            let collector = &self.collector;
            tracing::warn!("{left} spans were not exported: {collector} did not take them in time");
        }
    }

    /// Exports until there will be no more. Dropped before, it leaves in `batch` what it did not come to.
    async fn export(&mut self, batch: &mut Vec<SpanRecord>, stopped: &watch::Receiver<bool>) {
        loop {
            self.gather(batch, stopped).await;
            if batch.is_empty() {
                return;
            }
            self.deliver(batch, stopped).await;
            batch.clear();
        }
    }

    /// Waits for spans, and a moment longer for more. None once there will be no more.
    async fn gather(&mut self, batch: &mut Vec<SpanRecord>, stopped: &watch::Receiver<bool>) {
        let is_told = tokio::select! {
            biased;
            () = told(stopped.clone()) => true,
            _ = self.records.next(batch, BATCH) => false,
        };
        if is_told {
            self.records.close();
            self.records.next(batch, BATCH).await;
            return;
        }
        let records = &mut self.records;
        let more = async {
            while !batch.is_empty()
                && batch.len() < BATCH
                && records.next(batch, BATCH - batch.len()).await > 0
            {}
        };
        tokio::select! {
            () = more => {}
            () = sleep(GATHER) => {}
            () = told(stopped.clone()) => {}
        }
    }

    /// Sends a batch, again if need be; once this is told to stop, once.
    async fn deliver(&mut self, batch: &[SpanRecord], stopped: &watch::Receiver<bool>) {
        let request = self.request(batch);
        let count = batch.len() as u64;
        let mut retry = RETRY;
        for attempt in 1.. {
            let is_last = attempt == ATTEMPTS || *stopped.borrow();
            let failure = match self.collector.send(&request).await {
                Ok(rejected) => return self.sent(count, rejected),
                Err(failure) => failure,
            };
            self.say(&failure);
            if is_last || !failure.is_transient {
                return self.records.lost(count);
            }
            let wait = failure.wait.unwrap_or(retry).min(LONGEST_RETRY);
            tokio::select! {
                () = sleep(wait) => {}
                () = told(stopped.clone()) => {}
            }
            retry *= 2;
        }
    }

    fn sent(&mut self, count: u64, rejected: Option<(u64, String)>) {
        let (rejected, message) = rejected.unwrap_or_default();
        let rejected = rejected.min(count);
        self.records.wrote(count - rejected);
        self.records.lost(rejected);
        if rejected == 0 {
            self.said.clear();
        } else {
            let message = format!("it rejects spans: {message}");
            self.say(&Failure::lasting(message));
        }
    }

    fn say(&mut self, failure: &Failure) {
        let message = &failure.message;
        if self.said.is_news(message) {
            let collector = &self.collector;
            tracing::warn!(
                "spans do not get to {collector}: {message}; requests are served all the same"
            );
        }
    }

    fn request(&self, batch: &[SpanRecord]) -> ExportTraceServiceRequest {
        let now = self.clock.now();
        let since_1970 = self.clock.since_1970(now).as_nanos();
        let origin = since_1970.saturating_sub(now.as_nanos());
        let spans = batch.iter().filter_map(|one| span::of(one, origin));
        let scope = InstrumentationScope {
            name: "ebbtide.ingress".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let scope_spans = ScopeSpans {
            scope: Some(scope),
            spans: spans.collect(),
            schema_url: SCHEMA.to_owned(),
        };
        let resource_spans = ResourceSpans {
            resource: Some(self.resource.clone()),
            scope_spans: vec![scope_spans],
        };
        ExportTraceServiceRequest {
            resource_spans: vec![resource_spans],
        }
    }
}

/// Waits until there is no more time for what is left.
async fn gave_up(stopped: watch::Receiver<bool>) {
    told(stopped).await;
    sleep(FLUSH).await;
}
