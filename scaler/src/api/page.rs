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

const ASSETS: &[Asset] = &assets![
    "app.js",
    "chart-stack.js",
    "charts.js",
    "dom.js",
    "favicon.svg",
    "format.js",
    "panels.css",
    "series.js",
    "store.js",
    "stream.js",
    "style.css",
    "theme.js",
    "view-app.js",
    "view-decisions.js",
    "view-failure.js",
    "view-keda.js",
    "view-overview.js",
    "view-revision.js",
    "view-traffic.js",
];

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
    use std::collections::BTreeSet;

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
    fn what_the_page_loads_is_what_is_embedded() {
        const MARKERS: [&str; 4] = [
            "<script src=\"",
            "rel=\"stylesheet\" href=\"",
            "rel=\"icon\" href=\"",
            "from \"./",
        ];
        let mut loaded = BTreeSet::new();
        for source in ASSETS.iter().map(|asset| asset.content).chain([INDEX]) {
            for marker in MARKERS {
                let names = source
                    .split(marker)
                    .skip(1)
                    .filter_map(|rest| rest.split('"').next());
                loaded.extend(names.map(|name| format!("/{name}")));
            }
        }
        let embedded = ASSETS.iter().map(|asset| asset.path.to_owned()).collect();
        assert_eq!(loaded, embedded);
    }
}
