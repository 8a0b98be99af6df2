//! The routes, and what every answer goes through.

use axum::Json;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::HeaderValue;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::guard::guard;
use super::problem::{every_error_is_a_problem, no_such_path};
use super::{
    Shared, actions, apply, apps, certificates, events, logs, metrics, page, routes as http_routes,
    scaled_objects,
};

/// The longest body that is read.
const MAX_BODY: usize = 1024 * 1024;

/// What `/openapi.json` says beside the routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Ebbtide status API",
        description = "What every revision has, wants, and why; and the ways to change it. Every \
                       error is a problem document (RFC 9457).",
    ),
    tags(
        (name = "apps", description = "Container apps"),
        (name = "revisions", description = "Revisions of an app"),
        (name = "httprouteconfigs", description = "Hosts whose requests go to apps by rules"),
        (name = "scaledobjects", description = "ScaledObjects that ask the KEDA service"),
        (name = "certificates", description = "Certificates of HTTPS"),
        (name = "health", description = "Health and metrics"),
    )
)]
struct Description;

/// All routes, with the guard in front of them.
pub(super) fn router(api: Shared) -> Router {
    let (router, description) = described().split_for_parts();
    let description = Json(description);
    router
        .route("/openapi.json", get(async move || description))
        .merge(page::routes())
        .fallback(no_such_path)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(Shared::clone(&api), guard))
        .layer(from_fn(every_error_is_a_problem))
        .layer(map_response(security_headers))
        .with_state(api)
}

/// Health and metrics alone.
pub(super) fn health(api: Shared) -> Router {
    Router::new()
        .route("/healthz", get(apps::healthz))
        .route("/readyz", get(apps::readyz))
        .route("/metrics", get(metrics::metrics))
        .fallback(no_such_path)
        .layer(from_fn(every_error_is_a_problem))
        .layer(map_response(security_headers))
        .with_state(api)
}

/// The routes that describe themselves. One `routes!` holds the methods of one path.
fn described() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(apps::healthz))
        .routes(routes!(apps::readyz))
        .routes(routes!(metrics::metrics))
        .routes(routes!(apps::apps))
        .routes(routes!(apps::app, apply::apply, actions::delete))
        .routes(routes!(apps::revisions))
        .routes(routes!(apps::decisions))
        .routes(routes!(apps::history))
        .routes(routes!(logs::logs))
        .routes(routes!(actions::set_traffic))
        .routes(routes!(actions::activate))
        .routes(routes!(actions::deactivate))
        .routes(routes!(actions::restart))
        .routes(routes!(events::events))
        .routes(routes!(scaled_objects::scaled_objects))
        .routes(routes!(certificates::certificates))
        .routes(routes!(http_routes::routes))
        .routes(routes!(http_routes::apply, http_routes::delete))
}

/// The page loads nothing from elsewhere and is not shown inside another one; no answer is taken
/// for something else or read by another origin.
async fn security_headers(mut response: Response) -> Response {
    const POLICY: &str = "default-src 'self'; img-src 'self' data:; base-uri 'none'; \
                          form-action 'none'; frame-ancestors 'none'";
    const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (RESOURCE_POLICY, "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use crate::api::testing::Fixture;

    #[tokio::test]
    async fn the_description_has_every_route_and_every_schema() {
        let text = Fixture::new().get("/openapi.json").await.json();
        let paths = text["paths"].as_object().unwrap();
        let mut routes: Vec<String> = Vec::new();
        for (path, methods) in paths {
            for method in methods.as_object().unwrap().keys() {
                routes.push(format!("{method} {path}"));
            }
        }
        let app = "/api/v1/apps/{app}";
        for route in [
            "get /healthz".to_owned(),
            "get /readyz".to_owned(),
            "get /metrics".to_owned(),
            "get /api/v1/apps".to_owned(),
            "get /api/v1/events".to_owned(),
            format!("get {app}"),
            format!("put {app}"),
            format!("delete {app}"),
            format!("get {app}/revisions"),
            format!("get {app}/decisions"),
            format!("get {app}/history"),
            format!("get {app}/logs"),
            format!("put {app}/traffic"),
            format!("post {app}/revisions/{{revision}}/activate"),
            format!("post {app}/revisions/{{revision}}/deactivate"),
            format!("post {app}/revisions/{{revision}}/restart"),
        ] {
            assert!(routes.contains(&route), "{route} is not in {routes:?}");
        }
        let schemas = text["components"]["schemas"].as_object().unwrap();
        for schema in [
            "AppStatus",
            "Countdowns",
            "LimitRecord",
            "TrafficEntry",
            "ProblemDetail",
        ] {
            assert!(
                schemas.contains_key(schema),
                "{schema} is not in {:?}",
                schemas.keys()
            );
        }
    }
}
