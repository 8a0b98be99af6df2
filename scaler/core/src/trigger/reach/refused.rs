//! Why something may not be connected to.

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

/// The most of a host that a message shows, in characters.
const LONGEST_SHOWN: usize = 80;

/// What may not be connected to, and why; it names the flag that would allow it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Refused {
    host: String,
    port: Option<u16>,
    why: Why,
    /// Nothing is listed, so that the first entry refuses all others.
    nothing_listed: bool,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It could be read in more than one way.
    NotPlain,
    /// The name is refused by default.
    Name,
    /// The address is refused by default; what it is.
    Address(&'static str),
    /// The name resolves to an address that is; what that is.
    ResolvesTo(IpAddr, &'static str),
    /// The host is an address, and not this one.
    OtherAddress(IpAddr),
    /// It is not among what is allowed.
    NotListed,
}

impl Refused {
    /// Keeps no more of the host than is shown: not what could be a password, if it is no host.
    pub(super) fn new(host: &str, port: Option<u16>, why: Why, nothing_listed: bool) -> Self {
        let is_shown = |c: char| c.is_ascii_alphanumeric() || ".:-_[]".contains(c);
        let host = if !host.is_empty() && host.chars().all(is_shown) {
            host.chars().take(LONGEST_SHOWN).collect()
        } else {
            "the host".to_owned()
        };
        Self {
            host,
            port,
            why,
            nothing_listed,
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        write!(f, "{host} is refused: ")?;
        match self.why {
            Why::NotPlain => {
                return f.write_str(
                    "neither a plain host name nor an address as it is usually written \
                     (rabbitmq.prod.svc, 10.1.2.3, [fd00::1]), so that no --allow-address allows it",
                );
            }
            Why::OtherAddress(address) => {
                return write!(f, "it is not {address}, and no --allow-address makes it so");
            }
            Why::Name => f.write_str("a name of Ebbtide's own machine or of a cloud's metadata"),
            Why::Address(what) => f.write_str(what),
            Why::ResolvesTo(address, what) => write!(f, "it resolves to {address}, {what}"),
            Why::NotListed => f.write_str("not among what is allowed"),
        }?;
        write!(f, "; --allow-address {host}")?;
        // An address of IPv6 takes a port only in brackets, so it is allowed at any.
        if let Some(port) = self
            .port
            .filter(|_| !host.contains(':') || host.ends_with(']'))
        {
            write!(f, ":{port}")?;
        }
        f.write_str(" would allow it")?;
        if self.nothing_listed {
            f.write_str(", and then only what is listed so")?;
        }
        Ok(())
    }
}
