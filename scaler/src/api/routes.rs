//! HTTP route configs: what there is, making one what a document says, taking one away.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ebbtide_core::document::{Declaration, Parsed};

use super::Shared;
use super::apply::{apply_as, parse_body};
use super::model::{ApplyResult, List, Problem, ProblemDetail, RouteConfigStatus};
use super::problem::ApiError;
use crate::control::Command;

/// Every HTTP route config, by name, with what its targets lack to take requests.
#[utoipa::path(
    get, path = "/api/v1/httprouteconfigs", tag = "httprouteconfigs",
    responses((status = 200, body = List<RouteConfigStatus>)),
)]
pub(super) async fn routes(State(api): State<Shared>) -> Json<List<RouteConfigStatus>> {
    Json(List {
        value: api.sources.control.published().routes.clone(),
    })
}

/// Makes an HTTP route config what the document says, and makes one if there is none.
#[utoipa::path(
    put, path = "/api/v1/httprouteconfigs/{config}", tag = "httprouteconfigs",
    params(("config" = String, Path, description = "The config's name, as in the document if it has one")),
    request_body(
        description = "An HTTP route config as `az containerapp env http-route-config create --yaml` takes \
                       it, or as ARM has it",
        content((String = "application/yaml"), (serde_json::Value = "application/json")),
    ),
    responses(
        (status = 200, body = ApplyResult),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The document is not valid; all errors", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(super) async fn apply(
    State(api): State<Shared>,
    Path(config): Path<String>,
    body: Bytes,
) -> Result<Json<ApplyResult>, ApiError> {
    let result = apply_as(&api, &config, body, parse).await?;
    let missing = || ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "it was not applied");
    result.map(Json).ok_or_else(missing)
}

/// The one document of a body, which is of `config`.
fn parse(config: &str, body: &[u8]) -> Result<Parsed, ApiError> {
    let parsed = parse_body(config, body)?;
    let is_it = |value: &Declaration| match value {
        Declaration::Routes(declared) => declared.name.as_str() == config,
        Declaration::App(_) | Declaration::Revision(_) => false,
    };
    let mut others = parsed.declarations.iter().enumerate();
    let other = others.find(|(place, one)| *place > 0 || !is_it(&one.value));
    let Some((_, other)) = other else {
        return Ok(parsed);
    };
    let detail = ProblemDetail {
        path: "name".to_owned(),
        line: Some(other.line),
        column: None,
        message: format!("this is not the HTTP route config {config}; PUT it to a path of its own"),
    };
    let title = format!("the document is not the HTTP route config {config}'s alone");
    Err(ApiError::invalid(title, vec![detail]))
}

/// Takes an HTTP route config away. Its apps stay.
#[utoipa::path(
    delete, path = "/api/v1/httprouteconfigs/{config}", tag = "httprouteconfigs",
    params(("config" = String, Path, description = "The config's name")),
    responses(
        (status = 200, body = ApplyResult),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn delete(
    State(api): State<Shared>,
    Path(name): Path<String>,
) -> Result<Json<ApplyResult>, ApiError> {
    let ask = |reply| Command::DeleteRoutes { name, reply };
    Ok(Json(api.sources.control.ask(ask).await?))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use crate::api::testing::{Answer, Fixture, echo, request};

    const RULES: &str = "rules: [{routes: [{match: {prefix: /}}], targets: [{containerApp: web}]}]";

    async fn put(document: &str) -> Answer {
        let put = request("PUT", "/api/v1/httprouteconfigs/hello")
            .header("content-type", "application/yaml")
            .body(Body::from(document.to_owned()))
            .unwrap();
        Fixture::new().send_and_maybe_reply(put, echo).await
    }

    #[tokio::test]
    async fn a_config_is_applied_and_taken_away() {
        let resource = format!(
            "type: Microsoft.App/managedEnvironments/httpRouteConfigs\nname: hello\nproperties: {{{RULES}}}"
        );
        for document in [RULES, &resource] {
            let answer = put(document).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(answer.json()["changes"][0], "apply 1 from Api");
        }
        let delete = request("DELETE", "/api/v1/httprouteconfigs/hello");
        let delete = delete.body(Body::empty()).unwrap();
        let answer = Fixture::new().send_and_reply(delete, echo).await.json();
        assert_eq!(answer["changes"][0], "delete");
    }

    #[tokio::test]
    async fn what_is_not_this_config_alone_is_refused() {
        let app = "name: hello\nproperties: {template: {containers: [{name: a, command: [b]}]}}";
        for (document, says) in [
            (app.to_owned(), "PUT it to a path of its own"),
            (
                format!("name: other\n{RULES}"),
                "PUT it to a path of its own",
            ),
            (
                format!("{RULES}\n---\n{RULES}"),
                "PUT it to a path of its own",
            ),
            ("rules: []".to_owned(), "give at least one rule"),
        ] {
            let answer = put(&document).await;
            assert_eq!(answer.problem().0, 422, "{}", answer.text);
            assert!(answer.text.contains(says), "{}", answer.text);
        }
        let put = request("PUT", "/api/v1/apps/hello")
            .body(Body::from(RULES))
            .unwrap();
        let answer = Fixture::new().send(put).await;
        assert_eq!(answer.problem().0, 422, "{}", answer.text);
        assert!(
            answer.text.contains("/api/v1/httprouteconfigs/hello"),
            "{}",
            answer.text
        );
    }
}
