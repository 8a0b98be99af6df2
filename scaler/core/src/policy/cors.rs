//! What pages of other origins may ask.

use crate::document::CorsPolicy;

/// Stands for all origins, methods or headers.
const ANY: &str = "*";

/// `corsPolicy`, as answers say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// None if all may.
    origins: Option<Vec<String>>,
    /// What requests may be made with.
    pub methods: CorsNames,
    /// Headers that requests may have.
    pub headers: CorsNames,
    /// Headers of answers that pages see.
    pub expose: CorsNames,
    /// For how many seconds a browser may keep this.
    pub max_age: Option<u32>,
    /// Whether cookies and the like go along.
    pub allow_credentials: bool,
}

/// Methods or headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorsNames {
    /// Whichever they are.
    Any,
    /// These, with commas between; empty for none.
    These(String),
}

impl Cors {
    pub(super) fn of(policy: &CorsPolicy) -> Self {
        let origins = &policy.allowed_origins;
        let all = origins.iter().any(|origin| origin == ANY);
        Self {
            origins: (!all).then(|| origins.clone()),
            methods: CorsNames::of(&policy.allowed_methods),
            headers: CorsNames::of(&policy.allowed_headers),
            expose: CorsNames::of(&policy.expose_headers),
            max_age: policy.max_age,
            allow_credentials: policy.allow_credentials,
        }
    }

    /// Whether pages of all origins may ask.
    pub fn allows_all(&self) -> bool {
        self.origins.is_none()
    }

    /// Whether pages of `origin`, as the `Origin` header has it, may ask.
    pub fn allows(&self, origin: &str) -> bool {
        let Some(origins) = &self.origins else {
            return true;
        };
        let mut origins = origins.iter();
        origins.any(|allowed| allowed.eq_ignore_ascii_case(origin))
    }
}

impl CorsNames {
    fn of(names: &[String]) -> Self {
        if names.iter().any(|name| name == ANY) {
            return Self::Any;
        }
        Self::These(names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cors(origins: &[&str]) -> Cors {
        Cors::of(&CorsPolicy {
            allowed_origins: origins.iter().map(|origin| (*origin).to_owned()).collect(),
            allowed_methods: vec!["GET".to_owned(), "PUT".to_owned()],
            allowed_headers: vec!["x-a".to_owned(), ANY.to_owned()],
            ..CorsPolicy::default()
        })
    }

    #[test]
    fn an_origin_is_one_of_those_that_are_named() {
        let named = cors(&["https://a.test", "http://b.test:81"]);
        for (origin, expected) in [
            ("https://a.test", true),
            ("https://A.test", true),
            ("http://a.test", false),
            ("https://a.test:8443", false),
            ("https://a.test.evil.test", false),
            ("http://b.test:81", true),
            ("null", false),
        ] {
            assert_eq!(named.allows(origin), expected, "{origin}");
        }
        assert!(cors(&["*"]).allows("null") && cors(&["https://a.test", "*"]).allows_all());
        assert!(!named.allows_all() && !cors(&[]).allows("https://a.test"));
    }

    #[test]
    fn an_asterisk_among_names_is_all_of_them() {
        let cors = cors(&[]);
        assert_eq!(cors.methods, CorsNames::These("GET, PUT".to_owned()));
        assert_eq!(cors.headers, CorsNames::Any);
        assert_eq!(cors.expose, CorsNames::These(String::new()));
    }
}
