//! The ports of TCP apps: which app has which, and why one has none.

use std::collections::BTreeMap;

use ebbtide_core::document::{ContainerApp, Transport};
use ebbtide_core::name::AppName;

/// Ports, each with the app that has it.
#[derive(Default)]
pub(super) struct AppPorts {
    pub(super) by_port: BTreeMap<u16, AppName>,
    /// Apps whose port is another's.
    pub(super) conflicts: BTreeMap<AppName, String>,
}

impl AppPorts {
    /// Gives an app the port it asks for. Says whether it is to be in the table: a TCP app whose port
    /// another one has is not.
    pub(super) fn give(&mut self, document: &ContainerApp, app: &AppName) -> bool {
        let Some(port) = wanted(document) else {
            return true;
        };
        if let Some(other) = self.by_port.get(&port) {
            let because =
                format!("port {port} is that of app {other}; give one of them another exposedPort");
            self.conflicts.insert(app.clone(), because);
            return false;
        }
        self.by_port.insert(port, app.clone());
        true
    }

    /// Why apps cannot be reached, with the ports that could not be opened.
    pub(super) fn failures(&self, ports: &BTreeMap<u16, String>) -> BTreeMap<AppName, String> {
        let failed = ports.iter().filter_map(|(port, because)| {
            let app = self.by_port.get(port)?;
            Some((app.clone(), because.clone()))
        });
        self.conflicts.clone().into_iter().chain(failed).collect()
    }
}

/// The port that a TCP app asks for: its `exposedPort`, else its `targetPort`.
pub(super) fn wanted(document: &ContainerApp) -> Option<u16> {
    let ingress = document.configuration.ingress.as_ref()?;
    let is_tcp = ingress.transport == Transport::Tcp;
    ingress
        .exposed_port
        .or(ingress.target_port)
        .filter(|_| is_tcp)
}
