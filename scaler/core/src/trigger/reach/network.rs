//! The networks that are refused by default.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::network::Network;

const LOOPBACK: &str = "a loopback address, Ebbtide's own machine";
const LINK_LOCAL: &str = "a link-local address";
const UNSPECIFIED: &str = "an unspecified address";
const MULTICAST: &str = "a multicast or broadcast address";
const METADATA: &str = "the metadata service of a cloud, which hands out credentials";

/// What is refused by default, the narrower after the wider.
const REFUSED: [(&str, Network); 17] = [
    (UNSPECIFIED, Network::v4([0, 0, 0, 0], 8)),
    (LOOPBACK, Network::v4([127, 0, 0, 0], 8)),
    (LINK_LOCAL, Network::v4([169, 254, 0, 0], 16)),
    (MULTICAST, Network::v4([224, 0, 0, 0], 4)),
    (MULTICAST, Network::v4([255, 255, 255, 255], 32)),
    (UNSPECIFIED, Network::v6(0, 128)),
    (LOOPBACK, Network::v6(1, 128)),
    (LINK_LOCAL, Network::v6(0xfe80 << 112, 10)),
    (MULTICAST, Network::v6(0xff00 << 112, 8)),
    // Amazon's, Google's and Azure's, then Azure's, Alibaba's and Oracle's own.
    (METADATA, Network::v4([169, 254, 169, 254], 32)),
    (METADATA, Network::v4([168, 63, 129, 16], 32)),
    (METADATA, Network::v4([100, 100, 100, 200], 32)),
    (METADATA, Network::v4([192, 0, 0, 192], 32)),
    // Amazon's to containers and pods; over IPv6 Amazon's, its to pods, and Google's.
    (METADATA, Network::v4([169, 254, 170, 0], 24)),
    (METADATA, Network::v6(0xfd00_0ec2 << 96 | 0x254, 128)),
    (METADATA, Network::v6(0xfd00_0ec2 << 96 | 0x23, 128)),
    (METADATA, Network::v6(0xfd20_00ce << 96 | 0x254, 128)),
];

/// Why an address is refused by default, and for which network; the narrowest comes last. An
/// address of IPv6 that stands for one of IPv4 is refused as that one is.
pub(super) fn refused_ranges(address: IpAddr) -> Vec<(&'static str, Network)> {
    let address = address.to_canonical();
    let ranges = |address: IpAddr| {
        let ranges = REFUSED.into_iter();
        ranges.filter(move |(_, range)| range.contains(address))
    };
    let inner = match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => inner_v4(address),
    };
    let inner = inner.into_iter().flat_map(|inner| ranges(inner.into()));
    let whole = |(reason, _)| (reason, Network::of(address));
    ranges(address).chain(inner.map(whole)).collect()
}

/// The address of IPv4 in one that is compatible with it (`::a.b.c.d`), or that a translator
/// (`64:ff9b::/96`) or 6to4 (`2002::/16`) sends it to.
fn inner_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(v4(high, low))
        }
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}
