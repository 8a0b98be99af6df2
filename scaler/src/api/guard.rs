//! Keeps web pages out. A page that the user happens to visit can make the browser send requests to
//! 127.0.0.1; and with a name of its own that resolves to 127.0.0.1 (DNS rebinding) it can read the
//! answers too. A browser tells the truth in `Host`, `Origin` and `Sec-Fetch-Site`, so:
//!
//! - the host must be a name of loopback, or one that the user allowed,
//! - `Origin`, if there is one, must be the host itself, whatever the method,
//! - nothing from another site is answered but a followed link to the page,
//! - a body that a form can send is refused, and no answer carries CORS headers.

use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::problem::ApiError;

/// Names of loopback. A page cannot have one of them unless it was served by this machine.
const LOOPBACK: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// What a body may be. None of them can come from a form.
const CONTENT_TYPES: [&str; 4] = [
    "application/json",
    "application/yaml",
    "application/x-yaml",
    "text/yaml",
];

/// Refuses what a web page of another origin could have sent.
pub(super) async fn guard(State(api): State<Shared>, request: Request, next: Next) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    match check(&api.options.allowed_hosts, method, uri, headers) {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

fn check(
    allowed: &[String],
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    let host = host(uri, headers)?;
    check_host(allowed, &host)?;
    check_origin(&host, headers)?;
    check_fetch_site(method, headers)?;
    check_content_type(method, headers)
}

/// The one host that the request is for.
fn host(uri: &Uri, headers: &HeaderMap) -> Result<Authority, ApiError> {
    let bad = |detail: &str| ApiError::new(StatusCode::BAD_REQUEST, detail);
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(bad("send one Host header"));
    };
    let host = host
        .to_str()
        .ok()
        .and_then(|text| text.parse::<Authority>().ok());
    let host = host.ok_or_else(|| bad("the Host header is not a host"))?;
    match uri.authority() {
        Some(authority) if *authority != host => Err(bad(
            "the Host header is not the host of the request's target",
        )),
        _ => Ok(host),
    }
}

/// The port is not looked at for loopback: it tells nothing about who asks, and a forwarded port
/// (`ssh -L`) is another one.
fn check_host(allowed: &[String], host: &Authority) -> Result<(), ApiError> {
    let is = |name: &str| {
        host.host().eq_ignore_ascii_case(name) || host.as_str().eq_ignore_ascii_case(name)
    };
    let is_plain = !host.as_str().contains('@');
    if is_plain
        && LOOPBACK
            .into_iter()
            .chain(allowed.iter().map(String::as_str))
            .any(is)
    {
        return Ok(());
    }
    let detail = format!(
        "this server is not {host}; use http://127.0.0.1 or http://localhost, or start \
         Ebbtide with --allow-host {}",
        host.host()
    );
    Err(ApiError::new(StatusCode::MISDIRECTED_REQUEST, detail))
}

fn check_origin(host: &Authority, headers: &HeaderMap) -> Result<(), ApiError> {
    let own = format!("http://{host}");
    let is_own = |origin: &[u8]| origin.eq_ignore_ascii_case(own.as_bytes());
    if headers
        .get_all(ORIGIN)
        .iter()
        .all(|origin| is_own(origin.as_bytes()))
    {
        return Ok(());
    }
    Err(cross_origin())
}

/// `Sec-Fetch-Site` also comes with requests that have no `Origin`: images, scripts, links. Of
/// those a link to the page is fine: it starts a page of our own and tells the other one nothing.
fn check_fetch_site(method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let value = |name| {
        headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap_or("?"))
    };
    let followed_link = matches!(*method, Method::GET | Method::HEAD)
        && value("sec-fetch-mode") == "navigate"
        && value("sec-fetch-dest") == "document";
    match value("sec-fetch-site") {
        "" | "none" | "same-origin" => Ok(()),
        _ if followed_link => Ok(()),
        _ => Err(cross_origin()),
    }
}

fn cross_origin() -> ApiError {
    let detail = "requests from web pages of another origin are refused, because a document \
                  starts processes; use the command line, curl, or the page at /";
    ApiError::new(StatusCode::FORBIDDEN, detail)
}

fn check_content_type(method: &Method, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(given) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let given = given.to_str().unwrap_or("?");
    let essence = given.split(';').next().unwrap_or_default().trim();
    let known = CONTENT_TYPES
        .iter()
        .any(|known| essence.eq_ignore_ascii_case(known));
    if known || method.is_safe() {
        return Ok(());
    }
    let detail = format!(
        "the content type {given} is refused; send a document as application/yaml or \
         application/json (curl: -H 'Content-Type: application/yaml')"
    );
    Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use crate::api::testing::{Fixture, request};

    /// The status of a request with these headers instead of curl's.
    async fn status(method: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
        let mut builder = axum::http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        let fixture = Fixture::new();
        let answer = fixture.send(builder.body(Body::empty()).unwrap()).await;
        let status = answer.status.as_u16();
        if status >= 400 {
            assert_eq!(answer.problem().0, status);
            assert!(!fixture.asked().await, "refused, and done all the same");
        }
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        status
    }

    #[tokio::test]
    async fn only_names_of_loopback_and_allowed_ones_are_answered() {
        for (host, expected) in [
            ("127.0.0.1:8081", 200),
            ("127.0.0.1", 200),
            ("localhost:8081", 200),
            ("LOCALHOST:8081", 200),
            ("[::1]:8081", 200),
            ("localhost:9000", 200),
            ("box.example:8081", 200),
            ("evil.example", 421),
            ("evil.example:8081", 421),
            ("hello.localhost:8081", 421),
            ("127.0.0.1.evil.example:8081", 421),
            ("localhost.evil.example", 421),
            ("127.0.0.2:8081", 421),
            ("user@localhost:8081", 421),
            ("", 400),
            ("not a host", 400),
        ] {
            for path in ["/", "/api/v1/apps", "/metrics", "/healthz"] {
                assert_eq!(
                    status("GET", path, &[("host", host)]).await,
                    expected,
                    "{host}"
                );
            }
        }
        assert_eq!(status("GET", "/", &[]).await, 400);
        let two = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(status("GET", "/", &two).await, 400);
        let absolute = "http://evil.example/api/v1/apps";
        assert_eq!(status("GET", absolute, &[("host", "localhost")]).await, 400);
    }

    #[tokio::test]
    async fn another_origin_is_refused_for_reading_and_changing() {
        for (origin, refused) in [
            ("http://localhost:8081", false),
            ("http://localhost:3000", true),
            ("http://127.0.0.1:8081", true),
            ("https://localhost:8081", true),
            ("http://evil.example", true),
            ("null", true),
        ] {
            let headers = [("host", "localhost:8081"), ("origin", origin)];
            let read = status("GET", "/api/v1/apps", &headers).await;
            assert_eq!(read, if refused { 403 } else { 200 }, "{origin}");
            let path = "/api/v1/apps/hello/nothing";
            for method in ["PUT", "POST", "DELETE", "OPTIONS"] {
                let changed = status(method, path, &headers).await;
                assert_eq!(
                    changed,
                    if refused { 403 } else { 404 },
                    "{method} {origin}"
                );
            }
        }
    }

    #[tokio::test]
    async fn what_another_site_fetches_is_refused_but_a_link_to_the_page_is_not() {
        for (site, mode, dest, expected) in [
            ("none", "navigate", "document", 200),
            ("same-origin", "cors", "empty", 200),
            ("cross-site", "no-cors", "script", 403),
            ("same-site", "no-cors", "image", 403),
            ("cross-site", "navigate", "iframe", 403),
            ("cross-site", "navigate", "document", 200),
        ] {
            let headers = [
                ("host", "localhost"),
                ("sec-fetch-site", site),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", dest),
            ];
            assert_eq!(
                status("GET", "/", &headers).await,
                expected,
                "{site} {mode} {dest}"
            );
        }
        let form = [
            ("host", "localhost"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        let path = "/api/v1/apps/hello/revisions/hello--v1/restart";
        assert_eq!(status("POST", path, &form).await, 403);
    }

    #[tokio::test]
    async fn bodies_that_a_form_can_send_are_refused() {
        for content_type in [
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "text/plain",
            "TEXT/PLAIN;charset=utf-8",
            "text/plain, application/json",
            "",
        ] {
            for (method, path) in [
                ("PUT", "/api/v1/apps/hello"),
                ("PUT", "/api/v1/apps/hello/traffic"),
                ("POST", "/api/v1/apps/hello/revisions/hello--v1/restart"),
                ("DELETE", "/api/v1/apps/hello"),
            ] {
                let headers = [("host", "localhost"), ("content-type", content_type)];
                assert_eq!(
                    status(method, path, &headers).await,
                    415,
                    "{method} {content_type}"
                );
            }
        }
    }

    #[tokio::test]
    async fn every_answer_forbids_frames_and_other_origins() {
        let fixture = Fixture::new();
        for path in ["/", "/app.js", "/api/v1/apps", "/nothing"] {
            let answer = fixture
                .send(request("GET", path).body(Body::empty()).unwrap())
                .await;
            let policy = answer.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("default-src 'self'"), "{policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
            assert_eq!(answer.headers["x-content-type-options"], "nosniff");
            assert_eq!(
                answer.headers["cross-origin-resource-policy"],
                "same-origin"
            );
        }
    }
}
