//! `ingress.corsPolicy`.

use crate::document::model::CorsPolicy;
use crate::document::reader::{Field, Object, Reader};

/// Stands for all origins, methods or headers.
const ANY: &str = "*";

/// Reads the policy, if there is one.
pub(super) fn read(reader: &mut Reader<'_>, ingress: &mut Object<'_>) -> Option<CorsPolicy> {
    let field = ingress.get("corsPolicy")?;
    let mut object = reader.object(&field)?;
    let origins = object.require(
        reader,
        "allowedOrigins",
        "origins, as in https://example.com",
    );
    let policy = CorsPolicy {
        allowed_origins: origins.map_or_else(Vec::new, |field| self::origins(reader, &field)),
        allowed_methods: names(reader, &mut object, "allowedMethods"),
        allowed_headers: names(reader, &mut object, "allowedHeaders"),
        expose_headers: names(reader, &mut object, "exposeHeaders"),
        max_age: object.integer(reader, "maxAge", 0..=u32::MAX),
        allow_credentials: object.boolean(reader, "allowCredentials"),
    };
    object.finish(reader);
    if policy.allow_credentials && policy.allowed_origins.iter().any(|origin| origin == ANY) {
        let message = "any page may then act for the user who visits it; name the origins instead";
        reader.warn(&field, format!("allows `*` with credentials: {message}"));
    }
    Some(policy)
}

fn origins(reader: &mut Reader<'_>, field: &Field<'_>) -> Vec<String> {
    let mut origins = Vec::new();
    for item in reader.list(field) {
        let Some(text) = reader.text(&item) else {
            continue;
        };
        if text != ANY && !is_origin(&text) {
            let message = "matches no page: browsers send origins as in https://example.com, and \
                           `*` stands for all only alone";
            reader.warn(&item, message);
        }
        origins.push(text);
    }
    origins
}

/// Whether a text is a scheme, a host, and a port if that is not the scheme's own: no more is in the
/// `Origin` header.
fn is_origin(text: &str) -> bool {
    let Some((scheme, host)) = text.split_once("://") else {
        return text == "null";
    };
    let is_usual = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
    !scheme.is_empty() && !host.is_empty() && host.bytes().all(is_usual)
}

/// Names of methods or headers; several in one text, as the header has them, are taken apart.
fn names(reader: &mut Reader<'_>, object: &mut Object<'_>, key: &'static str) -> Vec<String> {
    let mut names = Vec::new();
    for item in object.list(reader, key) {
        let text = reader.text(&item).unwrap_or_default();
        for name in text
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            if !name.bytes().all(is_token) {
                reader.error(
                    &item,
                    format!("`{name}` is not a name that a header can have"),
                );
            }
            names.push(name.to_owned());
        }
    }
    names
}

/// Whether a name may have this byte (RFC 9110, section 5.6.2).
fn is_token(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b)
}
