//! `ingress.ipSecurityRestrictions`.

use crate::network::Network;

/// One entry of `ingress.ipSecurityRestrictions`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IpSecurityRestriction {
    /// `name`.
    pub name: String,
    /// `description`.
    pub description: Option<String>,
    /// `ipAddressRange`.
    pub range: Network,
    /// `action`; all entries of an app have the same.
    pub action: IpAction,
}

/// What becomes of requests from a range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum IpAction {
    /// They are answered, and those from elsewhere are not.
    Allow,
    /// They are not answered, and those from elsewhere are.
    Deny,
}
