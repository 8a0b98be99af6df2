use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use proptest::prelude::*;

use crate::network::Network;
use crate::trigger::reach::Reach;

fn refused_v4() -> impl Strategy<Value = Ipv4Addr> {
    let any = any::<u32>().prop_map(Ipv4Addr::from_bits);
    (any, 0..5_u8).prop_map(|(address, kind)| {
        let [a, b, c, d] = address.octets();
        match kind {
            0 => Ipv4Addr::new(127, b, c, d),
            1 => Ipv4Addr::new(169, 254, c, d),
            2 => Ipv4Addr::new(0, b, c, d),
            3 => Ipv4Addr::new(0xe0 | (a & 0xf), b, c, d),
            _ => Ipv4Addr::new(168, 63, 129, 16),
        }
    })
}

/// Every way to write an address of IPv4 that some library reads.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let bits = address.to_bits();
    let [a, b, c, d] = address.octets();
    let mapped = address.to_ipv6_mapped();
    let compatible = Ipv6Addr::from_bits(bits.into());
    vec![
        address.to_string(),
        format!("{address}."),
        format!("[{address}]"),
        format!("user@{address}"),
        bits.to_string(),
        format!("{bits:#x}"),
        format!("0{bits:o}"),
        format!("{a:#x}.{b}.{c}.{d}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("{a}.{}", bits & 0xff_ffff),
        format!("{a}.{b}.{}", bits & 0xffff),
        format!("%3{}{address}", a % 10),
        mapped.to_string(),
        format!("[{mapped}]"),
        format!("::ffff:{:x}:{:x}", bits >> 16, bits & 0xffff),
        compatible.to_string(),
        format!("64:ff9b::{:x}:{:x}", bits >> 16, bits & 0xffff),
        format!("2002:{:x}:{:x}::1", bits >> 16, bits & 0xffff),
    ]
}

proptest! {
    #[test]
    fn no_spelling_of_a_refused_address_slips_through(address in refused_v4()) {
        let reach = Reach::default();
        for spelling in spellings(address) {
            prop_assert!(reach.check_host(&spelling, None).is_err(), "{}", spelling);
        }
        let resolved = [address.into(), address.to_ipv6_mapped().into()];
        for resolved in resolved {
            prop_assert!(reach.check_address("a.example", resolved, None).is_err());
        }
    }

    #[test]
    fn what_passes_is_a_usual_address_or_a_plain_name(
        host in "([0-9a-fx.:\\[\\]%@-]{0,20}|[ -~]{0,20}|\\PC{0,8})",
    ) {
        if Reach::default().check_host(&host, None).is_ok() {
            let bare = host.trim_matches(['[', ']']).to_ascii_lowercase();
            if let Ok(address) = bare.parse::<IpAddr>() {
                prop_assert_eq!(address.to_string(), bare);
                prop_assert!(!address.to_canonical().is_loopback());
            } else {
                prop_assert!(host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)));
                let last = bare.rsplit('.').next().unwrap();
                prop_assert!(!last.starts_with("0x") || last.bytes().any(|b| b > b'f'));
                prop_assert!(!last.bytes().all(|b| b.is_ascii_digit()));
            }
        }
    }

    #[test]
    fn a_list_allows_what_it_lists_alone(bits in any::<u32>(), length in 8_u8..=32, other in any::<u32>()) {
        let network = Network::of(Ipv4Addr::from_bits(bits).into());
        let network = Network::parse(&Ipv4Addr::from_bits(bits).to_string(), &length.to_string())
            .unwrap_or(network)
            .start();
        let other = IpAddr::from(Ipv4Addr::from_bits(other));
        let reach = Reach::new(vec![network.to_string().parse().unwrap()]);
        if reach.check_host(&other.to_string(), None).is_ok() {
            prop_assert!(network.contains(other));
        }
    }
}
