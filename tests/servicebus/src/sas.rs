//! Shared access signatures: who may do what, and until when.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use ring::hmac;

/// What a request needs its key to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// To read and change entities. It includes the others.
    Manage,
    /// To send messages.
    Send,
    /// To receive messages and settle them.
    Listen,
}

/// A shared access policy: a named key and its rights. It does not print the key.
pub struct Policy {
    name: String,
    key: hmac::Key,
    rights: Vec<Right>,
}

impl Policy {
    /// The key is used as the text that it is, also where that is base64 of something.
    pub fn new(name: &str, key: &str, rights: Vec<Right>) -> Self {
        Self {
            name: name.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()),
            rights,
        }
    }

    fn allows(&self, right: Right) -> bool {
        self.rights.contains(&Right::Manage) || self.rights.contains(&right)
    }
}

/// What is asked for: a path of one of the namespace's hosts.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The path, without the query.
    pub path: &'a str,
    /// What is to be done with it.
    pub right: Right,
}

/// Why a token does not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no token.
    Missing,
    /// A part of it is missing or cannot be read.
    Malformed(&'static str),
    /// The signature is not the key's, or nobody knows the key.
    InvalidSignature,
    /// Its time is over.
    Expired,
    /// It is for another resource.
    InvalidAudience,
    /// The key has not the right.
    NoClaim(Right),
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(
                formatter,
                "MissingToken: send Authorization: SharedAccessSignature sr=…&sig=…&se=…&skn=…"
            ),
            Self::Malformed(part) => write!(
                formatter,
                "MalformedToken: '{part}' of the shared access signature is missing or unreadable"
            ),
            Self::InvalidSignature => write!(
                formatter,
                "InvalidSignature: 'sig' is not what the key named by 'skn' gives for 'sr' and 'se'"
            ),
            Self::Expired => write!(formatter, "ExpiredToken: 'se' is in the past"),
            Self::InvalidAudience => write!(
                formatter,
                "InvalidAudience: 'sr' does not cover the URL of the request"
            ),
            Self::NoClaim(right) => write!(
                formatter,
                "the key named by 'skn' lacks the claim {right:?}, which this request needs"
            ),
        }
    }
}

/// Whether the value of an Authorization header allows a request.
pub fn verify(
    policies: &[Policy],
    hosts: &[String],
    authorization: Option<&str>,
    asked: Asked<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let fields = authorization.ok_or(Refusal::Missing)?;
    let fields = fields
        .strip_prefix("SharedAccessSignature ")
        .ok_or(Refusal::Malformed("SharedAccessSignature"))?;
    let field = |name: &'static str| {
        let mut pairs = fields.split('&').filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(key, _)| key.trim() == name);
        found
            .map(|(_, value)| value)
            .ok_or(Refusal::Malformed(name))
    };
    let decoded = |name: &'static str| {
        let text = percent_decode_str(field(name)?).decode_utf8();
        text.map_err(|_| Refusal::Malformed(name))
    };

    let (resource, expiry, name) = (decoded("sr")?, field("se")?, decoded("skn")?);
    let signature = STANDARD.decode(decoded("sig")?.as_bytes());
    let signature = signature.map_err(|_| Refusal::Malformed("sig"))?;
    let policy = policies.iter().find(|policy| policy.name == name);
    let policy = policy.ok_or(Refusal::InvalidSignature)?;
    // The signature is over the resource in the encoding in which it was sent.
    let signed = format!("{}\n{expiry}", field("sr")?);
    hmac::verify(&policy.key, signed.as_bytes(), &signature)
        .map_err(|_| Refusal::InvalidSignature)?;

    let expiry = expiry
        .parse()
        .ok()
        .and_then(|seconds| Timestamp::from_second(seconds).ok());
    if expiry.ok_or(Refusal::Malformed("se"))? <= now {
        return Err(Refusal::Expired);
    }
    if !covers(&resource, hosts, asked.path) {
        return Err(Refusal::InvalidAudience);
    }
    if !policy.allows(asked.right) {
        return Err(Refusal::NoClaim(asked.right));
    }
    Ok(())
}

/// Whether a resource is the path's, or of a folder above it. Neither the scheme, nor the port, nor
/// the query, nor the case of letters counts.
fn covers(resource: &str, hosts: &[String], path: &str) -> bool {
    let resource = resource.to_lowercase();
    let resource = resource
        .split_once("://")
        .map_or(&*resource, |(_, rest)| rest);
    let resource = resource.split(['?', '#']).next().unwrap_or_default();
    let (authority, folder) = resource.split_once('/').unwrap_or((resource, ""));
    let host = authority.split(':').next().unwrap_or_default();
    let segments = |path: &str| {
        let path = percent_decode_str(path).decode_utf8_lossy().to_lowercase();
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        segments.map(str::to_owned).collect::<Vec<_>>()
    };
    hosts.iter().any(|known| known.eq_ignore_ascii_case(host))
        && segments(path).starts_with(&segments(folder))
}

#[cfg(test)]
mod tests;
