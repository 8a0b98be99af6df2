//! What the replicas printed: a list, or with `follow` one JSON object a line as it comes.

use std::pin::Pin;
use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures_util::{Stream, StreamExt};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::Shared;
use super::apps::known_app;
use super::model::{List, LogRecord, Problem};
use super::problem::ApiError;

/// The lines of a log answer when the request does not say how many.
const DEFAULT_TAIL: usize = 100;

/// The most lines of the past in one answer.
const MAX_TAIL: usize = 10_000;

/// Which lines of an app's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// The app.
    pub app: String,
    /// Only those of this revision.
    pub revision: Option<String>,
    /// Only those of this replica.
    pub replica: Option<String>,
}

/// An item of a followed log.
#[derive(Clone, Debug)]
pub enum Followed {
    /// A line.
    Line(LogRecord),
    /// So many lines came faster than they were taken, and are gone.
    Missed(u64),
}

/// A log as it grows. Ends when there will be no more lines.
pub type LogStream = Pin<Box<dyn Stream<Item = Followed> + Send>>;

/// Where the lines that the replicas printed are kept.
pub trait LogSource: Send + Sync {
    /// The newest lines that pass the filter, at most `lines`, oldest first.
    fn tail(&self, filter: &LogFilter, lines: usize) -> Vec<LogRecord>;

    /// What [`LogSource::tail`] returns, and then each line that passes the filter as it comes;
    /// none twice, and none lost in between.
    fn follow(&self, filter: LogFilter, lines: usize) -> LogStream;
}

/// Query of `GET …/logs`.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LogQuery {
    /// Only lines of this revision.
    revision: Option<String>,
    /// Only lines of this replica.
    replica: Option<String>,
    /// How many lines of the past, 100 if absent, at most 10,000.
    tail: Option<usize>,
    /// Go on with new lines as they come.
    #[serde(default)]
    follow: bool,
}

/// What the replicas of an app printed, oldest first. With `follow=true` the answer is one JSON
/// object a line (`application/x-ndjson`) and does not end; `{"missedLines":N}` stands for lines
/// that came too fast.
#[utoipa::path(
    get, path = "/api/v1/apps/{app}/logs", tag = "apps",
    params(("app" = String, Path, description = "The app's name"), LogQuery),
    responses(
        (status = 200, description = "The lines", content(
            (List<LogRecord> = "application/json"), (LogRecord = "application/x-ndjson"))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Too many streams", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(super) async fn logs(
    State(api): State<Shared>,
    Path(app): Path<String>,
    Query(query): Query<LogQuery>,
) -> Result<Response, ApiError> {
    let known = known_app(&api, &app)?;
    let lines = query.tail.unwrap_or(DEFAULT_TAIL);
    if lines > MAX_TAIL {
        let detail = format!("tail={lines} is too many; ask for at most {MAX_TAIL} lines");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, detail));
    }
    let filter = LogFilter {
        app,
        revision: query.revision,
        replica: query.replica,
    };
    if let Some(revision) = &filter.revision {
        let is_known = known.revisions.iter().any(|one| one.name == *revision);
        // One that was purged may have left lines.
        if !is_known && api.sources.logs.tail(&filter, 1).is_empty() {
            return Err(ApiError::no_such_revision(&known, revision));
        }
    }
    if query.follow {
        return follow(&api, filter, lines);
    }
    let value = api.sources.logs.tail(&filter, lines);
    Ok(Json(List { value }).into_response())
}

fn follow(api: &Shared, filter: LogFilter, lines: usize) -> Result<Response, ApiError> {
    let permit = api.stream_permit()?;
    let stopped = Arc::clone(api);
    let lines = api.sources.logs.follow(filter, lines).map(move |item| {
        // The stream holds its permit for as long as it lives.
        let _permit = &permit;
        json_line(&item)
    });
    let body = lines.take_until(Box::pin(async move { stopped.stopped().await }));
    let headers = [(CONTENT_TYPE, "application/x-ndjson")];
    Ok((headers, Body::from_stream(body)).into_response())
}

fn json_line(item: &Followed) -> Result<Bytes, serde_json::Error> {
    let mut line = match item {
        Followed::Line(record) => serde_json::to_vec(record)?,
        Followed::Missed(count) => serde_json::to_vec(&json!({ "missedLines": count }))?,
    };
    line.push(b'\n');
    Ok(Bytes::from(line))
}

#[cfg(test)]
mod tests {
    use axum::http::header::CONTENT_TYPE;
    use serde_json::Value;

    use crate::api::testing::{Fixture, request};
    use axum::body::Body;
    use futures_util::StreamExt;

    #[tokio::test]
    async fn the_tail_is_a_list_of_what_passes_the_filter() {
        let fixture = Fixture::new();
        let path = "/api/v1/apps/hello/logs?revision=hello--v1&replica=r&tail=2";
        let lines = fixture.get(path).await.json();
        assert_eq!(lines["value"].as_array().unwrap().len(), 2);
        let filter = "LogFilter { app: \"hello\", revision: Some(\"hello--v1\"), \
                      replica: Some(\"r\") }";
        assert_eq!(lines["value"][0]["line"], filter);
    }

    #[tokio::test]
    async fn a_revision_that_neither_is_nor_left_lines_is_not_found() {
        let fixture = Fixture::new();
        for follow in ["", "&follow=true"] {
            let path = format!("/api/v1/apps/hello/logs?revision=hello--gone{follow}");
            let answer = fixture.get(&path).await;
            assert_eq!(answer.status, 404);
            let detail = &answer.json()["detail"];
            assert!(detail.to_string().contains("no revision"), "{detail}");
        }
    }

    #[tokio::test]
    async fn a_followed_log_is_one_object_a_line_until_the_server_stops() {
        let fixture = Fixture::new();
        let path = "/api/v1/apps/hello/logs?follow=true&tail=1";
        let get = request("GET", path).body(Body::empty()).unwrap();
        let response = fixture.start(get).await;
        assert_eq!(response.headers()[CONTENT_TYPE], "application/x-ndjson");
        let mut body = response.into_body().into_data_stream();
        let mut lines: Vec<Value> = Vec::new();
        for _ in 0..3 {
            let chunk = body.next().await.unwrap().unwrap();
            assert!(chunk.ends_with(b"\n"));
            lines.push(serde_json::from_slice(&chunk).unwrap());
        }
        assert_eq!(lines[0]["revision"], "hello--v1");
        assert_eq!(lines[1]["missedLines"], 7);
        assert_eq!(lines[2]["line"], "new");
        fixture.stop.send_replace(true);
        assert!(body.next().await.is_none());
    }
}
