//! Hosts by name, and those that a wildcard stands for.

use std::collections::HashMap;

/// What each host stands for.
pub(super) struct Hosts<T> {
    exact: HashMap<Box<str>, T>,
    /// By what follows `*.`.
    wildcards: HashMap<Box<str>, T>,
}

impl<T> Default for Hosts<T> {
    fn default() -> Self {
        Self {
            exact: HashMap::new(),
            wildcards: HashMap::new(),
        }
    }
}

impl<T: Copy> Hosts<T> {
    /// Adds a host, or with `*.` all that are below it. One that is there already stays as it is.
    pub(super) fn add(&mut self, host: &str, value: T) {
        let host = host.to_ascii_lowercase();
        let (hosts, key) = match host.strip_prefix("*.") {
            Some(below) => (&mut self.wildcards, below),
            None => (&mut self.exact, &*host),
        };
        hosts.entry(key.into()).or_insert(value);
    }

    /// What `host` (a key, see [`super::host::key`]) stands for: itself, or the longest wildcard.
    pub(super) fn find(&self, host: &str) -> Option<T> {
        self.exact.get(host).copied().or_else(|| self.below(host))
    }

    fn below(&self, host: &str) -> Option<T> {
        if self.wildcards.is_empty() || host.starts_with('.') {
            return None;
        }
        let mut rest = host;
        while let Some((_, parent)) = rest.split_once('.') {
            if let Some(value) = self.wildcards.get(parent) {
                return Some(*value);
            }
            rest = parent;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hosts(names: &[&str]) -> Hosts<usize> {
        let mut hosts = Hosts::default();
        for (place, name) in names.iter().enumerate() {
            hosts.add(name, place);
        }
        hosts
    }

    #[test]
    fn a_host_comes_before_wildcards_and_a_longer_one_before_a_shorter() {
        let hosts = hosts(&[
            "*.Example.com",
            "a.example.com",
            "*.b.example.com",
            "*.example.com",
        ]);
        for (host, expected) in [
            ("a.example.com", Some(1)),
            ("c.example.com", Some(0)),
            ("d.c.example.com", Some(0)),
            ("c.a.example.com", Some(0)),
            ("b.example.com", Some(0)),
            ("c.b.example.com", Some(2)),
            ("example.com", None),
            (".example.com", None),
            ("xexample.com", None),
            ("com", None),
            ("", None),
        ] {
            assert_eq!(hosts.find(host), expected, "{host}");
        }
    }

    proptest! {
        #[test]
        fn any_host_is_found_as_by_looking_at_each(
            names in proptest::collection::vec("([*][.])?[ab]([.][ab]){0,3}", 0..8),
            host in "[ab.]{0,8}",
        ) {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let is_below = |name: &str| {
                let parent = name.strip_prefix('*').is_some_and(|parent| host.ends_with(parent));
                parent && !host.starts_with('.')
            };
            let exact = names.iter().position(|name| *name == host);
            let wildcards = names.iter().filter(|name| is_below(name));
            let longest = wildcards.max_by_key(|name| name.len());
            let wildcard = longest.and_then(|longest| names.iter().position(|name| name == longest));
            prop_assert_eq!(hosts(&names).find(&host), exact.or(wildcard));
        }
    }
}
