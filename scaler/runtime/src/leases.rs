//! The ports that one replica holds.

use std::collections::BTreeMap;
use std::io;

use crate::ports::{PortLease, Ports};

/// The ports on 127.0.0.1 that a replica has in the place of its app's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplicaPorts {
    /// The one for the app's target port, if it has one.
    pub main: Option<u16>,
    /// Those for its additional target ports, by these.
    pub additional: BTreeMap<u16, u16>,
}

impl ReplicaPorts {
    /// The port that stands for `port` of an app whose target port is `target`; none if it stands for
    /// itself.
    pub(crate) fn in_place_of(&self, port: u16, target: Option<u16>) -> Option<u16> {
        let main = self.main.filter(|_| target == Some(port));
        main.or_else(|| self.additional.get(&port).copied())
    }
}

/// The leases of a replica's ports.
#[derive(Debug, Default)]
pub(crate) struct Leases {
    main: Option<PortLease>,
    additional: BTreeMap<u16, PortLease>,
}

/// What a replica needs ports for.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) target: Option<u16>,
    pub(crate) additional: &'a [u16],
    /// Whether the one for the target port is another one if something else has taken it meanwhile.
    pub(crate) renew: bool,
    /// The same for the others.
    pub(crate) renew_additional: bool,
}

impl Leases {
    /// Leases what is not leased yet, and says which ports there are.
    pub(crate) fn take(&mut self, ports: &Ports, wanted: Wanted<'_>) -> io::Result<ReplicaPorts> {
        let mut taken = ReplicaPorts::default();
        if wanted.target.is_some() {
            let lease = lease(ports, self.main.take(), wanted.renew)?;
            taken.main = Some(lease.port());
            self.main = Some(lease);
        }
        for target in wanted.additional {
            let own = taken.main.filter(|_| wanted.target == Some(*target));
            let port = if let Some(port) = own {
                port
            } else {
                let held = self.additional.remove(target);
                let lease = lease(ports, held, wanted.renew_additional)?;
                let port = lease.port();
                self.additional.insert(*target, lease);
                port
            };
            taken.additional.insert(*target, port);
        }
        Ok(taken)
    }
}

/// The lease that is held, or another one.
fn lease(ports: &Ports, held: Option<PortLease>, renew: bool) -> io::Result<PortLease> {
    match held {
        Some(lease) if !renew || lease.is_free() => Ok(lease),
        // The old one is given back only after the new one is drawn, so they differ.
        _old => ports.lease(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn each_target_port_has_one_until_something_else_takes_it() {
        let (ports, mut leases) = (Ports::default(), Leases::default());
        let wanted = Wanted {
            target: Some(80),
            additional: &[90, 91, 80],
            renew: false,
            renew_additional: false,
        };
        let first = leases.take(&ports, wanted).unwrap();
        assert_eq!(first.additional[&80], first.main.unwrap());
        assert_eq!(first.in_place_of(90, None), Some(first.additional[&90]));
        assert_eq!(first.in_place_of(80, Some(80)), first.main);
        assert_eq!(first.in_place_of(81, Some(80)), None);
        let different = [80, 90, 91].map(|target| first.additional[&target]);
        assert!(different[0] != different[1] && different[1] != different[2]);
        let taken = TcpListener::bind(("127.0.0.1", different[1])).unwrap();
        let renewing = Wanted {
            renew: true,
            ..wanted
        };
        assert_eq!(leases.take(&ports, renewing).unwrap(), first);
        let renewing = Wanted {
            renew_additional: true,
            ..wanted
        };
        let second = leases.take(&ports, renewing).unwrap();
        assert_ne!(second.additional[&90], different[1]);
        assert_eq!(second.additional[&91], different[2]);
        drop(taken);
    }
}
