//! Answers while a revision has no ready replica, for apps that do not want requests held.

use std::rc::Rc;
use std::sync::Arc;

use ebbtide_core::name::RevisionName;
use ebbtide_core::policy::{ColdAnswer, RequestPolicy};
use ebbtide_core::time::Timestamp;
use http::header::ACCEPT;
use http::{HeaderMap, Method, Request, StatusCode};
use serde_json::json;

use super::directory::range_of;
use super::refusal::{Refusal, TEXT};
use super::visit::Visit;
use crate::connection::Peer;
use crate::headers;
use crate::table::{Backend, BackendState};

/// Seconds from one look to the next, for pages and for those that are told when to try again.
pub(super) const RETRY_AFTER: &str = "2";

/// An answer that is given instead of holding a request.
#[derive(Debug)]
pub(super) struct Instead {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) text: String,
    /// Whether it is worth asking again soon.
    pub(super) is_starting: bool,
}

/// Answers a request that would have to wait, if its app wants that. Of a path that the app has named
/// nothing is counted, and nothing woken; others are counted and wake the revision as they would if
/// they waited.
pub(super) fn answer<B>(
    peer: &Peer,
    request: &Request<B>,
    backend: &Arc<Backend>,
    arrived: Timestamp,
) -> Result<(), Refusal> {
    let policy = &*backend.policy;
    let has_answers = policy.cold_paths.is_some() || policy.cold_answer.is_some();
    if !has_answers || !is_cold(&backend.state) {
        return Ok(());
    }
    if let Some(status) = path_status(policy, request) {
        return Err(Refusal::Cold(Instead::named(&backend.revision, status)));
    }
    let answer = policy.cold_answer.unwrap_or_default();
    let Some(instead) = instead(answer, request, &backend.revision) else {
        return Ok(());
    };
    let worker = &peer.worker;
    let mut visit = Visit::begin(Rc::clone(worker), Arc::clone(backend), arrived);
    visit.answered(instead.status);
    drop(visit);
    worker.activate_once_a_tick(&backend.revision);
    Err(Refusal::Cold(instead))
}

/// Whether requests would wait: one that has failed says so, whatever is asked.
fn is_cold(state: &BackendState) -> bool {
    match state {
        BackendState::Serving(replicas) => replicas.iter().all(|replica| replica.is_closed()),
        BackendState::Failed { .. } => false,
    }
}

fn path_status<B>(policy: &RequestPolicy, request: &Request<B>) -> Option<StatusCode> {
    if !is_read(request.method()) {
        return None;
    }
    let status = policy.cold_paths.as_ref()?.status(request.uri().path())?;
    StatusCode::from_u16(status).ok()
}

/// Whether a request only reads, so that an answer of ours loses nothing.
fn is_read(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// What a request is told; none if it is held.
fn instead<B>(
    answer: ColdAnswer,
    request: &Request<B>,
    revision: &RevisionName,
) -> Option<Instead> {
    let loads_a_page = is_read(request.method())
        && headers::upgrade_of(request).is_none()
        && accepts_html(request.headers());
    if answer.page && loads_a_page {
        return Some(Instead::page(revision.app()));
    }
    answer.json.then(|| Instead::json(revision))
}

/// Whether a client names HTML among what it takes, as browsers do when they load a page.
fn accepts_html(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT).iter();
    let mut ranges = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    ranges.any(|range| matches!(range_of(range), ("text/html", weight) if weight > 0))
}

impl Instead {
    fn named(revision: &RevisionName, status: StatusCode) -> Self {
        Self {
            status,
            content_type: TEXT,
            text: format!(
                "app {} has no replica now, and needs none for this\n",
                revision.app()
            ),
            is_starting: false,
        }
    }

    fn page(app: &str) -> Self {
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            content_type: "text/html; charset=utf-8",
            // An app's name has letters, digits and dashes only.
            text: include_str!("cold.html")
                .replace("{app}", app)
                .replace("{seconds}", RETRY_AFTER),
            is_starting: true,
        }
    }

    fn json(revision: &RevisionName) -> Self {
        let app = revision.app();
        let value = json!({
            "error": format!("app {app} has no ready replica; it is being woken"),
            "app": app,
            "revision": revision.as_str(),
        });
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            content_type: "application/json",
            text: value.to_string(),
            is_starting: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(answer: &str, method: &str, headers: &[(&str, &str)]) -> &'static str {
        let mut builder = Request::builder().method(method);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let request = builder.body(()).unwrap();
        let revision = RevisionName::parse("hello--v1").unwrap();
        let answer = ColdAnswer::parse(answer).unwrap();
        match instead(answer, &request, &revision).map(|instead| instead.content_type) {
            None => "held",
            Some("application/json") => "json",
            Some(_) => "page",
        }
    }

    #[test]
    fn browsers_that_load_a_page_get_one_and_the_others_what_the_app_wants() {
        let browser = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        let any = ("accept", "*/*");
        let websocket = [("connection", "upgrade"), ("upgrade", "websocket"), browser];
        for (answer, method, headers, expected) in [
            ("hold", "GET", &[browser][..], "held"),
            ("page", "GET", &[browser], "page"),
            ("page", "HEAD", &[browser], "page"),
            ("page", "POST", &[browser], "held"),
            ("page", "GET", &[any], "held"),
            ("page", "GET", &[], "held"),
            ("page", "GET", &[("accept", "text/html;q=0")], "held"),
            ("page", "GET", &websocket, "held"),
            ("json", "GET", &[browser], "json"),
            ("json", "POST", &[], "json"),
            ("page, json", "GET", &[browser], "page"),
            ("page, json", "POST", &[browser], "json"),
            ("page, json", "GET", &[any], "json"),
        ] {
            let found = told(answer, method, headers);
            assert_eq!(found, expected, "{answer} {method} {headers:?}");
        }
    }

    #[test]
    fn the_page_loads_itself_again() {
        let page = Instead::page("hello").text;
        assert!(page.contains("content=\"2\""), "{page}");
        assert!(page.contains("hello") && !page.contains('{'), "{page}");
    }
}
