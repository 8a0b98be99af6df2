//! Ports of an app at the ingress.

use super::{Ingress, Transport};

/// One entry of `ingress.additionalPortMappings`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortMapping {
    /// `external`.
    pub external: bool,
    /// `targetPort`.
    pub target_port: u16,
    /// `exposedPort`.
    pub exposed_port: Option<u16>,
}

impl PortMapping {
    /// The port at the ingress: `exposedPort`, else `targetPort`.
    pub fn port(&self) -> u16 {
        self.exposed_port.unwrap_or(self.target_port)
    }
}

impl Ingress {
    /// The port that stands for the app as a whole, if it speaks TCP: `exposedPort`, else `targetPort`.
    pub fn tcp_port(&self) -> Option<u16> {
        let is_tcp = self.transport == Transport::Tcp;
        self.exposed_port.or(self.target_port).filter(|_| is_tcp)
    }
}
