//! Where the broker is, and as whom it is asked.

use reqwest::Url;

use super::HOST;
use crate::error::ReadError;
use crate::parameters::Parameters;

/// Where the broker is, and as whom it is asked. Does not print: it has a password.
pub(super) struct Address {
    pub(super) is_http: bool,
    pub(super) has_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) password: String,
    /// Not encoded.
    pub(super) vhost: String,
    /// What comes before `/api`, with a slash in front; encoded.
    pub(super) prefix: String,
}

impl Address {
    /// As the parameters have it.
    ///
    /// # Errors
    /// `host` is no address, or not of the protocol.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, ReadError> {
        let wrong = |message: &str| ReadError::of(HOST, message);
        let url = parameters.required(HOST)?;
        let url = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        let (is_http, mut has_tls) = match url.scheme() {
            "http" => (true, false),
            "https" => (true, true),
            "amqp" => (false, false),
            "amqps" => (false, true),
            _ => {
                return Err(wrong(
                    "begins with none of http://, https://, amqp://, amqps://",
                ));
            }
        };
        match parameters.word("protocol").as_deref() {
            Some("http") if !is_http => {
                return Err(wrong(
                    "is not an http:// address, which protocol: http needs",
                ));
            }
            Some("amqp") if is_http => {
                return Err(wrong(
                    "is not an amqp:// address, which protocol: amqp needs",
                ));
            }
            _ => {}
        }
        has_tls |= parameters.word("tls").as_deref() == Some("enable");
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wrong("has no host"))?.to_owned();
        let usual = match (is_http, has_tls) {
            (true, false) => 80,
            (true, true) => 443,
            (false, false) => 5672,
            (false, true) => 5671,
        };
        let given = |key: &str, in_url: &str| {
            let own = parameters.text(key).map(str::to_owned);
            own.unwrap_or_else(|| decoded(in_url))
        };
        let (user, password) = (
            given("username", url.username()),
            given("password", url.password().unwrap_or_default()),
        );
        let (prefix, last) = url.path().rsplit_once('/').unwrap_or(("", ""));
        let vhost = match parameters.text("vhostName") {
            Some(name) => name.to_owned(),
            None => decoded(last),
        };
        Ok(Self {
            is_http,
            has_tls,
            host,
            port: url.port().unwrap_or(usual),
            user,
            password,
            vhost: if vhost.is_empty() {
                "/".to_owned()
            } else {
                vhost
            },
            prefix: prefix.trim_end_matches('/').to_owned(),
        })
    }
}

/// A part of an address as it was before it was encoded.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, tail @ ..] = rest {
        let byte = match (first, tail) {
            (b'%', [high, low, ..]) => hexadecimal(*high).zip(hexadecimal(*low)),
            _ => None,
        };
        if let Some((high, low)) = byte {
            bytes.push(high << 4 | low);
            rest = &rest[3..];
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// A text as one segment of an address.
pub(super) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let encode = |byte: u8| {
        if plain(byte) {
            char::from(byte).to_string()
        } else {
            format!("%{byte:02X}")
        }
    };
    text.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_encoded_comes_back() {
        for (text, code) in [
            ("/", "%2F"),
            ("a b", "a%20b"),
            ("ü", "%C3%BC"),
            ("a-b.c", "a-b.c"),
        ] {
            assert_eq!(encoded(text), code);
            assert_eq!(decoded(code), text);
        }
        assert_eq!(decoded("50%"), "50%");
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }
}
