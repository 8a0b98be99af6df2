//! Which clients may ask.

use std::net::IpAddr;

use crate::document::{IpAction, IpSecurityRestriction};
use crate::network::Network;

/// `ipSecurityRestrictions`: ranges of addresses that alone may ask, or that may not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpAccess {
    ranges: Vec<Network>,
    action: IpAction,
}

impl IpAccess {
    /// What these entries ask for; none if there are none.
    pub(super) fn of(restrictions: &[IpSecurityRestriction]) -> Option<Self> {
        let action = restrictions.first()?.action;
        let ranges = restrictions.iter().map(|entry| entry.range).collect();
        Some(Self { ranges, action })
    }

    /// Whether a client at `address` may ask. One of IPv4 is to be in its own form.
    pub fn admits(&self, address: IpAddr) -> bool {
        let is_named = self.ranges.iter().any(|range| range.contains(address));
        is_named == (self.action == IpAction::Allow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(action: IpAction, ranges: &[&str]) -> IpAccess {
        let entry = |range: &&str| IpSecurityRestriction {
            name: String::new(),
            description: None,
            range: range.parse().unwrap(),
            action,
        };
        IpAccess::of(&ranges.iter().map(entry).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn ranges_are_all_that_may_ask_or_all_that_may_not() {
        for (address, is_named) in [
            ("10.1.2.3", true),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("11.0.0.1", false),
            ("fd00::1", true),
            ("::1", false),
        ] {
            let address = address.parse().unwrap();
            let ranges = ["10.0.0.0/8", "192.0.2.7", "fd00::/8"];
            let allowed = access(IpAction::Allow, &ranges).admits(address);
            let denied = access(IpAction::Deny, &ranges).admits(address);
            assert_eq!((allowed, denied), (is_named, !is_named), "{address}");
        }
        assert_eq!(IpAccess::of(&[]), None);
    }
}
