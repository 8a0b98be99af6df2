//! What is answered while a revision has no ready replica, instead of holding requests.

/// `ebbtide.coldPaths`: paths that are answered at once while there is no ready replica, and that wake
/// nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ColdPaths(Vec<(String, u16)>);

impl ColdPaths {
    /// Reads a list as in `/healthz=200, /favicon.ico=404`.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut paths: Vec<(String, u16)> = Vec::new();
        for entry in text.split(',').map(str::trim) {
            let (path, status) = path_and_status(entry)?;
            if paths.iter().any(|(known, _)| known == path) {
                return Err(format!("`{path}` is given twice"));
            }
            paths.push((path.to_owned(), status));
        }
        Ok(Self(paths))
    }

    /// The status for a path, as it was sent and without its query, if it is one of these.
    pub fn status(&self, path: &str) -> Option<u16> {
        let mut paths = self.0.iter();
        let (_, status) = paths.find(|(known, _)| known == path)?;
        Some(*status)
    }
}

fn path_and_status(entry: &str) -> Result<(&str, u16), String> {
    let wanted = "write paths with a status each, as in /healthz=200, /favicon.ico=404";
    let (path, status) = entry
        .rsplit_once('=')
        .ok_or_else(|| format!("`{entry}` has no status; {wanted}"))?;
    let (path, status) = (path.trim_end(), status.trim_start());
    let is_path = path.starts_with('/') && !path.contains(['?', '#']);
    if !is_path || !path.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!("`{path}` is no path without a query; {wanted}"));
    }
    let number = status.parse().ok().filter(|n| (200..=599).contains(n));
    let number =
        number.ok_or_else(|| format!("`{status}` is no status from 200 to 599; {wanted}"))?;
    Ok((path, number))
}

/// `ebbtide.coldAnswer`: what requests get that find no ready replica. Whatever they get, they wake the
/// revision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColdAnswer {
    /// Whether browsers that load a page get one that loads again by itself.
    pub page: bool,
    /// Whether the others are told in JSON when to try again, instead of being held.
    pub json: bool,
}

impl ColdAnswer {
    /// Reads `hold`, or what of `page` and `json` is wanted, with a comma between.
    ///
    /// # Errors
    /// What is wrong, and what would be right.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut answer = Self::default();
        if text.trim().eq_ignore_ascii_case("hold") {
            return Ok(answer);
        }
        for word in text.split(',').map(str::trim) {
            match word.to_ascii_lowercase().as_str() {
                "page" => answer.page = true,
                "json" => answer.json = true,
                _ => {
                    let wanted = "write hold, page, json, or page, json";
                    return Err(format!("`{word}` is no answer; {wanted}"));
                }
            }
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_a_status_each() {
        let paths = ColdPaths::parse("/healthz=200, /a=b = 404,/=503").unwrap();
        for (path, status) in [
            ("/healthz", Some(200)),
            ("/a=b", Some(404)),
            ("/", Some(503)),
            ("/healthz/", None),
            ("/Healthz", None),
            ("", None),
        ] {
            assert_eq!(paths.status(path), status, "{path}");
        }
    }

    #[test]
    fn what_is_no_list_of_paths_is_refused_with_what_would_be_right() {
        for (text, expected) in [
            ("", "`` has no status"),
            ("/healthz", "`/healthz` has no status"),
            ("/a=200,", "`` has no status"),
            ("healthz=200", "`healthz` is no path"),
            ("/a?b=200", "`/a?b` is no path"),
            ("/a b=200", "`/a b` is no path"),
            ("/a=199", "`199` is no status from 200 to 599"),
            ("/a=600", "`600` is no status"),
            ("/a=ok", "`ok` is no status"),
            ("/a=200, /a=404", "`/a` is given twice"),
        ] {
            let error = ColdPaths::parse(text).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }

    #[test]
    fn an_answer_is_for_pages_and_for_the_others() {
        for (text, expected) in [
            ("hold", Some((false, false))),
            ("Page", Some((true, false))),
            ("json", Some((false, true))),
            ("json,page", Some((true, true))),
            ("page, json", Some((true, true))),
            ("hold, page", None),
            ("xml", None),
            ("", None),
        ] {
            let answer = ColdAnswer::parse(text).ok();
            let found = answer.map(|answer| (answer.page, answer.json));
            assert_eq!(found, expected, "{text}");
        }
    }
}
