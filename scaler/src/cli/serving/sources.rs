//! What the status API answers from: what the runtime keeps of the replicas' output, and what the
//! ingress counts.

use std::sync::Arc;

use ebbtide_ingress::{LimitMeter, LimitReading};
use ebbtide_runtime::{LogLine, LogStore, Stream};
use futures_util::{StreamExt, stream};
use tokio::sync::broadcast::error::RecvError;

use crate::api::Sources;
use crate::api::logs::{Followed, LogFilter, LogSource, LogStream};
use crate::api::metrics::{MeterSource, RevisionSample};
use crate::api::model::LogRecord;
use crate::certificates::CertificateReports;
use crate::clock::SystemClock;
use crate::control::{Control, RevisionMetrics};
use crate::keda::{ExternalScaler, ScaledObjects, SourceBounds};

/// The output of the replicas.
#[derive(Clone)]
pub(in crate::cli) struct ReplicaLogs {
    /// Where the runtime keeps it.
    pub(in crate::cli) store: Arc<LogStore>,
    /// Converts its times.
    pub(in crate::cli) clock: Arc<SystemClock>,
}

impl ReplicaLogs {
    fn lines(&self, filter: &LogFilter, lines: usize) -> Vec<Arc<LogLine>> {
        let (revision, replica) = (filter.revision.as_deref(), filter.replica.as_deref());
        self.store.tail(&filter.app, revision, replica, lines)
    }

    fn record(&self, line: &LogLine) -> LogRecord {
        LogRecord {
            time: self.clock.rfc3339(line.at),
            revision: line.revision.to_string(),
            replica: line.replica.to_string(),
            container: line.container.to_string(),
            stream: match line.stream {
                Stream::Stdout => "stdout".to_owned(),
                Stream::Stderr => "stderr".to_owned(),
            },
            line: line.line.clone(),
        }
    }
}

/// No output: something else runs the replicas.
pub(in crate::cli) struct NoLogs;

impl LogSource for NoLogs {
    fn tail(&self, _filter: &LogFilter, _lines: usize) -> Vec<LogRecord> {
        Vec::new()
    }

    fn follow(&self, _filter: LogFilter, _lines: usize) -> LogStream {
        stream::empty().boxed()
    }
}

/// What the status API answers from.
pub(in crate::cli) fn sources(
    control: Control,
    door: Option<LimitMeter>,
    logs: Arc<dyn LogSource>,
    clock: Arc<SystemClock>,
    bounds: SourceBounds,
    certificates: CertificateReports,
) -> Sources {
    let scaled_objects = ScaledObjects::new(clock);
    Sources {
        logs,
        meters: Arc::new(Meters {
            control: control.clone(),
            door,
        }),
        scaler: ExternalScaler::new(control.clone(), scaled_objects, bounds),
        certificates,
        control,
    }
}

impl LogSource for ReplicaLogs {
    fn tail(&self, filter: &LogFilter, lines: usize) -> Vec<LogRecord> {
        self.lines(filter, lines)
            .iter()
            .map(|line| self.record(line))
            .collect()
    }

    fn follow(&self, filter: LogFilter, lines: usize) -> LogStream {
        // Following begins before the past is read, so none is lost; what is in both is left out.
        let receiver = self.store.follow();
        let past = self.lines(&filter, lines);
        let records: Vec<Followed> = past
            .iter()
            .map(|line| Followed::Line(self.record(line)))
            .collect();
        let logs = self.clone();
        let new = stream::unfold((receiver, past), move |(mut receiver, past)| {
            let (logs, filter) = (logs.clone(), filter.clone());
            async move {
                loop {
                    let item = match receiver.recv().await {
                        Ok(line) if past.iter().any(|known| Arc::ptr_eq(known, &line)) => continue,
                        Ok(line) if !passes(&filter, &line) => continue,
                        Ok(line) => Followed::Line(logs.record(&line)),
                        Err(RecvError::Lagged(count)) => Followed::Missed(count),
                        Err(RecvError::Closed) => return None,
                    };
                    return Some((item, (receiver, past)));
                }
            }
        });
        stream::iter(records).chain(new).boxed()
    }
}

fn passes(filter: &LogFilter, line: &LogLine) -> bool {
    let matches =
        |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
    line.revision.app() == filter.app
        && matches(&filter.revision, line.revision.as_str())
        && matches(&filter.replica, line.replica.as_str())
}

/// The counters of every revision, and of the ingress if there is one here.
struct Meters {
    control: Control,
    door: Option<LimitMeter>,
}

impl MeterSource for Meters {
    fn samples(&self) -> Vec<RevisionSample> {
        let published = self.control.published();
        published.revisions().map(sample).collect()
    }

    fn door(&self) -> Option<LimitReading> {
        self.door.as_ref().map(LimitMeter::read)
    }
}

fn sample(revision: &RevisionMetrics) -> RevisionSample {
    RevisionSample {
        app: revision.app.clone(),
        revision: revision.revision.clone(),
        requests: revision.meter.read(),
        decisions: revision.decisions,
        replicas: revision.replicas,
        readings: revision.readings.clone(),
    }
}
