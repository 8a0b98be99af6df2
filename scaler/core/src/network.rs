//! Networks of addresses, as in `10.0.0.0/8`.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// All addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    /// How many bits are the same: up to 32, or 128 for IPv6.
    length: u8,
}

impl Network {
    pub(crate) const fn v4(octets: [u8; 4], length: u8) -> Self {
        let [a, b, c, d] = octets;
        Self {
            address: IpAddr::V4(Ipv4Addr::new(a, b, c, d)),
            length,
        }
    }

    pub(crate) const fn v6(bits: u128, length: u8) -> Self {
        Self {
            address: IpAddr::V6(Ipv6Addr::from_bits(bits)),
            length,
        }
    }

    /// The network of one address.
    pub fn of(address: IpAddr) -> Self {
        let length = bits(address);
        Self { address, length }
    }

    /// Reads an address and a length; none if they are not in their usual form.
    pub fn parse(address: &str, length: &str) -> Option<Self> {
        let address: IpAddr = address.parse().ok()?;
        let number: u8 = length.parse().ok()?;
        let is_usual = number.to_string() == length && number <= bits(address);
        is_usual.then_some(Self {
            address,
            length: number,
        })
    }

    /// The same network, named by its first address.
    #[must_use]
    pub fn start(&self) -> Self {
        let address = match self.address {
            IpAddr::V4(address) => IpAddr::V4(Ipv4Addr::from_bits(
                address.to_bits() & mask_v4(self.length),
            )),
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(
                address.to_bits() & mask_v6(self.length),
            )),
        };
        Self {
            address,
            length: self.length,
        }
    }

    /// Whether its addresses are of IPv4.
    pub fn is_ipv4(&self) -> bool {
        self.address.is_ipv4()
    }

    /// Whether an address is in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        let other = Self {
            address,
            length: self.length,
        };
        self.address.is_ipv4() == address.is_ipv4() && self.start() == other.start()
    }

    /// Whether all of it is in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.length >= other.length && other.contains(self.address)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

impl FromStr for Network {
    type Err = String;

    /// Reads a network, as in `10.0.0.0/8`, or one address. One of IPv4 in IPv6's form is the one of
    /// IPv4.
    fn from_str(text: &str) -> Result<Self, String> {
        let usual = || format!("{text:?} is no network; write one as in 10.0.0.0/8, or an address");
        let Some((address, length)) = text.split_once('/') else {
            let address = text.parse::<IpAddr>().map_err(|_| usual())?;
            return Ok(Self::of(address.to_canonical()));
        };
        let network = Self::parse(address, length).ok_or_else(usual)?;
        let start = network.start();
        if start != network {
            return Err(format!(
                "{text} is not the beginning of a network; write {start}"
            ));
        }
        Ok(network)
    }
}

fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn mask_v4(length: u8) -> u32 {
    let rest = 32 - u32::from(length.min(32));
    u32::MAX.checked_shl(rest).unwrap_or(0)
}

fn mask_v6(length: u8) -> u128 {
    let rest = 128 - u32::from(length.min(128));
    u128::MAX.checked_shl(rest).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_addresses_are_read() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("0.0.0.0/0", "192.0.2.1", "::1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("::ffff:192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("fd00::/8", "fd12::1", "fe80::1"),
        ] {
            let network: Network = text.parse().unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{text}");
            assert!(!network.contains(outside.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_would_be_right() {
        for (text, expected) in [
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("10.0.0.0/33", "10.0.0.0/8"),
            ("10.0.0.0/08", "10.0.0.0/8"),
            ("proxy", "10.0.0.0/8"),
            ("", "10.0.0.0/8"),
        ] {
            let error = text.parse::<Network>().unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
