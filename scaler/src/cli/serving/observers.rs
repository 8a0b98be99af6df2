//! Whoever is told of requests: the access log, and a collector of spans.

use std::sync::Arc;

use ebbtide_ingress::{AccessLog, IngressOptions, Spans};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::super::arguments::ObservingArguments;
use crate::access_log::AccessLogWriter;
use crate::clock::SystemClock;
use crate::otlp::{OtlpSettings, SpanExporter};

/// Whoever is told of requests.
pub(in crate::cli) struct Observers {
    access_log: Option<AccessLogWriter>,
    spans: Option<SpanExporter>,
}

impl Observers {
    /// Opens those that the arguments name, and has the ingress tell them. Needs a runtime.
    ///
    /// # Errors
    /// An argument, a variable or a file that is not what it should be.
    pub(super) fn open(
        arguments: &ObservingArguments,
        options: &mut IngressOptions,
        clock: &Arc<SystemClock>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            access_log: open_access_log(arguments, options, clock)?,
            spans: open_spans(arguments, options, clock)?,
        })
    }

    /// Has them take what they are told until told to stop.
    pub(in crate::cli) fn spawn(self, tasks: &mut JoinSet<()>, stopped: &watch::Receiver<bool>) {
        if let Some(writer) = self.access_log {
            writer.spawn(tasks, stopped.clone());
        }
        if let Some(exporter) = self.spans {
            exporter.spawn(tasks, stopped.clone());
        }
    }
}

fn open_access_log(
    arguments: &ObservingArguments,
    options: &mut IngressOptions,
    clock: &Arc<SystemClock>,
) -> anyhow::Result<Option<AccessLogWriter>> {
    let Some(destination) = &arguments.access_log else {
        return Ok(None);
    };
    let (log, records) = AccessLog::new(arguments.access_log_sample, arguments.access_log_query);
    options.access_log = Some(log);
    AccessLogWriter::open(destination, records, Arc::clone(clock)).map(Some)
}

fn open_spans(
    arguments: &ObservingArguments,
    options: &mut IngressOptions,
    clock: &Arc<SystemClock>,
) -> anyhow::Result<Option<SpanExporter>> {
    let variable = |name: &str| std::env::var(name).ok();
    let Some(settings) = OtlpSettings::new(&arguments.otlp(), variable)? else {
        return Ok(None);
    };
    let (spans, records) = Spans::new();
    options.spans = Some(spans);
    SpanExporter::new(settings, records, Arc::clone(clock)).map(Some)
}
