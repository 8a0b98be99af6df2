//! Reading: health, apps, revisions, decisions, history.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Shared;
use super::model::{AppStatus, DecisionRecord, List, Problem, RevisionHistory, RevisionStatus};
use super::problem::ApiError;
use crate::control::{Command, Published};

/// The decisions of an answer when the request does not say how many.
const DEFAULT_LIMIT: usize = 50;

/// The most decisions in one answer.
const MAX_LIMIT: usize = 1000;

/// The app as it was published last.
pub(super) fn known_app(api: &Shared, app: &str) -> Result<AppStatus, ApiError> {
    let published = api.sources.control.published();
    let found = published.app(app);
    found.cloned().ok_or_else(|| ApiError::no_such_app(app))
}

/// Whether the process lives.
#[utoipa::path(get, path = "/healthz", tag = "health", responses((status = 200, body = String)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Whether the first documents have been applied, and the ingress has its table or an ingress has
/// reported.
#[utoipa::path(get, path = "/readyz", tag = "health", responses(
    (status = 200, body = String),
    (status = 503, body = Problem, content_type = "application/problem+json"),
))]
pub(super) async fn readyz(State(api): State<Shared>) -> Result<&'static str, ApiError> {
    let published: Arc<Published> = api.sources.control.published();
    let detail = match () {
        () if *api.stopping.borrow() => "ebbtide is shutting down",
        () if !published.ready => "the first documents have not been applied yet",
        () if !published.informed => "no ingress has reported yet",
        () => return Ok("ok\n"),
    };
    Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, detail))
}

/// Every app, by name.
#[utoipa::path(get, path = "/api/v1/apps", tag = "apps", responses(
    (status = 200, body = List<AppStatus>),
))]
pub(super) async fn apps(State(api): State<Shared>) -> Json<List<AppStatus>> {
    Json(List {
        value: api
            .sources
            .control
            .published()
            .statuses()
            .cloned()
            .collect(),
    })
}

/// One app.
#[utoipa::path(
    get, path = "/api/v1/apps/{app}", tag = "apps",
    params(("app" = String, Path, description = "The app's name")),
    responses(
        (status = 200, body = AppStatus),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn app(
    State(api): State<Shared>,
    Path(app): Path<String>,
) -> Result<Json<AppStatus>, ApiError> {
    known_app(&api, &app).map(Json)
}

/// The revisions of an app, newest first, inactive ones too.
#[utoipa::path(
    get, path = "/api/v1/apps/{app}/revisions", tag = "revisions",
    params(("app" = String, Path, description = "The app's name")),
    responses(
        (status = 200, body = List<RevisionStatus>),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn revisions(
    State(api): State<Shared>,
    Path(app): Path<String>,
) -> Result<Json<List<RevisionStatus>>, ApiError> {
    let value = known_app(&api, &app)?.revisions;
    Ok(Json(List { value }))
}

/// Query of `GET …/decisions`.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DecisionQuery {
    /// At most this many, 50 if absent, from 1 to 1,000.
    limit: Option<usize>,
}

/// The decisions of an app, newest first.
#[utoipa::path(
    get, path = "/api/v1/apps/{app}/decisions", tag = "apps",
    params(("app" = String, Path, description = "The app's name"), DecisionQuery),
    responses(
        (status = 200, body = List<DecisionRecord>),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn decisions(
    State(api): State<Shared>,
    Path(app): Path<String>,
    Query(query): Query<DecisionQuery>,
) -> Result<Json<List<DecisionRecord>>, ApiError> {
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        let detail = format!("limit={limit} is not possible; use 1 to {MAX_LIMIT}");
        return Err(ApiError::new(StatusCode::BAD_REQUEST, detail));
    }
    let ask = |reply| Command::Decisions { app, limit, reply };
    let value = api.sources.control.ask(ask).await?;
    Ok(Json(List { value }))
}

/// The last minutes of an app's revisions, a point a second, for charts.
#[utoipa::path(
    get, path = "/api/v1/apps/{app}/history", tag = "apps",
    params(("app" = String, Path, description = "The app's name")),
    responses(
        (status = 200, body = List<RevisionHistory>),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn history(
    State(api): State<Shared>,
    Path(app): Path<String>,
) -> Result<Json<List<RevisionHistory>>, ApiError> {
    let ask = |reply| Command::History { app, reply };
    let value = api.sources.control.ask(ask).await?;
    Ok(Json(List { value }))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;
    use crate::api::testing::{Fixture, app, echo, request};

    #[tokio::test]
    async fn apps_are_what_was_published_last() {
        let fixture = Fixture::new();
        assert_eq!(
            fixture.get("/api/v1/apps").await.json()["value"][0]["name"],
            "hello"
        );
        assert_eq!(
            fixture.get("/api/v1/apps/hello").await.json()["sentence"],
            "at zero"
        );
        let none = fixture.get("/api/v1/apps/hello/revisions").await.json();
        assert_eq!(none["value"], serde_json::json!([]));
        fixture.published.store(Arc::new(Published {
            apps: vec![Arc::new(app("other").into())],
            ..Published::default()
        }));
        assert_eq!(fixture.get("/api/v1/apps/hello").await.problem().0, 404);
        assert_eq!(fixture.get("/api/v1/apps/other").await.status, 200);
    }

    #[tokio::test]
    async fn ready_means_that_documents_were_applied_and_no_shutdown_has_begun() {
        let fixture = Fixture::new();
        assert_eq!(fixture.get("/readyz").await.status, 200);
        fixture.stop.send_replace(true);
        assert_eq!(fixture.get("/readyz").await.problem().0, 503);
        let fixture = Fixture::new();
        fixture.published.store(Arc::new(Published::default()));
        assert_eq!(fixture.get("/readyz").await.problem().0, 503);
        assert_eq!(fixture.get("/healthz").await.text, "ok\n");
    }

    #[tokio::test]
    async fn decisions_and_history_come_from_the_control_task() {
        let fixture = Fixture::new();
        for (path, expected) in [
            ("/api/v1/apps/hello/decisions", "hello 50"),
            ("/api/v1/apps/hello/decisions?limit=1000", "hello 1000"),
            ("/api/v1/apps/hello/history", "hello"),
        ] {
            let get = request("GET", path).body(Body::empty()).unwrap();
            let answer = fixture.send_and_reply(get, echo).await;
            assert_eq!(answer.problem(), (404, expected.to_owned()));
        }
    }
}
