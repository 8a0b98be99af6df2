//! What a report says of a run that is known before it: its load, and what is sent where and how.

use std::time::Duration;

use jiff::Timestamp;

use super::model::{Destination, LoopKind};
use crate::plan::{Connections, HttpTarget, Load, Plan, Target, TargetKind, Template, Version};

/// What is known of a run before its first request.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) seed: u64,
    pub(crate) loop_kind: LoopKind,
    /// In words.
    pub(crate) load: String,
    pub(crate) started: Timestamp,
    pub(crate) destinations: Vec<Destination>,
    pub(crate) stages: Vec<crate::plan::Stage>,
    /// The most lateness of a valid run at the 99th percentile.
    pub(crate) lateness_p99: Duration,
    /// The header whose values are counted, if any.
    pub(crate) count_header: Option<String>,
    /// The positions of those destinations that are queues.
    pub(crate) queues: Vec<usize>,
}

impl Head {
    /// Of a plan; `load` says its load in words.
    pub(crate) fn of(plan: &Plan, load: String, started: Timestamp) -> Self {
        let shares: f64 = plan.targets.iter().map(|target| target.share).sum();
        Self {
            name: plan.name.clone(),
            seed: plan.seed,
            loop_kind: match plan.load {
                Load::Open { .. } => LoopKind::Open,
                Load::Closed { .. } => LoopKind::Closed,
            },
            load,
            started,
            destinations: (plan.targets.iter())
                .map(|target| destination(target, shares))
                .collect(),
            stages: plan.stages.clone(),
            lateness_p99: plan.validity.lateness_p99,
            count_header: plan.targets.iter().find_map(|target| {
                let header = target.kind.http()?.count_header.as_ref();
                header.map(ToString::to_string)
            }),
            queues: (plan.targets.iter().enumerate())
                .filter(|(_, target)| matches!(target.kind, TargetKind::Queue(_)))
                .map(|(position, _)| position)
                .collect(),
        }
    }
}

fn destination(target: &Target, shares: f64) -> Destination {
    let (what, how) = match &target.kind {
        TargetKind::Http(http) => (
            format!("{} {}", http.method, http.url),
            how(http, version(http), "body"),
        ),
        TargetKind::WebSocket(of) => (
            format!("messages to {}", of.http.url),
            how(&of.http, "WebSocket", "message"),
        ),
        TargetKind::Grpc(of) => (
            format!("{} at {}", method(&of.http), of.http.url),
            how(&of.http, "gRPC", "messages"),
        ),
        TargetKind::Queue(queue) => (
            format!("enqueue to {}", queue.broker.in_words()),
            format!(
                "completions come through {}{}",
                queue.completed,
                sent(&queue.body, "body")
            ),
        ),
    };
    Destination {
        target: target.name.clone(),
        what,
        how,
        share_percent: 100.0 * target.share / shares,
    }
}

fn version(http: &HttpTarget) -> &'static str {
    match http.version {
        Version::Http1 => "HTTP/1.1",
        Version::Http2 => "HTTP/2",
    }
}

/// The method that a call of gRPC names in its path.
fn method(http: &HttpTarget) -> String {
    let path = http.path.fixed().map(|path| String::from_utf8_lossy(path));
    path.unwrap_or_default().trim_start_matches('/').to_owned()
}

/// `body` is what a body is called.
fn how(http: &HttpTarget, protocol: &str, body: &str) -> String {
    let tls = if http.tls.is_some() { " with TLS" } else { "" };
    let connections = match http.connections {
        Connections::Pool(most) => format!("at most {most} requests in flight"),
        Connections::PerRequest(most) => format!("a connection for each request, at most {most}"),
        Connections::Fixed(number) => format!("{number} connections"),
    };
    let sent = sent(&http.body, body);
    format!(
        "Host {}, {protocol}{tls}, {connections}{sent}",
        http.authority
    )
}

/// What is sent, which is called `name`.
fn sent(what: &Template, name: &str) -> String {
    match what {
        Template::Fixed(bytes) if bytes.is_empty() => String::new(),
        Template::Fixed(bytes) => format!(", {name} of {} bytes", bytes.len()),
        Template::Pieces(_) => format!(", {name} of a template"),
    }
}
