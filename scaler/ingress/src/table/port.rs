//! What a port of the ingress leads to.

use ebbtide_core::name::AppName;

/// A port for TCP, and where its connections go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPort {
    /// The app.
    pub app: AppName,
    /// The additional target port of the app that it stands for; none if it stands for the app itself,
    /// which then has no hosts.
    pub target: Option<u16>,
    /// Whether it is for this machine alone, whatever the ingress listens on otherwise.
    pub on_loopback: bool,
}

impl AppPort {
    /// The port of an app that speaks TCP.
    pub fn of(app: AppName) -> Self {
        Self {
            app,
            target: None,
            on_loopback: false,
        }
    }
}
