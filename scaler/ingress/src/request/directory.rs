//! What a request for an unknown host is told: how to find the apps.

use std::fmt::Write as _;

use http::HeaderValue;
use serde_json::{Value, json};

use super::refusal::TEXT;
use crate::scheme::Scheme;
use crate::table::snapshot::DOMAIN;
use crate::table::{AppRoute, RoutingTable};

/// A body and its type.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) content_type: &'static str,
    pub(super) text: String,
}

/// How the ingress was asked: the scheme, and its own port for that.
pub(super) type Door = (Scheme, u16);

/// The apps of `table`, for who looked for `host`.
pub(super) fn page(host: &str, table: &RoutingTable, door: Door, json: bool) -> Page {
    if json {
        return Page {
            content_type: "application/json",
            text: as_json(host, table, door).to_string(),
        };
    }
    Page {
        content_type: TEXT,
        text: as_text(host, table, door),
    }
}

fn as_text(host: &str, table: &RoutingTable, door: Door) -> String {
    let mut text = format!("No app has the host {host:?}.\n\n");
    if table.apps_with_hosts().next().is_none() {
        text.push_str("There is no app yet.\n");
    } else {
        text.push_str("These apps are here, by the Host header:\n");
    }
    for route in table.apps_with_hosts() {
        for url in urls(route, door) {
            let _infallible = writeln!(text, "  {url}");
        }
    }
    for url in urls_of_routes(table, door) {
        let _infallible = writeln!(text, "  {url} (routes)");
    }
    if !table.hint.is_empty() {
        let _infallible = writeln!(text, "\nMore: {}", table.hint);
    }
    text
}

fn as_json(host: &str, table: &RoutingTable, door: Door) -> Value {
    let apps = table.apps_with_hosts().map(|route| {
        let urls: Vec<_> = urls(route, door).collect();
        json!({ "app": route.app.as_str(), "urls": urls })
    });
    json!({
        "error": format!("no app has the host {host:?}"),
        "apps": apps.collect::<Vec<_>>(),
        "routes": urls_of_routes(table, door).collect::<Vec<_>>(),
        "more": table.hint,
    })
}

/// The app's own URL, then those of its labels and custom domains.
fn urls(route: &AppRoute, door: Door) -> impl Iterator<Item = String> {
    let app = &route.app;
    let labels = route
        .labels
        .keys()
        .map(move |label| format!("{app}---{label}.{DOMAIN}"));
    let hosts = std::iter::once(format!("{app}.{DOMAIN}")).chain(labels);
    let hosts = hosts.chain(route.hosts.iter().cloned());
    hosts.map(move |host| url(&host, door))
}

/// The URL of each route config.
fn urls_of_routes(table: &RoutingTable, door: Door) -> impl Iterator<Item = String> {
    let configs = table.routes.iter().map(|routes| routes.config());
    configs.map(move |config| url(&format!("{}.{DOMAIN}", config.name), door))
}

fn url(host: &str, (scheme, port): Door) -> String {
    format!("{}://{host}:{port}/", scheme.as_str())
}

/// Whether a list of `Accept` headers puts JSON before text. What is not named with the same
/// weight is decided for text.
pub(super) fn prefers_json<'a>(accept: impl Iterator<Item = &'a HeaderValue>) -> bool {
    let (mut json, mut text) = (0, 0);
    for range in accept
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
    {
        let (kind, weight) = range_of(range);
        match kind {
            "application/json" | "application/*" | "application/problem+json" => {
                json = json.max(weight);
            }
            "*/*" | "text/*" | "text/plain" | "text/html" => text = text.max(weight),
            _ => {}
        }
    }
    json > 0 && (json > text || text == 0)
}

/// A media range and its weight in thousandths (RFC 9110, section 12.4.2).
pub(super) fn range_of(range: &str) -> (&str, u16) {
    let mut parts = range.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let weight = parts.find_map(|parameter| parameter.strip_prefix("q="));
    let weight = weight
        .map_or(Some(1.0), |q| q.parse::<f32>().ok())
        .unwrap_or(0.0);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to 0..=1000"
    )]
    let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u16;
    (kind, thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn json_is_for_those_who_prefer_it() {
        for (accept, expected) in [
            ("", false),
            ("*/*", false),
            ("text/html,application/xhtml+xml,*/*;q=0.8", false),
            ("application/json", true),
            ("application/json, */*;q=0.5", true),
            ("application/json;q=0.5, text/plain", false),
            ("application/json;q=0", false),
            ("application/json, text/plain, */*", false),
            ("application/json;q=x", false),
        ] {
            let value = HeaderValue::from_static(accept);
            assert_eq!(prefers_json([&value].into_iter()), expected, "{accept}");
        }
    }

    proptest! {
        #[test]
        fn any_accept_header_is_read(accept in "[ -~]*") {
            let value = HeaderValue::try_from(accept).unwrap();
            prefers_json([&value].into_iter());
        }
    }
}
