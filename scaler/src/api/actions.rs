//! Changing what is there: traffic weights, revisions, and taking an app away.

use axum::Json;
use axum::extract::{Path, State};

use super::Shared;
use super::model::{ApplyResult, Problem, TrafficRequest};
use super::problem::ApiError;
use crate::control::{Command, RevisionAction};

type Changed = Result<Json<ApplyResult>, ApiError>;

/// Replaces the traffic weights of an app. They sum to 100.
#[utoipa::path(
    put, path = "/api/v1/apps/{app}/traffic", tag = "apps",
    params(("app" = String, Path, description = "The app's name")),
    request_body = TrafficRequest,
    responses(
        (status = 200, body = ApplyResult),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 422, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn set_traffic(
    State(api): State<Shared>,
    Path(app): Path<String>,
    Json(request): Json<TrafficRequest>,
) -> Changed {
    let ask = |reply| Command::SetTraffic {
        app,
        traffic: request.traffic,
        reply,
    };
    Ok(Json(api.sources.control.ask(ask).await?))
}

/// Takes an app away: its replicas finish their requests and stop.
#[utoipa::path(
    delete, path = "/api/v1/apps/{app}", tag = "apps",
    params(("app" = String, Path, description = "The app's name")),
    responses(
        (status = 200, body = ApplyResult),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn delete(State(api): State<Shared>, Path(app): Path<String>) -> Changed {
    let ask = |reply| Command::Delete { app, reply };
    Ok(Json(api.sources.control.ask(ask).await?))
}

async fn act(api: &Shared, app: String, revision: String, action: RevisionAction) -> Changed {
    let ask = |reply| Command::Revision {
        app,
        revision,
        action,
        reply,
    };
    Ok(Json(api.sources.control.ask(ask).await?))
}

/// Lets a revision have replicas again.
#[utoipa::path(
    post, path = "/api/v1/apps/{app}/revisions/{revision}/activate", tag = "revisions",
    params(
        ("app" = String, Path, description = "The app's name"),
        ("revision" = String, Path, description = "The revision's name, app--suffix"),
    ),
    responses(
        (status = 200, body = ApplyResult),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn activate(
    State(api): State<Shared>,
    Path((app, revision)): Path<(String, String)>,
) -> Changed {
    act(&api, app, revision, RevisionAction::Activate).await
}

/// Takes a revision's replicas and its traffic away.
#[utoipa::path(
    post, path = "/api/v1/apps/{app}/revisions/{revision}/deactivate", tag = "revisions",
    params(
        ("app" = String, Path, description = "The app's name"),
        ("revision" = String, Path, description = "The revision's name, app--suffix"),
    ),
    responses(
        (status = 200, body = ApplyResult),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn deactivate(
    State(api): State<Shared>,
    Path((app, revision)): Path<(String, String)>,
) -> Changed {
    act(&api, app, revision, RevisionAction::Deactivate).await
}

/// Replaces a revision's replicas by new ones, without losing a request.
#[utoipa::path(
    post, path = "/api/v1/apps/{app}/revisions/{revision}/restart", tag = "revisions",
    params(
        ("app" = String, Path, description = "The app's name"),
        ("revision" = String, Path, description = "The revision's name, app--suffix"),
    ),
    responses(
        (status = 200, body = ApplyResult),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 409, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn restart(
    State(api): State<Shared>,
    Path((app, revision)): Path<(String, String)>,
) -> Changed {
    act(&api, app, revision, RevisionAction::Restart).await
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::json;

    use crate::api::testing::{Fixture, echo, request};

    #[tokio::test]
    async fn each_action_asks_the_control_task_once() {
        let traffic = json!({"traffic": [{"revisionName": "hello--v1", "weight": 100}]});
        let revision = "/api/v1/apps/hello/revisions/hello--v1";
        for (method, path, body, expected) in [
            ("DELETE", "/api/v1/apps/hello".to_owned(), None, "delete"),
            (
                "POST",
                format!("{revision}/activate"),
                None,
                "Activate hello--v1",
            ),
            (
                "POST",
                format!("{revision}/deactivate"),
                None,
                "Deactivate hello--v1",
            ),
            (
                "POST",
                format!("{revision}/restart"),
                None,
                "Restart hello--v1",
            ),
            (
                "PUT",
                "/api/v1/apps/hello/traffic".to_owned(),
                Some(&traffic),
                "traffic [TrafficEntry { revision_name: Some(\"hello--v1\"), \
                 latest_revision: false, weight: 100, label: None }]",
            ),
        ] {
            let fixture = Fixture::new();
            let mut builder = request(method, &path);
            if body.is_some() {
                builder = builder.header("content-type", "application/json");
            }
            let body = body.map_or_else(Body::empty, |json| Body::from(json.to_string()));
            let answer = fixture
                .send_and_reply(builder.body(body).unwrap(), echo)
                .await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.json()["changes"], json!([expected]));
            assert_eq!(answer.json()["app"], "hello");
        }
    }
}
