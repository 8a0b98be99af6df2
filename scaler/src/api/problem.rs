//! Errors as problem documents (RFC 9457), whoever made them: a handler, the control task, or axum.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::model::{AppStatus, Problem, ProblemDetail};
use crate::control::ControlError;
use crate::documents::InvalidDocument;
use ebbtide_core::document::Diagnostic;

pub(super) const PROBLEM_JSON: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The longest text of an error that is taken over into a problem document.
const MAX_TEXT: usize = 16 * 1024;

/// An error on its way to whoever asked.
#[derive(Debug)]
pub(super) struct ApiError {
    status: StatusCode,
    detail: String,
    errors: Vec<ProblemDetail>,
}

impl ApiError {
    pub(super) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// 404 for an app, with the way to find those there are.
    pub(super) fn no_such_app(app: &str) -> Self {
        let detail = format!("there is no app {app:?}; GET /api/v1/apps lists the apps");
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 404 for a revision, with those that the app has.
    pub(super) fn no_such_revision(app: &AppStatus, revision: &str) -> Self {
        let names: Vec<&str> = app.revisions.iter().map(|one| one.name.as_str()).collect();
        let (app, names) = (&app.name, names.join(", "));
        let detail = format!("there is no revision {revision:?}; {app} has {names}");
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    /// 422 for a document, with everything that was wrong with it.
    pub(super) fn invalid(detail: impl Into<String>, errors: Vec<ProblemDetail>) -> Self {
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
        }
    }

    fn problem(self) -> Problem {
        let title = self.status.canonical_reason().unwrap_or("Error");
        Problem {
            kind: format!("/problems/{}", title.to_ascii_lowercase().replace(' ', "-")),
            title: title.to_owned(),
            status: self.status.as_u16(),
            detail: self.detail,
            errors: self.errors,
        }
    }

    /// Documents that are not valid, with everything that is wrong with them.
    pub(super) fn invalid_document(errors: &[Diagnostic]) -> Self {
        let detail = match errors.len() {
            1 => "the document is not valid".to_owned(),
            count => format!("the document is not valid: {count} errors"),
        };
        let errors = errors.iter().map(|error| ProblemDetail {
            path: error.path.clone(),
            line: Some(error.line),
            column: Some(error.column),
            message: error.message.clone(),
        });
        Self::invalid(detail, errors.collect())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status;
        let body = serde_json::to_vec(&self.problem()).unwrap_or_default();
        let mut response = (status, [(CONTENT_TYPE, PROBLEM_JSON)], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        match error {
            ControlError::NotFound(detail) => Self::new(StatusCode::NOT_FOUND, detail),
            ControlError::InvalidDocument(InvalidDocument(errors)) => {
                Self::invalid_document(&errors)
            }
            ControlError::Invalid(detail) => Self::invalid(detail, Vec::new()),
            ControlError::Conflict(detail) => Self::new(StatusCode::CONFLICT, detail),
            ControlError::Busy | ControlError::Stopping => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
            }
        }
    }
}

/// Makes a problem document of every error that is not one yet: axum's own refusals of a method, a
/// content type, a body or a query. Their headers (`Allow`) stay.
pub(super) async fn every_error_is_a_problem(request: Request, next: Next) -> Response {
    let asked = format!("{} {}", request.method(), request.uri().path());
    let response = next.run(request).await;
    let status = response.status();
    let is_error = status.is_client_error() || status.is_server_error();
    if !is_error || response.headers().get(CONTENT_TYPE) == Some(&PROBLEM_JSON) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let text = to_bytes(body, MAX_TEXT).await.unwrap_or_default();
    let detail = match String::from_utf8_lossy(&text).trim() {
        "" => default_detail(status, &asked),
        text => text.to_owned(),
    };
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, PROBLEM_JSON);
    let problem = ApiError::new(status, detail).problem();
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    Response::from_parts(parts, Body::from(body))
}

fn default_detail(status: StatusCode, asked: &str) -> String {
    let reason = status
        .canonical_reason()
        .unwrap_or("error")
        .to_ascii_lowercase();
    match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            format!("{asked} is not possible; the Allow header lists the methods that are")
        }
        _ => format!("{asked}: {reason}"),
    }
}

/// 404 for a path that is not the API's.
pub(super) async fn no_such_path(request: Request) -> ApiError {
    let path = request.uri().path();
    let detail = format!("there is nothing at {path}; /openapi.json lists the paths");
    ApiError::new(StatusCode::NOT_FOUND, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::{Fixture, echo, request};
    use crate::control::Command;

    #[tokio::test]
    async fn every_refusal_is_a_problem() {
        let fixture = Fixture::new();
        let long = "x".repeat(1024 * 1024 + 1);
        for (method, path, content_type, body, status) in [
            ("GET", "/nothing", None, "", 404),
            ("GET", "/api/v1/apps/none", None, "", 404),
            ("GET", "/api/v1/apps/none/logs", None, "", 404),
            ("GET", "/api/v1/apps/hello/decisions?limit=x", None, "", 400),
            ("GET", "/api/v1/apps/hello/decisions?limit=0", None, "", 400),
            (
                "GET",
                "/api/v1/apps/hello/decisions?limit=1001",
                None,
                "",
                400,
            ),
            (
                "GET",
                "/api/v1/apps/hello/decisions?limits=1",
                None,
                "",
                400,
            ),
            ("GET", "/api/v1/apps/hello/logs?tail=10001", None, "", 400),
            ("GET", "/api/v1/apps/%FF", None, "", 400),
            ("POST", "/api/v1/apps", None, "", 405),
            (
                "GET",
                "/api/v1/apps/hello/revisions/hello--v1/restart",
                None,
                "",
                405,
            ),
            (
                "PUT",
                "/api/v1/apps/hello/traffic",
                Some("application/json"),
                &long,
                413,
            ),
            ("PUT", "/api/v1/apps/hello/traffic", None, "{}", 415),
            (
                "PUT",
                "/api/v1/apps/hello/traffic",
                Some("application/json"),
                "{",
                400,
            ),
            (
                "PUT",
                "/api/v1/apps/hello/traffic",
                Some("application/json"),
                "{}",
                422,
            ),
        ] {
            let mut builder = request(method, path);
            if let Some(content_type) = content_type {
                builder = builder.header(CONTENT_TYPE, content_type);
            }
            let answer = fixture
                .send(builder.body(Body::from(body.to_owned())).unwrap())
                .await;
            let (given, detail) = answer.problem();
            assert_eq!(given, status, "{method} {path}: {detail}");
            assert!(detail.len() > 10, "{method} {path}: {detail}");
            assert_eq!(answer.headers.contains_key("allow"), status == 405);
        }
    }

    #[tokio::test]
    async fn the_control_tasks_refusals_have_their_status() {
        let wrong = Diagnostic {
            source: "request body".to_owned(),
            line: 3,
            column: 1,
            path: "properties.template".to_owned(),
            message: "bad".to_owned(),
        };
        let wrong = ControlError::InvalidDocument(InvalidDocument(vec![wrong]));
        for (error, status, retry) in [
            (ControlError::NotFound("no".to_owned()), 404, None),
            (wrong, 422, None),
            (ControlError::Invalid("no".to_owned()), 422, None),
            (ControlError::Conflict("no".to_owned()), 409, None),
            (ControlError::Busy, 503, Some("1")),
            (ControlError::Stopping, 503, Some("1")),
        ] {
            let delete = request("DELETE", "/api/v1/apps/hello")
                .body(Body::empty())
                .unwrap();
            let is_invalid = matches!(error, ControlError::InvalidDocument(_));
            let refuse = |command| match command {
                Command::Delete { reply, .. } => reply.send(Err(error)).unwrap(),
                other => echo(other),
            };
            let answer = Fixture::new().send_and_reply(delete, refuse).await;
            assert_eq!(answer.problem().0, status);
            let given = answer
                .headers
                .get(RETRY_AFTER)
                .map(|value| value.to_str().unwrap());
            assert_eq!(given, retry);
            if is_invalid {
                assert_eq!(answer.json()["errors"][0]["line"], 3);
            }
        }
    }
}
