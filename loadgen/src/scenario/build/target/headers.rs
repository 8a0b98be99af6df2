//! Headers that are sent.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};

use super::{Builder, texts};
use crate::plan::Template;
use crate::scenario::headers::Headers;
use crate::scenario::template;

const AGENT: &str = concat!("ebbtide-loadgen/", env!("CARGO_PKG_VERSION"));
/// Headers that are not the scenario's to set, and what sets them.
const OWN_HEADERS: [(HeaderName, &str); 3] = [
    (header::HOST, "the Host header is set with `host`"),
    (header::CONTENT_LENGTH, "the length is that of the body"),
    (
        header::TRANSFER_ENCODING,
        "bodies are sent with their length",
    ),
];

impl Builder<'_> {
    pub(super) fn headers(&mut self, path: &str, headers: &Headers) -> Vec<(HeaderName, Template)> {
        let mut all = Vec::new();
        for (name, value) in &headers.0 {
            let path = format!("{path}.{name}");
            let Some(parsed) = self.header_name(&path, name) else {
                continue;
            };
            if let Some((_, why)) = OWN_HEADERS.iter().find(|(own, _)| *own == parsed) {
                self.problems.add(&path, *why);
            }
            let template = self.problems.take(&path, template::parse(value.trim()));
            let Some(template) = template else { continue };
            if texts(&template).any(|text| HeaderValue::from_bytes(text).is_err()) {
                let message = "a header's value has no line breaks or other control characters";
                self.problems.add(&path, message);
            }
            all.push((parsed, template));
        }
        for (name, value) in [(header::ACCEPT, "*/*"), (header::USER_AGENT, AGENT)] {
            if all.iter().all(|(given, _)| *given != name) {
                let value = Bytes::from_static(value.as_bytes());
                all.insert(0, (name, Template::Fixed(value)));
            }
        }
        all
    }

    pub(super) fn header_name(&mut self, path: &str, name: &str) -> Option<HeaderName> {
        let parsed = HeaderName::try_from(name);
        let parsed = parsed.map_err(|_| format!("`{name}` is not the name of a header"));
        self.problems.take(path, parsed)
    }
}
