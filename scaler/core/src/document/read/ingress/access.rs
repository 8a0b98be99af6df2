//! `ingress.ipSecurityRestrictions`.

use std::net::IpAddr;

use crate::document::model::{IpAction, IpSecurityRestriction};
use crate::document::reader::{Field, Object, Reader};
use crate::network::Network;

const ACTIONS: [(&str, IpAction); 2] = [("Allow", IpAction::Allow), ("Deny", IpAction::Deny)];

/// Reads the restrictions. One that is wrong is reported and left out.
pub(super) fn read(
    reader: &mut Reader<'_>,
    ingress: &mut Object<'_>,
) -> Vec<IpSecurityRestriction> {
    let fields = ingress.list(reader, "ipSecurityRestrictions");
    let mut restrictions: Vec<IpSecurityRestriction> = Vec::new();
    for field in &fields {
        let Some(restriction) = restriction(reader, field) else {
            continue;
        };
        let first = restrictions.first().map(|first| first.action);
        if first.is_some_and(|first| first != restriction.action) {
            reader.error(field, "restrictions must be all Allow or all Deny");
            break;
        }
        restrictions.push(restriction);
    }
    restrictions
}

fn restriction(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<IpSecurityRestriction> {
    let mut object = reader.object(field)?;
    let name = object.require(reader, "name", "a name");
    let description = object.text(reader, "description");
    let range = object.require(reader, "ipAddressRange", "a range, as in 10.0.0.0/8");
    let action = object.require(reader, "action", "Allow or Deny");
    object.finish(reader);
    let name = name.and_then(|field| reader.text(&field));
    let range = range.and_then(|field| self::range(reader, &field));
    let action = action.and_then(|field| reader.choice(&field, &ACTIONS));
    Some(IpSecurityRestriction {
        name: name?,
        description,
        range: range?,
        action: action?,
    })
}

/// A range of addresses, or one address. Bits beyond the length do not count.
fn range(reader: &mut Reader<'_>, field: &Field<'_>) -> Option<Network> {
    let text = reader.text(field)?;
    let network = match text.split_once('/') {
        Some((address, length)) => Network::parse(address, length),
        None => text.parse::<IpAddr>().ok().map(Network::of),
    };
    let Some(network) = network else {
        let wanted = "expected a range of addresses, as in 10.0.0.0/8";
        reader.error(field, format!("found `{text}`; {wanted}"));
        return None;
    };
    let start = network.start();
    if start != network {
        reader.warn(field, format!("stands for all of {start}"));
    }
    if !network.is_ipv4() {
        reader.warn(field, "Azure takes ranges of IPv4 only");
    }
    Some(start)
}
