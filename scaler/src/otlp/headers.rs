//! Pairs of names and values: headers, which may have secrets, and attributes.

use std::path::Path;

use ::http::{HeaderMap, HeaderName, HeaderValue};
use anyhow::{Context, anyhow};
use percent_encoding::percent_decode_str;

/// The pairs of a variable: `NAME=VALUE,NAME=VALUE`, with values that are percent-encoded.
///
/// # Errors
/// Which pair is none. What it is, is not said.
pub(super) fn pairs(variable: &str, text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let parts = text.split(',').enumerate();
    let parts = parts.filter(|(_, part)| !part.trim().is_empty());
    let pair = |(number, part): (usize, &str)| {
        let pair = part.split_once('=').and_then(|(name, value)| {
            let value = percent_decode_str(value.trim()).decode_utf8().ok()?;
            let name = name.trim();
            (!name.is_empty()).then(|| (name.to_owned(), value.into_owned()))
        });
        let number = number + 1;
        pair.ok_or_else(|| {
            anyhow!("{variable}: pair {number} is not NAME=VALUE; write NAME=VALUE,NAME=VALUE")
        })
    };
    parts.map(pair).collect()
}

/// The headers of a variable.
///
/// # Errors
/// Which pair is none.
pub(super) fn of_variable(variable: &str, text: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (number, (name, value)) in (1..).zip(pairs(variable, text)?) {
        add(&mut headers, &name, &value)
            .ok_or_else(|| anyhow!("{variable}: pair {number} cannot be a header"))?;
    }
    Ok(headers)
}

/// The headers of a file, each on a line: `NAME: VALUE`.
///
/// # Errors
/// The file, and which line is no header.
pub(super) fn of_file(path: &Path) -> anyhow::Result<HeaderMap> {
    let place = || format!("--otlp-headers {}", path.display());
    let text = std::fs::read_to_string(path).with_context(place)?;
    let mut headers = HeaderMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim().is_empty() {
            continue;
        }
        let pair = line.split_once(':');
        pair.and_then(|(name, value)| add(&mut headers, name.trim(), value.trim()))
            .with_context(|| {
                let place = place();
                format!("{place}: line {number} is no header; write NAME: VALUE")
            })?;
    }
    Ok(headers)
}

/// Adds a header whose value is not printed.
fn add(headers: &mut HeaderMap, name: &str, value: &str) -> Option<()> {
    let name: HeaderName = name.parse().ok()?;
    let mut value: HeaderValue = value.parse().ok()?;
    value.set_sensitive(true);
    headers.append(name, value);
    Some(())
}
