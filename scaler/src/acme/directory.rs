//! Where certificates are asked for.

use std::fmt;
use std::str::FromStr;

use reqwest::Url;

const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
const LETS_ENCRYPT_STAGING: &str = "https://acme-staging-v02.api.letsencrypt.org/directory";

/// The URL of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory(String);

impl Directory {
    /// The URL.
    pub fn url(&self) -> &str {
        &self.0
    }

    /// A name for files of what belongs to it.
    pub(super) fn file_name(&self) -> String {
        let of_host = self.0.strip_prefix("https://").unwrap_or(&self.0);
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        of_host.chars().map(plain).collect()
    }
}

impl FromStr for Directory {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "letsencrypt" => return Ok(Self(LETS_ENCRYPT.to_owned())),
            "letsencrypt-staging" => return Ok(Self(LETS_ENCRYPT_STAGING.to_owned())),
            _ => {}
        }
        let url = Url::parse(text).map_err(|error| {
            format!(
                "{error}; give letsencrypt, letsencrypt-staging or a URL that begins with https://"
            )
        })?;
        if url.scheme() != "https" {
            return Err(
                "a directory is asked by HTTPS; give a URL that begins with https://".into(),
            );
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a directory takes no user and password; leave them out".to_owned());
        }
        Ok(Self(url.into()))
    }
}

impl fmt::Display for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_a_short_name_or_a_url_by_https() {
        for (text, expected) in [
            ("letsencrypt", Ok("acme-v02-api-letsencrypt-org-directory")),
            (
                "letsencrypt-staging",
                Ok("acme-staging-v02-api-letsencrypt-org-directory"),
            ),
            ("https://127.0.0.1:14000/dir", Ok("127-0-0-1-14000-dir")),
            ("http://127.0.0.1/dir", Err("begins with https://")),
            ("LetsEncrypt", Err("letsencrypt-staging")),
            ("https://user:pass@ca.example/dir", Err("leave them out")),
        ] {
            let parsed = text.parse::<Directory>();
            match (parsed, expected) {
                (Ok(directory), Ok(name)) => assert_eq!(directory.file_name(), name),
                (Err(said), Err(part)) => assert!(said.contains(part), "{said}"),
                (parsed, _) => panic!("{text}: {parsed:?}"),
            }
        }
    }
}
