//! Counters of the service's calls, by method and code.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tonic::Code;

use crate::grpc::ConnectionsSample;

/// What KEDA may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Method {
    IsActive,
    StreamIsActive,
    GetMetricSpec,
    StreamMetricSpec,
    GetMetrics,
}

impl Method {
    /// Its name in the contract.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::IsActive => "IsActive",
            Self::StreamIsActive => "StreamIsActive",
            Self::GetMetricSpec => "GetMetricSpec",
            Self::StreamMetricSpec => "StreamMetricSpec",
            Self::GetMetrics => "GetMetrics",
        }
    }
}

/// How often a method was answered with a code, since Ebbtide started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCount {
    /// The method: `GetMetrics`.
    pub method: &'static str,
    /// The code: `OK`, `UNAVAILABLE`.
    pub code: String,
    /// How often.
    pub calls: u64,
}

/// The service's counters, for `/metrics`. There are as many as methods times codes at most.
#[derive(Clone, Debug, Default)]
pub struct ServiceSample {
    /// Calls by method and code.
    pub calls: Vec<CallCount>,
    /// ScaledObjects that have asked.
    pub scaled_objects: usize,
    /// How many there may be.
    pub scaled_object_limit: usize,
    /// Streams that are open.
    pub streams: usize,
    /// Its connections.
    pub connections: ConnectionsSample,
}

/// Counts calls.
#[derive(Default)]
pub(super) struct Calls(Mutex<BTreeMap<(Method, i32), u64>>);

impl Calls {
    /// One more.
    pub(super) fn count(&self, method: Method, code: Code) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *calls.entry((method, code as i32)).or_default() += 1;
    }

    /// All of them.
    pub(super) fn counts(&self) -> Vec<CallCount> {
        let calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |(&(method, code), &calls): (&(Method, i32), &u64)| CallCount {
            method: method.name(),
            code: in_capitals(Code::from_i32(code)),
            calls,
        };
        calls.iter().map(count).collect()
    }
}

/// `NotFound` as the gRPC documents have it: `NOT_FOUND`.
fn in_capitals(code: Code) -> String {
    let mut name = String::new();
    for c in format!("{code:?}").chars() {
        if c.is_ascii_uppercase() && !name.is_empty() && !name.ends_with('O') {
            name.push('_');
        }
        name.push(c.to_ascii_uppercase());
    }
    name
}
