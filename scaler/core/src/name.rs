//! The names of apps, revisions and replicas, checked when they are made and cheap to clone.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// Why a text is not a name, and what would be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{given:?} is not {what}: {rule}")]
pub struct NameError {
    given: String,
    what: &'static str,
    rule: &'static str,
}

const APP_RULE: &str = "use 1 to 32 lowercase letters, digits and '-', begin with a letter, end \
                        with a letter or digit, and do not write '--'";
const SUFFIX_RULE: &str = "use lowercase letters, digits and '-', begin and end with a letter or \
                           digit, do not write '--', and stay within 64 characters in all";

const ROUTE_CONFIG_RULE: &str = "use 1 to 63 lowercase letters, digits and '-', begin with a letter, \
                                 end with a letter or digit, and do not write '--'";

/// The name of a container app: at most 32 characters of `[a-z0-9-]`, from a letter to a letter or
/// digit, without `--` (which separates the revision's suffix).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppName(Arc<str>);

impl AppName {
    /// Checks `name` and keeps it.
    ///
    /// # Errors
    /// When `name` breaks the rule for app names; the error says the rule.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let begins_with_letter = name.starts_with(|c: char| c.is_ascii_lowercase());
        if begins_with_letter && name.len() <= 32 && is_label(name) {
            return Ok(Self(Arc::from(name)));
        }
        Err(NameError {
            given: name.to_owned(),
            what: "an app name",
            rule: APP_RULE,
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// So that maps by name are asked with text.
impl Borrow<str> for AppName {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// The name of a revision: the app's name, `--`, and a suffix.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RevisionName {
    full: Arc<str>,
    app_length: usize,
}

impl RevisionName {
    /// The revision of `app` with this suffix.
    ///
    /// # Errors
    /// When the suffix is not lowercase letters, digits and single `-` between them, or the whole
    /// is longer than 64 characters.
    pub fn new(app: &AppName, suffix: &str) -> Result<Self, NameError> {
        let full = format!("{}--{suffix}", app.as_str());
        if is_label(suffix) && full.len() <= 64 {
            return Ok(Self {
                full: Arc::from(full),
                app_length: app.as_str().len(),
            });
        }
        Err(NameError {
            given: suffix.to_owned(),
            what: "a revision suffix",
            rule: SUFFIX_RULE,
        })
    }

    /// Reads `app--suffix`.
    ///
    /// # Errors
    /// When there is no `--`, or either part is not a name.
    pub fn parse(full: &str) -> Result<Self, NameError> {
        let Some((app, suffix)) = full.split_once("--") else {
            return Err(NameError {
                given: full.to_owned(),
                what: "a revision name",
                rule: "write the app's name, '--' and the revision's suffix, as in hello--v1",
            });
        };
        Self::new(&AppName::new(app)?, suffix)
    }

    /// The whole name, `app--suffix`.
    pub fn as_str(&self) -> &str {
        &self.full
    }

    /// The app's part.
    pub fn app(&self) -> &str {
        &self.full[..self.app_length]
    }

    /// The suffix.
    pub fn suffix(&self) -> &str {
        &self.full[self.app_length + 2..]
    }
}

/// The name of an HTTP route config: at most 63 characters of `[a-z0-9-]`, from a letter to a letter or
/// digit, without `--` (which separates an app's label in a host).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteConfigName(Arc<str>);

impl RouteConfigName {
    /// Checks `name` and keeps it.
    ///
    /// # Errors
    /// When `name` breaks the rule for names of route configs; the error says the rule.
    pub fn new(name: &str) -> Result<Self, NameError> {
        let begins_with_letter = name.starts_with(|c: char| c.is_ascii_lowercase());
        if begins_with_letter && name.len() <= 63 && is_label(name) {
            return Ok(Self(Arc::from(name)));
        }
        Err(NameError {
            given: name.to_owned(),
            what: "the name of a route config",
            rule: ROUTE_CONFIG_RULE,
        })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of one replica of a revision, `app--suffix-id`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaName(Arc<str>);

impl ReplicaName {
    /// The replica of `revision` with this identifier, which whoever starts replicas makes unique.
    pub fn new(revision: &RevisionName, identifier: &str) -> Self {
        Self(Arc::from(format!("{revision}-{identifier}")))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lowercase letters, digits and single `-`, from a letter or digit to a letter or digit.
fn is_label(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty()
        && text.bytes().all(allowed)
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

macro_rules! text_impls {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    )*};
}

text_impls!(AppName, RevisionName, ReplicaName, RouteConfigName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_names_follow_the_rule() {
        for good in ["a", "hello", "my-app-2", "abcdefghijklmnopqrstuvwxyz012345"] {
            assert!(AppName::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "2a",
            "A",
            "a--b",
            "a-",
            "-a",
            "a_b",
            "abcdefghijklmnopqrstuvwxyz0123456",
        ] {
            assert!(AppName::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_revision_name_is_app_and_suffix() {
        let name = RevisionName::parse("hello--2-green").unwrap();
        assert_eq!((name.app(), name.suffix()), ("hello", "2-green"));
        for bad in [
            "hello",
            "hello--",
            "hello--a--b",
            "Hello--a",
            "hello--A",
            "--a",
        ] {
            assert!(RevisionName::parse(bad).is_err(), "{bad}");
        }
    }
}
