//! A namespace of Service Bus.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Url;
use ring::hmac;

use super::ConnectionString;

/// How long a token is good for: a request is over by then, and clocks may differ.
const TOKEN_LIFE: SignedDuration = SignedDuration::from_mins(20);
/// Where Microsoft's emulator is managed.
const EMULATOR_PORT: u16 = 5300;

/// Where a namespace is, and what lets one in. It does not print.
pub struct Namespace {
    /// Its address, without a path.
    address: Url,
    credential: Credential,
}

enum Credential {
    /// A policy's name and its key, which is used as the text that it is.
    Policy(String, String),
    /// A token that somebody else has signed.
    Signature(String),
}

impl Namespace {
    /// The namespace that a connection string names.
    ///
    /// # Errors
    /// What is wrong with it, without showing any of it.
    pub fn from_connection(text: &str) -> Result<Self, String> {
        let parts = ConnectionString::parse(text)?;
        let is_emulator = parts.flag("usedevelopmentemulator");
        let address = address(parts.require("Endpoint")?, is_emulator);
        let address = address.ok_or("has an Endpoint that is not sb://HOST or sb://HOST:PORT")?;
        let credential = if let Some(signature) = parts.get("sharedaccesssignature") {
            Credential::Signature(signature.to_owned())
        } else {
            let name = parts.require("SharedAccessKeyName")?;
            let key = parts.require("SharedAccessKey")?;
            Credential::Policy(name.to_owned(), key.to_owned())
        };
        Ok(Self {
            address,
            credential,
        })
    }

    /// Its host.
    pub fn host(&self) -> &str {
        self.address.host_str().unwrap_or_default()
    }

    /// Whether it is reached by HTTPS, as all but the emulator are.
    pub fn is_secured(&self) -> bool {
        self.address.scheme() == "https"
    }

    /// The name of the policy and its key, unless it has a token instead.
    pub fn policy(&self) -> Option<(&str, &str)> {
        match &self.credential {
            Credential::Policy(name, key) => Some((name, key)),
            Credential::Signature(_) => None,
        }
    }

    /// The address of an entity, whose path may have folders, and of its parts.
    pub fn url(&self, entity: &str, parts: &[&str]) -> Url {
        let mut url = self.address.clone();
        // It has a host, so it has a path too.
        if let Ok(mut segments) = url.path_segments_mut() {
            let entity = entity.split('/').filter(|segment| !segment.is_empty());
            segments.clear().extend(entity).extend(parts);
        }
        url
    }

    /// The `Authorization` of a request for such an address.
    pub fn authorization(&self, url: &Url, now: Timestamp) -> String {
        let (name, key) = match &self.credential {
            Credential::Policy(name, key) => (name, key),
            Credential::Signature(signature) => return signature.clone(),
        };
        let resource = format!("https://{}{}", self.host(), url.path()).to_lowercase();
        let resource = utf8_percent_encode(&resource, NON_ALPHANUMERIC);
        let expiry = now.saturating_add(TOKEN_LIFE).unwrap_or(now).as_second();
        let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
        let signature = hmac::sign(&key, format!("{resource}\n{expiry}").as_bytes());
        let signature = STANDARD.encode(signature);
        let signature = utf8_percent_encode(&signature, NON_ALPHANUMERIC);
        let name = utf8_percent_encode(name, NON_ALPHANUMERIC);
        format!("SharedAccessSignature sr={resource}&sig={signature}&se={expiry}&skn={name}")
    }
}

/// What to ask for HTTP where an endpoint says `sb://`, as Microsoft's own clients do: the same host by
/// HTTPS, and their emulator without TLS.
fn address(endpoint: &str, is_emulator: bool) -> Option<Url> {
    let (_, rest) = endpoint.split_once("://").unwrap_or(("sb", endpoint));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // Where readers of addresses differ.
    if authority.contains(|c: char| c.is_whitespace() || c == '@' || c == '\\') {
        return None;
    }
    let scheme = if is_emulator { "http" } else { "https" };
    let mut url = Url::parse(&format!("{scheme}://{authority}/")).ok()?;
    if is_emulator && url.port().is_none() {
        url.set_port(Some(EMULATOR_PORT)).ok()?;
    }
    Some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str = "SharedAccessKeyName=root;SharedAccessKey=hunter2=";

    #[test]
    fn entities_are_found_at_the_endpoint() {
        for (endpoint, entity, parts, expected) in [
            (
                "Endpoint=sb://ns.servicebus.windows.net/",
                "orders",
                &[][..],
                "https://ns.servicebus.windows.net/orders",
            ),
            (
                "Endpoint=sb://localhost:5300",
                "folder/events",
                &["Subscriptions", "a b"][..],
                "https://localhost:5300/folder/events/Subscriptions/a%20b",
            ),
            (
                "Endpoint=sb://127.0.0.1/;UseDevelopmentEmulator=true",
                "orders",
                &[][..],
                "http://127.0.0.1:5300/orders",
            ),
            (
                "Endpoint=sb://[::1]:1/;UseDevelopmentEmulator=true",
                "$Resources",
                &["Queues"][..],
                "http://[::1]:1/$Resources/Queues",
            ),
        ] {
            let namespace = Namespace::from_connection(&format!("{endpoint};{POLICY}"));
            let url = namespace.ok().unwrap().url(entity, parts);
            assert_eq!(url.as_str(), expected);
        }
    }

    #[test]
    fn a_connection_string_that_will_not_do_is_refused_without_showing_any_of_it() {
        let endpoint = "has an Endpoint that is not sb://HOST or sb://HOST:PORT";
        for (text, expected) in [
            ("SharedAccessKey=hunter2", "has no Endpoint"),
            (
                "Endpoint=sb://h/;SharedAccessKey=hunter2",
                "has no SharedAccessKeyName",
            ),
            (
                "Endpoint=sb://h/;SharedAccessKeyName=hunter2",
                "has no SharedAccessKey",
            ),
            ("Endpoint=sb://hunter2@h/;SharedAccessSignature=s", endpoint),
            ("Endpoint=sb:///;SharedAccessSignature=s", endpoint),
            ("Endpoint=sb://h:port/;SharedAccessSignature=s", endpoint),
        ] {
            let error = Namespace::from_connection(text).err();
            assert_eq!(error.as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_token_is_for_the_entity_and_for_a_while() {
        let text = format!("Endpoint=sb://NS.example:1/;{POLICY}");
        let namespace = Namespace::from_connection(&text).ok().unwrap();
        let now = "2026-11-26T00:00:00Z".parse().unwrap();
        let mut url = namespace.url("Orders", &[]);
        url.set_query(Some("api-version=1"));
        let token = namespace.authorization(&url, now);
        let resource = "https%3A%2F%2Fns%2Eexample%2Forders";
        let expiry = now.as_second() + 1200;
        let rest = token.strip_prefix(&format!("SharedAccessSignature sr={resource}&sig="));
        let (signature, rest) = rest.unwrap().split_once('&').unwrap();
        assert_eq!(rest, format!("se={expiry}&skn=root"));
        let signature = percent_encoding::percent_decode_str(signature)
            .decode_utf8()
            .unwrap();
        let signature = STANDARD.decode(signature.as_bytes()).unwrap();
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"hunter2=");
        let signed = format!("{resource}\n{expiry}");
        assert!(hmac::verify(&key, signed.as_bytes(), &signature).is_ok());
        let text = "Endpoint=sb://h/;SharedAccessSignature=SharedAccessSignature sr=h&sig=s";
        let namespace = Namespace::from_connection(text).ok().unwrap();
        assert_eq!(
            namespace.authorization(&namespace.url("q", &[]), now),
            "SharedAccessSignature sr=h&sig=s"
        );
    }
}
