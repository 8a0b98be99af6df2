//! Hosts as they are written: plain names and addresses in their usual form, nothing else.
//!
//! Resolvers and libraries read much more as a host than is meant by one: `2130706433`, `0x7f.1`
//! and `0177.0.0.1` are 127.0.0.1 to some. What could be read in two ways is no host here.

use std::net::IpAddr;

/// The longest name, in bytes.
const LONGEST_NAME: usize = 253;
/// The longest part of a name between points, in bytes.
const LONGEST_LABEL: usize = 63;

/// Names that are refused by default, with all below them: those of the machine itself and of
/// clouds' metadata services.
const REFUSED: [&str; 7] = [
    "localhost",
    "localhost.localdomain",
    "ip6-localhost",
    "ip6-loopback",
    "metadata.google.internal",
    "metadata.goog",
    "instance-data.ec2.internal",
];

/// A host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// A name in lowercase.
    Name(String),
    /// An address; one of IPv4 that is written as one of IPv6 is of IPv4.
    Address(IpAddr),
}

impl Host {
    /// Reads a name or an address, the latter with or without brackets if it is of IPv6.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let brackets = text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'));
        let address = brackets.unwrap_or(text);
        let lowercase = address.to_ascii_lowercase();
        if let Ok(parsed) = lowercase.parse::<IpAddr>() {
            let is_usual = parsed.to_string() == lowercase;
            let has_right_brackets = brackets.is_none() || parsed.is_ipv6();
            return (is_usual && has_right_brackets).then(|| Self::Address(parsed.to_canonical()));
        }
        (brackets.is_none() && is_plain_name(&lowercase)).then_some(Self::Name(lowercase))
    }
}

/// A name of letters, digits, `-` and `_` that cannot be taken for an address.
fn is_plain_name(lowercase: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| {
        (1..=LONGEST_LABEL).contains(&label.len())
            && label.bytes().all(is_word)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = lowercase.rsplit('.').next().unwrap_or_default();
    lowercase.len() <= LONGEST_NAME && lowercase.split('.').all(is_label) && !is_number(last)
}

/// Whether the last part of a name makes it an address to whoever reads as `inet_aton` does.
fn is_number(label: &str) -> bool {
    let is_hexadecimal = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    label.bytes().all(|byte| byte.is_ascii_digit())
        || label.strip_prefix("0x").is_some_and(is_hexadecimal)
}

/// Whether `name` is below `parent`, at any depth.
pub(super) fn is_below(name: &str, parent: &str) -> bool {
    let start = name.strip_suffix(parent);
    start.is_some_and(|start| start.ends_with('.'))
}

/// Whether `name` is `other` or below it.
pub(super) fn is_within(name: &str, other: &str) -> bool {
    name == other || is_below(name, other)
}

/// The name that is refused by default and has `name` within.
pub(super) fn refused_within(name: &str) -> Option<&'static str> {
    let mut refused = REFUSED.into_iter();
    refused.find(|refused| is_within(name, refused))
}
