//! What the author of a ScaledObject may make Ebbtide connect to.
//!
//! Whoever may write a ScaledObject need not be one who may reach what Ebbtide reaches: its own
//! machine, the cloud's metadata service. Names are looked at twice, as they are written and as what
//! they resolve to, since whoever owns a name decides what it resolves to, and may change it.

mod addresses;
mod connection;
mod host;
mod network;
mod refused;
mod strings;
#[cfg(test)]
mod tests;

use std::net::IpAddr;
use std::str::FromStr;

pub use addresses::{Address, addresses};
pub use refused::Refused;

use crate::network::Network;

use host::Host;
use network::refused_ranges;
use refused::Why;

/// The hosts and networks that may be connected to.
///
/// Empty, it allows all but what is refused by default: the machine itself, link-local, unspecified
/// and multicast addresses, and the metadata services of clouds. With entries it allows only those.
/// What is refused by default needs an entry of its own, no wider than why it is refused:
/// `127.0.0.0/8` allows 127.0.0.1, and `0.0.0.0/0` does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    allowed: Vec<Allowed>,
}

/// An entry of [`Reach`]: `rabbitmq.prod.svc`, `*.svc.cluster.local`, `10.0.0.0/8`, `10.1.2.3` or
/// `fd00::/8`, of one port (`10.1.2.3:5672`, `[fd00::1]:5672`, `fd00::/8:5672`) or of any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    what: What,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// This name, whatever it resolves to.
    Name(String),
    /// Every name below this one, unless it resolves to what is refused by default.
    Below(String),
    Network(Network),
}

/// How a name is allowed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// By an entry of its own: it may resolve to anything.
    Named,
    /// By a wildcard, or since there are no entries.
    AmongOthers,
}

impl Reach {
    /// What these entries allow; without any, all but what is refused by default.
    pub fn new(allowed: Vec<Allowed>) -> Self {
        Self { allowed }
    }

    /// Whether a host, a name or an address, may be connected to at a port. A port that is not
    /// known is not that of an entry that has one. A name has to pass
    /// [`check_address`](Self::check_address) too, with what it resolves to.
    ///
    /// # Errors
    /// Why it may not. What is neither a plain name nor an address in its usual form never may.
    pub fn check_host(&self, host: &str, port: Option<u16>) -> Result<(), Refused> {
        let refused = |why| Refused::new(host, port, why, self.allowed.is_empty());
        match Host::parse(host).ok_or_else(|| refused(Why::NotPlain))? {
            Host::Name(name) => self.standing(&name, port).map(drop),
            Host::Address(address) => self.literal(address, port),
        }
        .map_err(refused)
    }

    /// Whether what a name resolved to may be connected to. Ask at the time of connecting, with
    /// the very address that is connected to.
    ///
    /// # Errors
    /// Why it may not, the name included.
    pub fn check_address(
        &self,
        name: &str,
        address: IpAddr,
        port: Option<u16>,
    ) -> Result<(), Refused> {
        let refused = |why| Refused::new(name, port, why, self.allowed.is_empty());
        let standing = match Host::parse(name).ok_or_else(|| refused(Why::NotPlain))? {
            Host::Name(name) => self.standing(&name, port).map_err(refused)?,
            Host::Address(given) if given == address.to_canonical() => {
                return self.literal(given, port).map_err(refused);
            }
            Host::Address(_) => return Err(refused(Why::OtherAddress(address))),
        };
        match self.refusal(address.to_canonical(), port) {
            Some(reason) if standing != Standing::Named => {
                Err(refused(Why::ResolvesTo(address, reason)))
            }
            _ => Ok(()),
        }
    }

    fn standing(&self, name: &str, port: Option<u16>) -> Result<Standing, Why> {
        let entries = || self.allowed.iter().filter(|entry| entry.is_for(port));
        if entries().any(|entry| matches!(&entry.what, What::Name(own) if own == name)) {
            return Ok(Standing::Named);
        }
        let among = entries().any(|entry| {
            matches!(&entry.what, What::Below(parent) if host::is_below(name, parent)
                && host::refused_within(name).is_none_or(|refused| host::is_within(parent, refused)))
        });
        match host::refused_within(name) {
            _ if among => Ok(Standing::AmongOthers),
            Some(_) => Err(Why::Name),
            None if self.allowed.is_empty() => Ok(Standing::AmongOthers),
            None => Err(Why::NotListed),
        }
    }

    fn literal(&self, address: IpAddr, port: Option<u16>) -> Result<(), Why> {
        if let Some(reason) = self.refusal(address, port) {
            return Err(Why::Address(reason));
        }
        let is_listed = || {
            let mut networks = self.networks(port);
            networks.any(|network| network.contains(address))
        };
        if self.allowed.is_empty() || is_listed() {
            Ok(())
        } else {
            Err(Why::NotListed)
        }
    }

    /// Why an address is refused by default, unless an entry of its own allows it.
    fn refusal(&self, address: IpAddr, port: Option<u16>) -> Option<&'static str> {
        let ranges = refused_ranges(address);
        let allows = |entry: &Network| {
            entry.contains(address) && ranges.iter().all(|(_, range)| entry.is_within(range))
        };
        // The last is the narrowest, so it says most.
        let (reason, _) = ranges.last()?;
        (!self.networks(port).any(allows)).then_some(*reason)
    }

    fn networks(&self, port: Option<u16>) -> impl Iterator<Item = &Network> {
        let entries = self.allowed.iter().filter(move |entry| entry.is_for(port));
        entries.filter_map(|entry| match &entry.what {
            What::Network(network) => Some(network),
            What::Name(_) | What::Below(_) => None,
        })
    }
}

impl Allowed {
    fn is_for(&self, port: Option<u16>) -> bool {
        self.port.is_none() || self.port == port
    }
}

impl FromStr for Allowed {
    type Err = String;

    /// # Errors
    /// What the text is not, and what would be an entry.
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "{text:?} is neither a name (rabbitmq.prod.svc, *.svc.cluster.local) nor an \
                 address or network (10.1.2.3, 10.0.0.0/8, fd00::/8), with or without a port \
                 (10.1.2.3:5672, [fd00::1]:5672)"
            )
        };
        let (host, port) = split_entry(text).ok_or_else(wrong)?;
        let what = if let Some(parent) = host.strip_prefix("*.") {
            match Host::parse(parent) {
                Some(Host::Name(parent)) => What::Below(parent),
                _ => return Err(wrong()),
            }
        } else if let Some((address, length)) = host.split_once('/') {
            let network = Network::parse(address, length).ok_or_else(wrong)?;
            if network.start() != network {
                let start = network.start();
                return Err(format!("{text:?} is inside of its network; give {start}"));
            }
            What::Network(network)
        } else {
            match Host::parse(host).ok_or_else(wrong)? {
                Host::Name(name) => What::Name(name),
                Host::Address(address) => What::Network(Network::of(address)),
            }
        };
        Ok(Self { what, port })
    }
}

/// The host and the port of an entry. What has more than one colon is an IPv6 address, so that its
/// port comes after brackets or a length.
fn split_entry(text: &str) -> Option<(&str, Option<u16>)> {
    if let Some(inner) = text.strip_prefix('[') {
        let (host, rest) = inner.split_once(']')?;
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, Some(connection::port(port)?))),
            None => rest.is_empty().then_some((host, None)),
        };
    }
    let length = text.find('/').unwrap_or(0);
    let colons = text[length..].matches(':').count();
    match text[length..].split_once(':') {
        Some((end, port)) if colons == 1 => {
            let host = &text[..length + end.len()];
            Some((host, Some(connection::port(port)?)))
        }
        _ => Some((text, None)),
    }
}
