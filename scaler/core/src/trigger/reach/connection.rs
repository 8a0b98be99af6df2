//! The hosts in URLs, and in hosts with ports.
//!
//! Each function returns none for a text that it is not sure to read as whoever connects does: what
//! cannot be read is refused. No part that may be a password is in what they return.

/// A host as it is written, and its port if that is known.
pub(super) type HostPort = (String, Option<u16>);

/// Ports of schemes; those that are not here have none unless they say so.
const PORTS: [(&str, u16); 9] = [
    ("http", 80),
    ("https", 443),
    ("amqp", 5672),
    ("amqps", 5671),
    ("redis", 6379),
    ("postgres", 5432),
    ("postgresql", 5432),
    ("mongodb", 27017),
    ("sqlserver", 1433),
];

/// Schemes that take several hosts, and parameters that name further ones.
const SEVERAL: [&str; 3] = ["postgres", "postgresql", "mongodb"];

/// A port: digits alone, from 1.
pub(super) fn port(text: &str) -> Option<u16> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| *number > 0)?;
    is_number.then_some(number)
}

/// Whether it begins as a URL does.
pub(super) fn has_scheme(text: &str) -> bool {
    scheme(text).is_some()
}

/// The scheme of a URL in lowercase, and what comes after it.
pub(super) fn scheme(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte);
    let is_scheme =
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(is_part);
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

/// The host of a URL, or of `host` or `host:port`.
pub(super) fn endpoint(text: &str) -> Option<Vec<HostPort>> {
    match scheme(text) {
        Some((scheme, rest)) => url(&scheme, rest),
        None => Some(vec![host_port(text)?]),
    }
}

/// The endpoints in a list that commas separate.
pub(super) fn endpoints(text: &str) -> Option<Vec<HostPort>> {
    let all: Option<Vec<_>> = text.split(',').map(|one| endpoint(one.trim())).collect();
    all.map(|all| all.into_iter().flatten().collect())
}

/// The hosts of a URL after its scheme. An `@` or a backslash anywhere but after the user is where
/// readers of URLs differ.
pub(super) fn url(scheme: &str, rest: &str) -> Option<Vec<HostPort>> {
    let unclear = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
    if rest.contains(unclear) {
        return None;
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
    if user.contains('@') || tail.contains('@') {
        return None;
    }
    let known = PORTS.iter().find(|(name, _)| *name == scheme);
    let default = known.map(|(_, port)| *port);
    let with_default = |(host, port): HostPort| (host, port.or(default));
    if !SEVERAL.contains(&scheme) {
        return Some(vec![with_default(host_port(hosts)?)]);
    }
    if names_hosts(tail) {
        return None;
    }
    let hosts = hosts.split(',');
    hosts
        .map(|host| host_port(host).map(with_default))
        .collect()
}

/// Whether the parameters of a URL may name hosts.
fn names_hosts(tail: &str) -> bool {
    let (_, query) = tail.split_once('?').unwrap_or_default();
    query.split(['&', ';', '#']).any(|pair| {
        let name = pair
            .split('=')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        ["%", "host", "service", "proxy"]
            .iter()
            .any(|part| name.contains(part))
    })
}

/// `host`, `host:port`, `[address]` or `[address]:port`.
pub(super) fn host_port(text: &str) -> Option<HostPort> {
    let end = if text.starts_with('[') {
        text.find(']')? + 1
    } else {
        text.find(':').unwrap_or(text.len())
    };
    let (host, rest) = text.split_at(end);
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "/\\?#@".contains(c);
    if host.is_empty() || host.contains(is_odd) {
        return None;
    }
    match rest.strip_prefix(':') {
        Some(digits) => Some((host.to_owned(), Some(port(digits)?))),
        None => rest.is_empty().then(|| (host.to_owned(), None)),
    }
}
