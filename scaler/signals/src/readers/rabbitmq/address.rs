//! Where a server is, and who asks it.

use percent_encoding::percent_decode_str;
use reqwest::Url;

use super::HOST;
use crate::parameters::Parameters;
use ebbtide_brokers::error::ReadError;

const VHOST: &str = "vhostName";
const PASSWORD: &str = "password";

/// What the address of a rule says.
pub(super) struct Address {
    /// Whether it is the management plugin's and not that of AMQP.
    pub(super) is_http: bool,
    pub(super) is_tls: bool,
    pub(super) host: String,
    pub(super) port: u16,
    /// What comes before `/api`.
    pub(super) prefix: String,
    pub(super) vhost: String,
    /// The key that has the virtual host.
    pub(super) vhost_key: &'static str,
    pub(super) user: Option<User>,
}

/// Who asks.
pub(super) struct User {
    pub(super) name: String,
    pub(super) password: String,
    /// The key that has the password.
    pub(super) key: &'static str,
}

impl Address {
    /// The address of a rule.
    ///
    /// # Errors
    /// It is none, or not of the protocol.
    pub(super) fn of(parameters: &Parameters) -> Result<Self, ReadError> {
        let wrong = |message: &str| ReadError::of(HOST, message);
        let url = Url::parse(parameters.required(HOST)?);
        let url = url.map_err(|error| wrong(&format!("is not an address: {error}")))?;
        let (is_http, is_tls, default) = match url.scheme() {
            "http" => (true, false, 80),
            "https" => (true, true, 443),
            "amqp" => (false, false, 5672),
            "amqps" => (false, true, 5671),
            _ => {
                return Err(wrong(
                    "begins with none of http://, https://, amqp:// and amqps://",
                ));
            }
        };
        let protocol = parameters.word("protocol").unwrap_or_default();
        if let Some(wanted) = other(&protocol, is_http) {
            let message = format!("is not of the protocol {protocol}; begin it with {wanted}");
            return Err(wrong(&message));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let (prefix, vhost) = path(is_http, url.path());
        let given = parameters.text(VHOST);
        Ok(Self {
            is_http,
            is_tls,
            host: host.ok_or_else(|| wrong("has no host"))?.to_owned(),
            port: url.port().unwrap_or(default),
            prefix,
            vhost: given.map_or(vhost, str::to_owned),
            vhost_key: if given.is_some() { VHOST } else { HOST },
            user: User::of(parameters, &url),
        })
    }
}

impl User {
    fn of(parameters: &Parameters, url: &Url) -> Option<Self> {
        if let (Some(name), Some(password)) =
            (parameters.text("username"), parameters.text(PASSWORD))
        {
            return Some(Self {
                name: name.to_owned(),
                password: password.to_owned(),
                key: PASSWORD,
            });
        }
        let is_given = !url.username().is_empty() || url.password().is_some();
        is_given.then(|| Self {
            name: decoded(url.username()),
            password: decoded(url.password().unwrap_or_default()),
            key: HOST,
        })
    }
}

/// How an address has to begin for a protocol, if it does not.
fn other(protocol: &str, is_http: bool) -> Option<&'static str> {
    match (protocol, is_http) {
        ("http", false) => Some("http:// or https://"),
        ("amqp", true) => Some("amqp:// or amqps://"),
        _ => None,
    }
}

/// What comes before `/api`, and the virtual host. Only that of AMQP is the whole path.
fn path(is_http: bool, path: &str) -> (String, String) {
    let (prefix, vhost) = if is_http {
        path.rsplit_once('/').unwrap_or_default()
    } else {
        ("", path.strip_prefix('/').unwrap_or(path))
    };
    let vhost = if vhost.is_empty() { "/" } else { vhost };
    (prefix.trim_end_matches('/').to_owned(), decoded(vhost))
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_has_the_virtual_host() {
        for (is_http, text, prefix, vhost) in [
            (true, "/", "", "/"),
            (true, "/shop", "", "shop"),
            (true, "/%2f", "", "/"),
            (true, "/a%20b", "", "a b"),
            (true, "/rabbit/shop", "/rabbit", "shop"),
            (true, "/rabbit/", "/rabbit", "/"),
            (false, "", "", "/"),
            (false, "/", "", "/"),
            (false, "/%2F", "", "/"),
            (false, "/shop", "", "shop"),
            (false, "/shop/eu", "", "shop/eu"),
        ] {
            let expected = (prefix.to_owned(), vhost.to_owned());
            assert_eq!(path(is_http, text), expected, "{is_http} {text}");
        }
    }

    #[test]
    fn an_address_is_of_its_protocol() {
        assert_eq!(other("auto", true), None);
        assert_eq!(other("http", true), None);
        assert_eq!(other("amqp", false), None);
        assert_eq!(other("amqp", true), Some("amqp:// or amqps://"));
        assert_eq!(other("http", false), Some("http:// or https://"));
    }
}
