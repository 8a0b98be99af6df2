//! The ports for TCP: which app has which, and why one has none.

use std::collections::BTreeMap;

use ebbtide_core::document::{ContainerApp, Ingress};
use ebbtide_core::name::AppName;
use ebbtide_ingress::AppPort;

/// Ports, each with what it leads to.
#[derive(Default)]
pub(super) struct AppPorts {
    pub(super) by_port: BTreeMap<u16, AppPort>,
    /// Why apps do not have ports that they ask for.
    conflicts: BTreeMap<AppName, Vec<String>>,
}

impl AppPorts {
    /// Gives an app that speaks TCP the port it asks for. Says whether the app is to be in the table: one
    /// whose port another one has is not.
    pub(super) fn give(&mut self, document: &ContainerApp, app: &AppName) -> bool {
        let ingress = document.configuration.ingress.as_ref();
        let port = ingress.and_then(Ingress::tcp_port);
        port.is_none_or(|port| self.take(port, AppPort::of(app.clone())))
    }

    /// Gives an app the ports that it asks for beside the rest. `on_loopback` says whether those that are
    /// not external are for this machine alone.
    pub(super) fn give_additional(
        &mut self,
        document: &ContainerApp,
        app: &AppName,
        on_loopback: bool,
    ) {
        let ingress = document.configuration.ingress.iter();
        for mapping in ingress.flat_map(|ingress| &ingress.additional_port_mappings) {
            let to = AppPort {
                app: app.clone(),
                target: Some(mapping.target_port),
                on_loopback: on_loopback && !mapping.external,
            };
            self.take(mapping.port(), to);
        }
    }

    fn take(&mut self, port: u16, to: AppPort) -> bool {
        if let Some(other) = self.by_port.get(&port) {
            let other = &other.app;
            let because =
                format!("port {port} is that of app {other}; give one of them another exposedPort");
            self.conflicts.entry(to.app).or_default().push(because);
            return false;
        }
        self.by_port.insert(port, to);
        true
    }

    /// Why ports do not lead to apps, each in one sentence, with those that could not be opened.
    pub(super) fn failures(&self, ports: &BTreeMap<u16, String>) -> BTreeMap<AppName, Vec<String>> {
        let mut all = self.conflicts.clone();
        for (port, because) in ports {
            if let Some(to) = self.by_port.get(port) {
                all.entry(to.app.clone()).or_default().push(because.clone());
            }
        }
        let sentence = |because: &mut String| {
            *because = format!("the app cannot be reached by TCP: {because}");
        };
        all.values_mut().flatten().for_each(sentence);
        all
    }
}
