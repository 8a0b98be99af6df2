//! Another path for a request: what stands in the place of the prefix that it matched.

use ebbtide_core::request_path;
use http::Uri;
use http::uri::PathAndQuery;

use crate::request::Malformed;

/// What becomes of a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rewrite<'m> {
    /// What stands in the place of the prefix.
    pub(crate) with: &'m str,
    /// Where in the path, as it is written, what follows the prefix begins.
    pub(crate) from: usize,
    /// Whether the prefix ended in a slash.
    pub(crate) is_slash_gone: bool,
}

impl Rewrite<'_> {
    /// The target with the prefix replaced. Where what is joined has a slash on either side, there is one.
    ///
    /// # Errors
    /// When what is forwarded would be read in two ways: `/a` in `/a../b`, replaced by `/x/`, for one.
    pub(crate) fn target(&self, uri: &Uri) -> Result<Uri, Malformed> {
        let mut rest = uri.path().get(self.from..).unwrap_or_default();
        // Path parameters of the segment that the prefix ends in go with it.
        if rest.starts_with(';') {
            rest = rest.find('/').map_or("", |end| &rest[end..]);
        }
        let mut target = self.with.to_owned();
        if target.ends_with('/') {
            rest = rest.strip_prefix('/').unwrap_or(rest);
        } else if self.is_slash_gone && !rest.starts_with('/') && !rest.is_empty() {
            target.push('/');
        }
        target.push_str(rest);
        request_path::check(&target)?;
        if let Some(query) = uri.query() {
            target.push('?');
            target.push_str(query);
        }
        with_path(uri, target).ok_or(Malformed::Target)
    }
}

fn with_path(uri: &Uri, path_and_query: String) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use ebbtide_core::request_path::PathError;

    use super::*;

    fn rewritten(prefix: &str, with: &str, target: &str) -> Result<String, Malformed> {
        let rewrite = Rewrite {
            with,
            from: prefix.len(),
            is_slash_gone: prefix.ends_with('/'),
        };
        Ok(rewrite.target(&target.parse().unwrap())?.to_string())
    }

    #[test]
    fn the_prefix_is_replaced_and_slashes_are_single() {
        for (prefix, with, target, expected) in [
            ("/api", "/", "/api/v1?a=/api", "/v1?a=/api"),
            ("/api", "/", "/api", "/"),
            ("/api", "/v2", "/api", "/v2"),
            ("/api", "/v2", "/api/", "/v2/"),
            ("/api", "/v2/", "/api/x", "/v2/x"),
            ("/api/", "/v2", "/api/x", "/v2/x"),
            ("/api/", "/v2", "/api/", "/v2"),
            ("/", "/v2", "/x", "/v2/x"),
            ("/", "/v2", "/", "/v2"),
            ("/a", "/b", "/ac", "/bc"),
            ("/api", "/", "/api;x=1/v1;y", "/v1;y"),
            ("/api", "/b", "/api;x=1?q", "/b?q"),
            ("/api", "/", "http://host/api/v1", "http://host/v1"),
            ("/%61pi", "/", "/%61pi/%20", "/%20"),
        ] {
            let found = rewritten(prefix, with, target);
            assert_eq!(found.as_deref(), Ok(expected), "{prefix} {with} {target}");
        }
    }

    #[test]
    fn no_path_is_made_that_would_have_been_refused() {
        for (prefix, with, target, expected) in [
            ("/a", "/x/", "/a../b", PathError::Dots),
            ("/a", "/", "/a.", PathError::Dots),
            ("/a", "/x/.", "/a./b", PathError::Dots),
        ] {
            let found = rewritten(prefix, with, target);
            assert_eq!(
                found,
                Err(Malformed::Path(expected)),
                "{prefix} {with} {target}"
            );
        }
    }
}
