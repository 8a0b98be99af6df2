//! Which probes a container has.

use std::time::Duration;

use ebbtide_core::document::{Container, Probe, ProbeAction, ProbeKind};

use crate::{ReplicaPorts, ReplicaSpec};

/// The probes of a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Plan {
    /// The container's name.
    pub(super) container: String,
    pub(super) startup: Option<Probe>,
    pub(super) readiness: Option<Probe>,
    pub(super) liveness: Option<Probe>,
}

impl Plan {
    /// The probes of container `index`: those of the document, and for the one that serves the
    /// target port the documented default of each kind that is not there.
    pub(crate) fn of(spec: &ReplicaSpec, index: usize) -> Self {
        let Some(container) = spec.containers.get(index) else {
            return Self::default();
        };
        let written = |kind| find(container, kind);
        let default_port = spec.target_port.filter(|_| index == 0);
        let probe = |kind| written(kind).or_else(|| Some(default(kind, default_port?)));
        Self {
            container: container.name.clone(),
            startup: probe(ProbeKind::Startup),
            readiness: probe(ProbeKind::Readiness),
            liveness: probe(ProbeKind::Liveness),
        }
    }

    /// These probes with the replica's own ports in the place of the app's target ports.
    pub(crate) fn at(&self, target_port: Option<u16>, own: &ReplicaPorts) -> Self {
        let at = |probe: &Option<Probe>| {
            let mut probe = probe.clone()?;
            let (ProbeAction::HttpGet { port, .. } | ProbeAction::TcpSocket { port }) =
                &mut probe.action;
            *port = own.in_place_of(*port, target_port).unwrap_or(*port);
            Some(probe)
        };
        Self {
            container: self.container.clone(),
            startup: at(&self.startup),
            readiness: at(&self.readiness),
            liveness: at(&self.liveness),
        }
    }
}

fn find(container: &Container, kind: ProbeKind) -> Option<Probe> {
    let mut probes = container.probes.iter();
    probes.find(|probe| probe.kind == kind).cloned()
}

/// The defaults of Azure Container Apps for an app with ingress. It documents no times for
/// liveness; those are ours, with a timeout that a busy but sound app does not miss.
fn default(kind: ProbeKind, port: u16) -> Probe {
    let (timeout, period, initial_delay, failure_threshold) = match kind {
        ProbeKind::Startup => (3, 1, 1, 240),
        ProbeKind::Readiness => (5, 5, 3, 48),
        ProbeKind::Liveness => (5, 10, 0, 3),
    };
    Probe {
        kind,
        action: ProbeAction::TcpSocket { port },
        initial_delay: Duration::from_secs(initial_delay),
        period: Duration::from_secs(period),
        timeout: Duration::from_secs(timeout),
        failure_threshold,
        success_threshold: 1,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::spec::tests::spec;

    pub(in crate::probe) fn tcp_probe(kind: ProbeKind, port: u16) -> Probe {
        default(kind, port)
    }

    #[test]
    fn the_first_container_gets_a_default_of_each_missing_kind() {
        let mut spec = spec(vec![Container::default(), Container::default()]);
        assert_eq!(Plan::of(&spec, 0), Plan::default());
        spec.target_port = Some(80);
        let plan = Plan::of(&spec, 0);
        assert_eq!(plan.startup, Some(tcp_probe(ProbeKind::Startup, 80)));
        assert_eq!(plan.readiness, Some(tcp_probe(ProbeKind::Readiness, 80)));
        assert_eq!(plan.liveness, Some(tcp_probe(ProbeKind::Liveness, 80)));
        assert_eq!(Plan::of(&spec, 1), Plan::default());
        assert_eq!(Plan::of(&spec, 2), Plan::default());

        let own = tcp_probe(ProbeKind::Readiness, 81);
        spec.containers[0].probes = vec![own.clone()];
        let plan = Plan::of(&spec, 0);
        assert_eq!(plan.readiness, Some(own));
        assert_eq!(plan.startup, Some(tcp_probe(ProbeKind::Startup, 80)));
    }

    #[test]
    fn a_target_port_stands_for_the_replicas_own() {
        let plan = Plan {
            container: "web".to_owned(),
            startup: None,
            readiness: Some(tcp_probe(ProbeKind::Readiness, 80)),
            liveness: Some(tcp_probe(ProbeKind::Liveness, 81)),
        };
        let main = ReplicaPorts {
            main: Some(4242),
            ..ReplicaPorts::default()
        };
        let placed = plan.at(Some(80), &main);
        assert_eq!(
            placed.readiness,
            Some(tcp_probe(ProbeKind::Readiness, 4242))
        );
        assert_eq!(placed.liveness, Some(tcp_probe(ProbeKind::Liveness, 81)));
        assert_eq!(plan.at(None, &ReplicaPorts::default()), plan);
        let both = ReplicaPorts {
            additional: [(81, 4343)].into(),
            ..main
        };
        let placed = plan.at(Some(80), &both);
        assert_eq!(placed.liveness, Some(tcp_probe(ProbeKind::Liveness, 4343)));
    }
}
