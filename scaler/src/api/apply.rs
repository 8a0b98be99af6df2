//! `PUT /api/v1/apps/{app}`: a document comes in.

use std::str::from_utf8;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use ebbtide_core::document::{
    self, Declaration, Diagnostic, Located, ParseOptions, Parsed, Source, check_unique,
};

use super::Shared;
use super::model::{ApplyResult, Problem, ProblemDetail};
use super::problem::ApiError;
use crate::control::{Command, Origin};
use crate::documents::Documents;

/// Makes an app what the document says, and makes the app if there is none. The body may hold
/// several documents, as long as all are of this app: the app, and revisions beside its latest one.
#[utoipa::path(
    put, path = "/api/v1/apps/{app}", tag = "apps",
    params(("app" = String, Path, description = "The app's name, as in the document if it has one")),
    request_body(
        description = "A container app as `az containerapp create --yaml` takes it, or as ARM has it",
        content((String = "application/yaml"), (serde_json::Value = "application/json")),
    ),
    responses(
        (status = 200, body = ApplyResult),
        (status = 409, body = Problem, content_type = "application/problem+json"),
        (status = 413, body = Problem, content_type = "application/problem+json"),
        (status = 415, body = Problem, content_type = "application/problem+json"),
        (status = 422, description = "The document is not valid; all errors", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(super) async fn apply(
    State(api): State<Shared>,
    Path(app): Path<String>,
    body: Bytes,
) -> Result<Json<ApplyResult>, ApiError> {
    let result = apply_as(&api, &app, body, parse).await?;
    result.map(Json).ok_or_else(|| ApiError::no_such_app(&app))
}

/// Applies the documents of a body, as `parse` reads them for `name`, and returns what became of that one;
/// none if it was not among them.
pub(super) async fn apply_as(
    api: &Shared,
    name: &str,
    body: Bytes,
    parse: fn(&str, &[u8]) -> Result<Parsed, ApiError>,
) -> Result<Option<ApplyResult>, ApiError> {
    let owned = name.to_owned();
    // A long document takes a while, and this thread has others to answer.
    let parsed = tokio::task::spawn_blocking(move || parse(&owned, &body))
        .await
        .map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))??;
    let warnings: Vec<String> = parsed.warnings.iter().map(described).collect();
    let documents = Documents {
        declarations: parsed.declarations,
        warnings: Vec::new(),
    };
    let origin = Origin::Api;
    let ask = |reply| Command::Apply {
        documents,
        origin,
        reply,
    };
    let results = api.sources.control.ask(ask).await?;
    let result = results.into_iter().find(|result| result.app == name);
    Ok(result.map(|mut result| {
        result.warnings.extend(warnings);
        result
    }))
}

/// The documents of a body, all of them of `app`.
fn parse(app: &str, body: &[u8]) -> Result<Parsed, ApiError> {
    let parsed = parse_body(app, body)?;
    check_unique(&parsed.declarations).map_err(|errors| ApiError::invalid_document(&errors))?;
    let others: Vec<ProblemDetail> = parsed
        .declarations
        .iter()
        .filter_map(|located| of_another_app(app, located))
        .collect();
    if others.is_empty() {
        return Ok(parsed);
    }
    Err(ApiError::invalid(
        format!("the document is not the app {app}'s"),
        others,
    ))
}

/// The documents of a body, in which one without a name is called `name`.
pub(super) fn parse_body(name: &str, body: &[u8]) -> Result<Parsed, ApiError> {
    let text = from_utf8(body)
        .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, format!("not UTF-8: {error}")))?;
    let source = Source {
        name: "request body",
        text,
    };
    let options = ParseOptions {
        default_name: Some(name.to_owned()),
        ..ParseOptions::default()
    };
    document::parse(&source, &options).map_err(|errors| ApiError::invalid_document(&errors))
}

fn of_another_app(app: &str, located: &Located<Declaration>) -> Option<ProblemDetail> {
    let message = match &located.value {
        Declaration::App(declared) if declared.name.as_str() == app => return None,
        Declaration::Revision(declared) if declared.name.app() == app => return None,
        Declaration::App(declared) => of_app(declared.name.as_str()),
        Declaration::Revision(declared) => of_app(declared.name.app()),
        Declaration::Routes(config) => {
            let path = format!("/api/v1/httprouteconfigs/{}", config.name);
            format!("this is an HTTP route config; PUT it to {path}")
        }
    };
    Some(ProblemDetail {
        path: "name".to_owned(),
        line: Some(located.line),
        column: None,
        message,
    })
}

fn of_app(app: &str) -> String {
    format!("this is of the app {app}; PUT it to /api/v1/apps/{app}")
}

/// A warning with its place.
fn described(warning: &Diagnostic) -> String {
    let Diagnostic {
        line,
        column,
        path,
        message,
        ..
    } = warning;
    let colon = if path.is_empty() { "" } else { ": " };
    format!("{line}:{column}: {path}{colon}{message}")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use crate::api::testing::{Answer, Fixture, echo, request};

    const DOCUMENT: &str = "\
name: hello
properties:
  environmentId: somewhere
  template:
    containers:
    - name: main
      command: [/bin/true]
";

    async fn put(app: &str, content_type: &str, document: &str) -> Answer {
        let path = format!("/api/v1/apps/{app}");
        let mut put = request("PUT", &path);
        if !content_type.is_empty() {
            put = put.header("content-type", content_type);
        }
        let put = put.body(Body::from(document.to_owned())).unwrap();
        let fixture = Fixture::new();
        fixture.send_and_maybe_reply(put, echo).await
    }

    #[tokio::test]
    async fn documents_of_the_app_are_applied() {
        let nameless = DOCUMENT.replace("name: hello\n", "");
        let json = r#"{"properties":{"template":{"containers":[{"name":"a","command":["b"]}]}}}"#;
        let revision = "name: hello--old\n\
                        type: Microsoft.App/containerApps/revisions\n\
                        properties: {template: {containers: [{name: a, command: [b]}]}}\n";
        let both = format!("{DOCUMENT}---\n{revision}");
        for (content_type, document, count) in [
            ("application/yaml", DOCUMENT, 1),
            ("application/yaml; charset=utf-8", &nameless, 1),
            ("text/yaml", DOCUMENT, 1),
            ("application/x-yaml", &both, 2),
            ("application/json", json, 1),
            ("", DOCUMENT, 1),
        ] {
            let answer = put("hello", content_type, document).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(
                answer.json()["changes"][0],
                format!("apply {count} from Api")
            );
        }
    }

    #[tokio::test]
    async fn warnings_come_with_their_place() {
        let document = DOCUMENT.replace("template", "tempalte: 1\n  template");
        let answer = put("hello", "application/yaml", &document).await.json();
        let warnings = answer["warnings"].to_string();
        assert!(
            warnings.contains("4:3: properties.tempalte: "),
            "{warnings}"
        );
    }

    #[tokio::test]
    async fn what_is_not_valid_or_another_apps_changes_nothing() {
        for (app, document, status, error) in [
            (
                "hello",
                "name: hello\nproperties: {template: {scale: {minReplicas: -1}}}",
                422,
                "minReplicas",
            ),
            ("hello", ": : :\n- x", 422, "line"),
            ("hello", "", 422, "declares no container app"),
            ("other", DOCUMENT, 422, "PUT it to /api/v1/apps/hello"),
            (
                "hello",
                &format!("{DOCUMENT}---\n{DOCUMENT}"),
                422,
                "a second time",
            ),
        ] {
            let answer = put(app, "application/yaml", document).await;
            assert_eq!(answer.problem().0, status, "{}", answer.text);
            assert!(
                answer.json()["errors"].to_string().contains(error),
                "{}",
                answer.text
            );
        }
        let put = request("PUT", "/api/v1/apps/hello")
            .body(Body::from(vec![0xff]))
            .unwrap();
        assert_eq!(Fixture::new().send(put).await.problem().0, 400);
    }
}
