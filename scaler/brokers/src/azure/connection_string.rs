//! `Key=value;Key=value`.

use std::collections::BTreeMap;

/// The parts of a connection string. It does not print, since it has secrets.
pub struct ConnectionString {
    /// By key, in lowercase.
    parts: BTreeMap<String, String>,
}

impl ConnectionString {
    /// Reads one. Keys may be in any case, and a value may have `=` in it.
    ///
    /// # Errors
    /// What is wrong with it, without showing any of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = BTreeMap::new();
        for part in text.split(';').map(str::trim) {
            if part.is_empty() {
                continue;
            }
            let Some((key, value)) = part.split_once('=') else {
                return Err("has a part that is not Key=value".to_owned());
            };
            let key = key.trim().to_ascii_lowercase();
            if parts.insert(key, value.trim().to_owned()).is_some() {
                return Err("has a key twice".to_owned());
            }
        }
        Ok(Self { parts })
    }

    /// A value, unless it is absent or empty. The key is in lowercase.
    pub fn get(&self, key: &str) -> Option<&str> {
        let value = self.parts.get(key).map(String::as_str);
        value.filter(|value| !value.is_empty())
    }

    /// A value that has to be there.
    pub(super) fn require(&self, key: &str) -> Result<&str, String> {
        let missing = || format!("has no {key}");
        self.get(&key.to_ascii_lowercase()).ok_or_else(missing)
    }

    /// Whether a value is `true`.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.get(key)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parts_are_read() {
        let read =
            ConnectionString::parse(" accountName = a ;AccountKey=b==;; Empty=;F=True;").ok();
        let read = read.unwrap();
        for (key, expected) in [
            ("accountname", Some("a")),
            ("accountkey", Some("b==")),
            ("empty", None),
            ("other", None),
        ] {
            assert_eq!(read.get(key), expected, "{key}");
        }
        assert!(read.flag("f") && !read.flag("accountname"));
        assert_eq!(read.require("AccountName"), Ok("a"));
        assert_eq!(read.require("Empty"), Err("has no Empty".to_owned()));
    }

    #[test]
    fn what_is_wrong_is_said_without_showing_any_of_it() {
        for (text, expected) in [
            ("AccountKey=a;hunter2", "has a part that is not Key=value"),
            ("hunter2=a;HUNTER2=b", "has a key twice"),
        ] {
            let error = ConnectionString::parse(text).err();
            assert_eq!(error.as_deref(), Some(expected), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_and_what_is_wrong_is_not_shown(
            key in "[a-zA-Z]{1,12}",
            value in "[!-:<-~]{1,20}",
            junk in "[ -~]{0,20}",
        ) {
            let read = ConnectionString::parse(&format!("{key} = {value};"));
            let read = read.map_err(TestCaseError::fail)?;
            prop_assert_eq!(read.get(&key.to_ascii_lowercase()), Some(value.as_str()));
            if let Err(error) = ConnectionString::parse(&format!("Hunter2{junk}")) {
                prop_assert!(!error.contains("Hunter2"));
            }
        }
    }
}
