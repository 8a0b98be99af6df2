//! The hosts in connection strings, as [`connection`](super::connection) returns them.

use std::collections::BTreeMap;

use super::connection::{HostPort, endpoint, has_scheme, host_port, port, scheme, url};

/// The hosts of an Azure connection string; `service` comes after the account's name where
/// the string has no endpoint for it, as in `queue`.
pub(super) fn azure(text: &str, service: &str) -> Option<Vec<HostPort>> {
    let pairs = semicolon_pairs(text)?;
    let is_endpoint = |key: &str| key.ends_with("endpoint") || key.ends_with("uri");
    let mut hosts = Vec::new();
    for (_, value) in pairs.iter().filter(|(key, _)| is_endpoint(key)) {
        let (scheme, rest) = scheme(value)?;
        hosts.extend(url(&scheme, rest)?);
    }
    let is_given = |key: &str| pairs.get(key).is_some_and(|value| !value.is_empty());
    if is_given("usedevelopmentstorage") {
        hosts.push(("127.0.0.1".to_owned(), None));
    }
    let is_told = is_given(&format!("{service}endpoint"));
    if let Some(account) = pairs.get("accountname").filter(|_| !is_told) {
        let suffix = pairs
            .get("endpointsuffix")
            .map_or("core.windows.net", String::as_str);
        hosts.push((format!("{account}.{service}.{suffix}"), Some(443)));
    }
    (!hosts.is_empty()).then_some(hosts)
}

/// `Key=value;Key=value`, the keys in lowercase. None if a key is given twice: some take it for the
/// first and some for the last.
fn semicolon_pairs(text: &str) -> Option<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    for (key, value) in text.split(';').filter_map(|pair| pair.split_once('=')) {
        let key = key.trim().to_ascii_lowercase();
        if pairs.insert(key, value.trim().to_owned()).is_some() {
            return None;
        }
    }
    Some(pairs)
}

/// The hosts of `PostgreSQL`'s `host=… port=…`, or of its URL.
pub(super) fn postgresql(text: &str) -> Option<Vec<HostPort>> {
    if has_scheme(text) {
        return endpoint(text);
    }
    let pairs = quoted_pairs(text)?;
    if pairs.keys().any(|key| key.starts_with("service")) {
        return None;
    }
    let list = |key: &str| {
        let text = pairs.get(key).map(String::as_str).unwrap_or_default();
        text.split(',')
            .filter(|one| !one.is_empty())
            .collect::<Vec<_>>()
    };
    let ports = list("port");
    let port_of = |index| match (ports.get(index), &*ports) {
        (Some(text), _) | (None, [text]) => port(text),
        _ => Some(5432),
    };
    let hosts = ["host", "hostaddr"].map(list);
    let hosts = hosts.iter().flat_map(|hosts| hosts.iter().enumerate());
    let hosts: Vec<_> = hosts
        .map(|(index, host)| ((*host).to_owned(), port_of(index)))
        .collect();
    (!hosts.is_empty()).then_some(hosts)
}

/// `key = value` with spaces between, values in single quotes if they have some; a backslash takes
/// the character after it as it is.
fn quoted_pairs(text: &str) -> Option<BTreeMap<String, String>> {
    let mut pairs = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let quoted = after.strip_prefix('\'');
        let mut value = String::new();
        let mut characters = quoted.unwrap_or(after).chars();
        let mut is_closed = quoted.is_none();
        while let Some(c) = characters.next() {
            match c {
                '\\' => value.push(characters.next()?),
                '\'' if quoted.is_some() => {
                    is_closed = true;
                    break;
                }
                c if quoted.is_none() && c.is_whitespace() => break,
                c => value.push(c),
            }
        }
        let key = key.trim().to_ascii_lowercase();
        if !is_closed || pairs.insert(key, value).is_some() {
            return None;
        }
        rest = characters.as_str().trim_start();
    }
    Some(pairs)
}

/// The host of `user:password@tcp(host:port)/database`.
pub(super) fn mysql(text: &str) -> Option<Vec<HostPort>> {
    let (before, _) = text.rsplit_once('/')?;
    let (_, network) = before.rsplit_once('@').unwrap_or(("", before));
    let address = network.strip_prefix("tcp(")?.strip_suffix(')')?;
    let (host, port) = host_port(address)?;
    Some(vec![(host, port.or(Some(3306)))])
}

/// The hosts of `Server=host,port;…`, or of a URL.
pub(super) fn mssql(text: &str) -> Option<Vec<HostPort>> {
    const NAMES: [&str; 6] = [
        "server",
        "data source",
        "address",
        "addr",
        "network address",
        "failoverpartner",
    ];
    if has_scheme(text) {
        return endpoint(text);
    }
    if text.contains(['{', '"', '\'']) {
        return None;
    }
    let pairs = semicolon_pairs(text)?;
    let hosts = NAMES.iter().filter_map(|name| pairs.get(*name));
    let read = |text: &String| {
        let text = text.strip_prefix("tcp:").unwrap_or(text);
        let (host, digits) = text.split_once(',').unwrap_or((text, "1433"));
        // After a backslash comes an instance, whose port the host itself tells.
        let host = host.split('\\').next().unwrap_or(host);
        Some((host.trim().to_owned(), Some(port(digits.trim())?)))
    };
    let hosts: Vec<_> = hosts.map(read).collect::<Option<_>>()?;
    (!hosts.is_empty()).then_some(hosts)
}
