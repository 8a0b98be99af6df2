//! Where the servers of a cluster are.

use std::net::IpAddr;

/// The monitoring endpoints of a cluster's servers.
pub(super) struct Nodes {
    scheme: &'static str,
    host: String,
    port: Option<String>,
}

impl Nodes {
    /// Those of the cluster of an endpoint, `host:port`.
    ///
    /// # Errors
    /// It is something else.
    pub(super) fn new(endpoint: &str, is_secure: bool) -> Result<Self, String> {
        let wrong = || format!("{endpoint:?} is not host:port, as in nats:8222");
        if endpoint.contains(['/', '@', '?', '#', '\\']) {
            return Err(wrong());
        }
        let (host, port) = split(endpoint);
        if port.is_some_and(|port| port.parse::<u16>().is_err()) || host.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            scheme: if is_secure { "https" } else { "http" },
            host: host.to_owned(),
            port: port.map(str::to_owned),
        })
    }

    /// The URL of the endpoint itself.
    pub(super) fn endpoint(&self) -> String {
        self.at(&self.host)
    }

    /// The URLs of servers that may lead a consumer: the endpoint's own; the one that has the leader's
    /// name before that of the endpoint's host, as pods of a `StatefulSet` have; and those that are advertised to
    /// clients, `host:port` each.
    pub(super) fn of_cluster(&self, advertised: &[String], leader: Option<&str>) -> Vec<String> {
        let mut found = vec![self.endpoint()];
        let is_name = self.host.parse::<IpAddr>().is_err() && !self.host.starts_with('[');
        let is_label = |name: &&str| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            !name.is_empty() && name.bytes().all(is_part)
        };
        if let Some(leader) = leader.filter(is_label).filter(|_| is_name) {
            found.push(self.at(&format!("{leader}.{}", self.host)));
        }
        for address in advertised {
            let (host, _) = split(address);
            let node = self.at(host);
            if !host.is_empty() && !found.contains(&node) {
                found.push(node);
            }
        }
        found
    }

    fn at(&self, host: &str) -> String {
        let scheme = self.scheme;
        match &self.port {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        }
    }
}

/// The host, with the brackets that an address of IPv6 has, and the port.
fn split(address: &str) -> (&str, Option<&str>) {
    match address.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (address, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_host_and_a_port() {
        for (endpoint, expected) in [
            ("nats:8222", "http://nats:8222"),
            ("nats.svc", "http://nats.svc"),
            ("[::1]:8222", "http://[::1]:8222"),
            ("[::1]", "http://[::1]"),
        ] {
            let nodes = Nodes::new(endpoint, false).unwrap();
            assert_eq!(nodes.endpoint(), expected);
        }
        assert_eq!(Nodes::new("n:1", true).unwrap().endpoint(), "https://n:1");
        for endpoint in [
            "http://nats:8222",
            "nats:x",
            ":8222",
            "user@nats:1",
            "nats:1/a",
        ] {
            let error = Nodes::new(endpoint, false).err().unwrap();
            assert!(
                error.ends_with("is not host:port, as in nats:8222"),
                "{error}"
            );
        }
    }

    #[test]
    fn the_leader_is_looked_for_by_its_name_and_at_what_is_advertised() {
        let nodes = Nodes::new("nats.svc:8222", false).unwrap();
        let advertised = ["10.0.0.1:4222", "[fd00::1]:4222", "nats.svc:4222"].map(str::to_owned);
        assert_eq!(
            nodes.of_cluster(&advertised, Some("nats-1")),
            [
                "http://nats.svc:8222",
                "http://nats-1.nats.svc:8222",
                "http://10.0.0.1:8222",
                "http://[fd00::1]:8222",
            ]
        );
        // A name that leads elsewhere, and a host that no name can be before.
        assert_eq!(nodes.of_cluster(&[], Some("evil.example/")).len(), 1);
        let nodes = Nodes::new("10.0.0.1:8222", false).unwrap();
        assert_eq!(
            nodes.of_cluster(&[], Some("nats-1")),
            ["http://10.0.0.1:8222"]
        );
    }
}
