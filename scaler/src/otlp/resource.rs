//! Who sends the spans.

use ebbtide_proto::otlp::Resource;

use super::attributes::Attributes;

/// A resource with these attributes, and those of Ebbtide that are not among them.
pub(super) fn of(given: &[(String, String)]) -> Resource {
    let mut all = Attributes::default();
    for (key, value) in given {
        all.text(key, Some(value));
    }
    for (key, value) in [
        ("service.name", "ebbtide"),
        ("service.version", env!("CARGO_PKG_VERSION")),
    ] {
        if !given.iter().any(|(one, _)| one == key) {
            all.text(key, Some(value));
        }
    }
    Resource {
        attributes: all.into_vec(),
    }
}
