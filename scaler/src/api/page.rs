//! The live page, embedded: it needs neither a network nor a folder beside the binary.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

/// A file of the page.
#[derive(Clone, Copy)]
struct Asset {
    path: &'static str,
    content: &'static str,
}

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        [$(Asset {
            path: concat!("/", $name),
            content: include_str!(concat!("../page/", $name)),
        }),*]
    };
}

const INDEX: &str = include_str!("../page/index.html");

const ASSETS: &[Asset] = &assets!["app.js", "style.css"];

/// `/`, and each file that it refers to.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let index = Asset {
        path: "/index.html",
        content: INDEX,
    };
    let router = Router::new().route("/", get(async move || answer(index)));
    ASSETS.iter().fold(router, |router, &asset| {
        router.route(asset.path, get(async move || answer(asset)))
    })
}

fn answer(asset: Asset) -> Response {
    let content_type = match asset.path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "no-cache")];
    (headers, asset.content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::testing::Fixture;

    #[tokio::test]
    async fn every_file_is_served_with_its_type() {
        let fixture = Fixture::new();
        let index = fixture.get("/").await;
        assert_eq!(index.text, INDEX);
        assert_eq!(index.headers[CONTENT_TYPE], "text/html; charset=utf-8");
        for asset in ASSETS {
            let answer = fixture.get(asset.path).await;
            assert_eq!(answer.text, asset.content);
            assert_eq!(answer.headers[CACHE_CONTROL], "no-cache");
            let content_type = answer.headers[CONTENT_TYPE].to_str().unwrap();
            assert_ne!(content_type, "application/octet-stream", "{}", asset.path);
        }
    }

    #[test]
    fn whatever_the_page_loads_is_embedded() {
        let sources = ASSETS.iter().map(|asset| asset.content).chain([INDEX]);
        for source in sources {
            for marker in ["src=\"", "rel=\"stylesheet\" href=\"", "from \"./"] {
                for rest in source.split(marker).skip(1) {
                    let name = rest.split('"').next().unwrap();
                    let path = format!("/{name}");
                    assert!(
                        ASSETS.iter().any(|asset| asset.path == path),
                        "{path} is missing"
                    );
                }
            }
        }
    }
}
