//! Where a NATS server is.

use ebbtide_brokers::nats::Login;
use percent_encoding::percent_decode_str;

/// The port that servers have by default.
const PORT: u16 = 4222;

/// What a URL says: `nats://USER:PASSWORD@HOST:PORT`, or `tls://` where the server wants TLS.
pub(super) struct Place {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) is_secured: bool,
    pub(super) login: Option<Login>,
}

impl Place {
    pub(super) fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once("://").unwrap_or(("nats", url));
        let rest = rest.trim_end_matches('/');
        let (login, address) = match rest.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, rest),
        };
        let port = address.rsplit_once(':');
        let port = port.and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = port.unwrap_or((address, PORT));
        if host.is_empty() || host.contains(['/', ' ']) || !["nats", "tls"].contains(&scheme) {
            return Err("NATS: its URL is not nats://USER:PASSWORD@HOST:PORT".to_owned());
        }
        let login = login.map(|login| login.split_once(':').unwrap_or((login, "")));
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let login = login.map(|(user, password)| Login {
            user: decoded(user),
            password: decoded(password),
        });
        Ok(Self {
            host: host.to_owned(),
            port,
            is_secured: scheme == "tls",
            login,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_says_where_and_who() {
        for (url, (host, port), login) in [
            ("nats://127.0.0.1:4333", ("127.0.0.1", 4333), None),
            ("nats://localhost/", ("localhost", 4222), None),
            ("tls://nats.example", ("nats.example", 4222), None),
            ("nats://a:b%40c@h:1", ("h", 1), Some(("a", "b@c"))),
            ("nats://a@[::1]", ("[::1]", 4222), Some(("a", ""))),
            ("tls://a@[::1]:7", ("[::1]", 7), Some(("a", ""))),
        ] {
            let place = Place::parse(url).unwrap();
            assert_eq!((&*place.host, place.port), (host, port), "{url}");
            assert_eq!(place.is_secured, url.starts_with("tls"), "{url}");
            let found = place.login.as_ref();
            let found = found.map(|login| (&*login.user, &*login.password));
            assert_eq!(found, login, "{url}");
        }
        for url in ["nats://", "nats://a b", "tls://:1", "ws://a"] {
            assert!(Place::parse(url).is_err(), "{url}");
        }
    }

    proptest! {
        #[test]
        fn no_url_panics_and_none_is_shown(url in "(nats://|tls://)?hunter2:?\\PC{0,20}") {
            if let Err(error) = Place::parse(&url) {
                prop_assert!(!error.contains("hunter2"));
            }
        }
    }
}
