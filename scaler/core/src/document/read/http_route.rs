//! `Microsoft.App/managedEnvironments/httpRouteConfigs`, and the file that
//! `az containerapp env http-route-config create --yaml` takes, which has the properties alone.

mod matches;
mod order;
mod target;

use crate::document::model::{HttpRoute, HttpRouteConfig, HttpRouteRule, RouteTimeouts};
use crate::document::node::Node;
use crate::document::reader::{Field, Object, Reader};
use crate::name::RouteConfigName;

use super::ingress::custom_domains;

/// The most routes of a config, over all its rules.
const MOST_ROUTES: usize = 1000;

/// What Azure adds to the resource, and what ARM templates have around it.
const IGNORED: &[&str] = &[
    "id",
    "systemData",
    "resourceGroup",
    "etag",
    "apiVersion",
    "dependsOn",
    "condition",
    "comments",
    "metadata",
    "scope",
    "location",
    "parent",
];
/// What is said of properties that Azure does not have.
const UNKNOWN_TO_AZURE: &str =
    "is acted on here; Azure knows no such property, and ignores or refuses it";

/// What Azure adds to `properties`.
const READ_ONLY: &[&str] = &["fqdn", "provisioningState", "provisioningErrors"];

/// Whether a document without a type is the properties of a route config.
pub(super) fn is_bare(document: &Node) -> bool {
    document.get("rules").is_some() && document.get("properties").is_none()
}

/// Reads a route config. None if its name or a required part is missing, which is reported.
pub(super) fn read(
    reader: &mut Reader<'_>,
    mut object: Object<'_>,
    default_name: Option<&str>,
) -> Option<HttpRouteConfig> {
    let name = name(reader, &mut object, default_name);
    object.ignore(IGNORED);
    let properties = object.require(reader, "properties", "the config's rules");
    object.finish(reader);
    let properties = reader.object(&properties?)?;
    let parts = read_properties(reader, properties);
    config(reader, name, parts)
}

/// Reads the properties of a route config that stand alone.
pub(super) fn read_bare(
    reader: &mut Reader<'_>,
    mut object: Object<'_>,
    default_name: Option<&str>,
) -> Option<HttpRouteConfig> {
    let name = name(reader, &mut object, default_name);
    let parts = read_properties(reader, object);
    let accepted = std::mem::take(&mut reader.accepted).into_iter();
    reader.accepted = accepted
        .map(|(path, value)| (format!("properties.{path}"), value))
        .collect();
    config(reader, name, parts)
}

fn config(
    reader: &mut Reader<'_>,
    name: Option<RouteConfigName>,
    (custom_domains, rules): (Vec<String>, Vec<HttpRouteRule>),
) -> Option<HttpRouteConfig> {
    Some(HttpRouteConfig {
        name: name?,
        custom_domains,
        rules,
        accepted: std::mem::take(&mut reader.accepted),
    })
}

/// The name; of a child resource's, as in `environment/name`, the last part.
fn name(
    reader: &mut Reader<'_>,
    object: &mut Object<'_>,
    default_name: Option<&str>,
) -> Option<RouteConfigName> {
    let field = object.get("name");
    let given = match &field {
        Some(field) => reader.text(field)?,
        None => default_name.unwrap_or_default().to_owned(),
    };
    let own = given.rsplit_once('/').map_or(&*given, |(_, own)| own);
    match (RouteConfigName::new(own), field) {
        (Ok(name), _) => Some(name),
        (Err(error), Some(field)) => {
            reader.error(&field, error.to_string());
            None
        }
        (Err(_), None) => {
            let message = "is missing; give the route config's name";
            reader.error_at(object.position(), "name", message);
            None
        }
    }
}

fn read_properties(
    reader: &mut Reader<'_>,
    mut properties: Object<'_>,
) -> (Vec<String>, Vec<HttpRouteRule>) {
    let custom_domains = custom_domains(reader, &mut properties);
    properties.ignore(READ_ONLY);
    let field = properties.require(reader, "rules", "at least one rule");
    properties.finish(reader);
    let Some(field) = field else {
        return (custom_domains, Vec::new());
    };
    let mut places = Vec::new();
    let rules: Vec<HttpRouteRule> = not_empty(reader, &field, "rule")
        .iter()
        .filter_map(|field| rule(reader, field, &mut places))
        .collect();
    if places.len() > MOST_ROUTES {
        let count = places.len();
        let message = format!(
            "have {count} routes; at most {MOST_ROUTES} are allowed, so divide them between configs"
        );
        reader.error(&field, message);
    } else {
        order::warn_of_dead(reader, &rules, &places);
    }
    (custom_domains, rules)
}

fn rule<'n>(
    reader: &mut Reader<'_>,
    field: &Field<'n>,
    places: &mut Vec<Field<'n>>,
) -> Option<HttpRouteRule> {
    let mut object = reader.object(field)?;
    let description = object.text(reader, "description");
    let routes = object.require(reader, "routes", "at least one route");
    let targets = object.require(reader, "targets", "at least one target");
    let timeouts = object.get("timeouts");
    object.finish(reader);
    let mut read = Vec::new();
    if let Some(routes) = routes {
        for field in not_empty(reader, &routes, "route") {
            read.extend(route(reader, &field));
            places.push(field);
        }
    }
    let targets = targets.map_or_else(Vec::new, |field| {
        let entries = not_empty(reader, &field, "target");
        target::read(reader, &field, &entries)
    });
    let timeouts = timeouts.and_then(|field| timeouts_of(reader, &field));
    Some(HttpRouteRule {
        description,
        routes: read,
        targets,
        timeouts: timeouts.unwrap_or_default(),
    })
}

fn timeouts_of(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<RouteTimeouts> {
    reader.warn(field, UNKNOWN_TO_AZURE);
    let mut object = reader.object(field)?;
    let mut seconds = |key| object.integer(reader, key, 0..=u32::MAX);
    let timeouts = RouteTimeouts {
        first_byte: seconds("firstByteSeconds"),
        idle: seconds("idleSeconds"),
        request: seconds("requestSeconds"),
    };
    object.finish(reader);
    Some(timeouts)
}

fn route(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<HttpRoute> {
    let mut object = reader.object(field)?;
    let matches = matches::read(reader, object.get("match"));
    let prefix_rewrite = object
        .get("action")
        .and_then(|action| prefix_rewrite(reader, &action));
    object.finish(reader);
    Some(HttpRoute {
        matches: matches?,
        prefix_rewrite,
    })
}

fn prefix_rewrite(reader: &mut Reader<'_>, action: &Field<'_>) -> Option<String> {
    let mut object = reader.object(action)?;
    let field = object.get("prefixRewrite");
    object.finish(reader);
    let field = field?;
    let text = reader.text(&field)?;
    // `?`, `#` and `;` are for the check of paths to report.
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,:=@%?#;".contains(&byte);
    if !text.bytes().all(allowed) {
        let message = "goes into the target of a request as it is; percent-encode what RFC 3986 does \
                       not allow in a path";
        reader.error(&field, message);
        return None;
    }
    matches::check_path(reader, &field, &text).then_some(text)
}

/// The entries of a list that must have some.
fn not_empty<'n>(reader: &mut Reader<'_>, field: &Field<'n>, what: &str) -> Vec<Field<'n>> {
    let errors = reader.errors.len();
    let entries = reader.list(field);
    if entries.is_empty() && reader.errors.len() == errors {
        reader.error(field, format!("is empty; give at least one {what}"));
    }
    entries
}
