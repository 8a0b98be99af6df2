//! `routes[].match`.

use std::collections::BTreeSet;

use crate::document::model::{HeaderMatch, HttpRouteMatch, PathMatch};
use crate::document::reader::{Field, Object, Reader, shortened};
use crate::request_path;

use super::UNKNOWN_TO_AZURE;

/// The longest path or prefix, in bytes.
const LONGEST_PATH: usize = 1024;
/// The most headers that one route goes by.
const MOST_HEADERS: usize = 16;
/// The longest value of a header, in bytes.
const LONGEST_VALUE: usize = 4096;

const METHODS: [(&str, &str); 8] = [
    ("GET", "GET"),
    ("HEAD", "HEAD"),
    ("POST", "POST"),
    ("PUT", "PUT"),
    ("PATCH", "PATCH"),
    ("DELETE", "DELETE"),
    ("OPTIONS", "OPTIONS"),
    ("TRACE", "TRACE"),
];

/// Headers that are made or taken away on the way, so that what a client says in them is not what holds.
const OURS: [&str; 11] = [
    "connection",
    "content-length",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-real-ip",
];
const OURS_BEGIN: &str = "x-forwarded-";

/// Reads a match; everything matches if there is none.
pub(super) fn read(reader: &mut Reader<'_>, field: Option<Field<'_>>) -> Option<HttpRouteMatch> {
    let Some(field) = field else {
        return Some(HttpRouteMatch {
            path: PathMatch::Prefix("/".to_owned()),
            case_sensitive: true,
            method: None,
            headers: Vec::new(),
        });
    };
    let mut object = reader.object(&field)?;
    let path = path(reader, &field, &mut object);
    let case_sensitive = object.get("caseSensitive");
    let case_sensitive = case_sensitive.and_then(|field| reader.boolean(&field));
    let method = object.get("method").and_then(|field| {
        reader.warn(&field, UNKNOWN_TO_AZURE);
        reader.choice(&field, &METHODS).map(str::to_owned)
    });
    let headers = object.get("headers");
    object.finish(reader);
    Some(HttpRouteMatch {
        path: path?,
        case_sensitive: case_sensitive.unwrap_or(true),
        method,
        headers: headers.map_or_else(Vec::new, |field| read_headers(reader, &field)),
    })
}

/// Makes a [`PathMatch`] of one kind.
type Form = fn(String) -> PathMatch;

/// `path`, `prefix` or `pathSeparatedPrefix`. None if there is something wrong, which is reported.
fn path(reader: &mut Reader<'_>, field: &Field<'_>, object: &mut Object<'_>) -> Option<PathMatch> {
    let forms: [(&str, Form); 3] = [
        ("path", PathMatch::Exact),
        ("prefix", PathMatch::Prefix),
        ("pathSeparatedPrefix", PathMatch::PathSeparatedPrefix),
    ];
    let given = forms.map(|(key, form)| Some((object.get(key)?, form)));
    let mut given = given.into_iter().flatten();
    let Some((value, form)) = given.next() else {
        return Some(PathMatch::Prefix("/".to_owned()));
    };
    if given.next().is_some() {
        let message = "gives more than one of `path`, `prefix` and `pathSeparatedPrefix`; give one";
        reader.error(field, message);
        return None;
    }
    let text = reader.text(&value)?;
    if !check_path(reader, &value, &text) {
        return None;
    }
    Some(match form(text) {
        PathMatch::PathSeparatedPrefix(text) => without_last_slash(reader, &value, text),
        other => other,
    })
}

/// A prefix that ends in a slash would match nothing below it.
fn without_last_slash(reader: &mut Reader<'_>, field: &Field<'_>, text: String) -> PathMatch {
    match text.strip_suffix('/') {
        None => PathMatch::PathSeparatedPrefix(text),
        Some("") => PathMatch::Prefix(text),
        Some(shorter) => {
            reader.warn(
                field,
                format!("read as `{}`, without the last slash", shortened(shorter)),
            );
            PathMatch::PathSeparatedPrefix(shorter.to_owned())
        }
    }
}

/// Whether a text is a path that requests can have; reports it if not.
pub(super) fn check_path(reader: &mut Reader<'_>, field: &Field<'_>, text: &str) -> bool {
    let shown = shortened(text);
    let message = if !text.starts_with('/') {
        format!("`{shown}` is not a path; begin with a slash, as in /api")
    } else if text.len() > LONGEST_PATH {
        format!("is longer than {LONGEST_PATH} bytes")
    } else if text.contains(['?', '#', ';']) {
        format!("`{shown}` has a `?`, `#` or `;`, and paths are matched without what follows those")
    } else if let Err(error) = request_path::check(text) {
        format!("`{shown}` matches nothing, since requests are refused for that: {error}")
    } else {
        return true;
    };
    reader.error(field, message);
    false
}

fn read_headers(reader: &mut Reader<'_>, field: &Field<'_>) -> Vec<HeaderMatch> {
    reader.warn(field, UNKNOWN_TO_AZURE);
    let entries = reader.list(field);
    if entries.len() > MOST_HEADERS {
        let count = entries.len();
        reader.error(
            field,
            format!("has {count} entries; at most {MOST_HEADERS} are allowed"),
        );
        return Vec::new();
    }
    let mut names = BTreeSet::new();
    let mut headers = Vec::new();
    for entry in entries {
        let Some(header) = header(reader, &entry) else {
            continue;
        };
        if !names.insert(header.name.clone()) {
            reader.error(
                &entry,
                format!("`{}` is given twice; give it once", header.name),
            );
        }
        headers.push(header);
    }
    headers
}

fn header(reader: &mut Reader<'_>, entry: &Field<'_>) -> Option<HeaderMatch> {
    let mut object = reader.object(entry)?;
    let name = object.require(reader, "name", "the header's name");
    let value = object.require(reader, "value", "the value that it must have");
    object.finish(reader);
    let (name, value) = (name?, value?);
    let text = reader.text(&name)?.to_ascii_lowercase();
    let shown = shortened(&text);
    if !is_token(&text) {
        let message = format!("`{shown}` is not a header's name, as in x-version");
        reader.error(&name, message);
        return None;
    }
    if OURS.contains(&&*text) || text.starts_with(OURS_BEGIN) {
        let message = format!(
            "`{shown}` is made or taken away on the way, so no route goes by it; use another header"
        );
        reader.error(&name, message);
        return None;
    }
    let expected = reader.text(&value)?;
    let visible = |byte: u8| byte.is_ascii_graphic() || byte == b' ';
    if !expected.bytes().all(visible)
        || expected.trim() != expected
        || expected.len() > LONGEST_VALUE
    {
        let message = format!(
            "is no header's value; use at most {LONGEST_VALUE} ASCII characters, no space at an end"
        );
        reader.error(&value, message);
        return None;
    }
    Some(HeaderMatch {
        name: text,
        value: expected,
    })
}

/// A token of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.len() <= 256 && text.bytes().all(allowed)
}
