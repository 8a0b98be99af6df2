//! The proxies that are measured.

mod ebbtide;
mod others;

use std::path::Path;

use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::connections::wait_for;
use crate::ports;
use crate::process::{PROXY_CORE, Process};
use crate::servers::Servers;
use crate::shape::Shape;

/// A kind of proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ebbtide,
    /// Another build of Ebbtide, to compare with.
    Other,
    Nginx,
    Haproxy,
    Envoy,
}

impl Kind {
    /// Those that are measured if nothing else is asked for.
    pub(crate) const USUAL: [Self; 4] = [Self::Ebbtide, Self::Nginx, Self::Haproxy, Self::Envoy];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ebbtide => "Ebbtide",
            Self::Other => "other",
            Self::Nginx => "nginx",
            Self::Haproxy => "HAProxy",
            Self::Envoy => "Envoy",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::USUAL.into_iter().chain([Self::Other]);
        all.find(|kind| kind.name().eq_ignore_ascii_case(name))
    }

    pub(crate) fn is_ebbtide(self) -> bool {
        matches!(self, Self::Ebbtide | Self::Other)
    }
}

/// Where a proxy listens.
#[derive(Clone, Copy)]
pub(crate) struct Ports {
    pub(crate) http1: u16,
    /// HTTP/2 without TLS, as clients that know of it begin.
    pub(crate) http2: u16,
    pub(crate) tls: u16,
}

/// What a proxy is configured for.
struct Place<'a> {
    /// A folder of its own.
    at: &'a Path,
    ports: Ports,
    /// Where the servers behind it listen.
    servers: [u16; 2],
    certificate: &'a Certificate,
}

/// A proxy that runs, in front of a number of apps `app0.localhost`, `app1.localhost` and so on.
pub(crate) struct Peer {
    pub(crate) kind: Kind,
    pub(crate) shape: Shape,
    pub(crate) ports: Ports,
    pub(crate) process: Process,
    _folder: TempDir,
}

impl Peer {
    /// Starts one.
    pub(crate) fn start(kind: Kind, servers: &Servers, shape: Shape) -> Result<Self, String> {
        let folder = servers.folder();
        let at = folder.path();
        let http1 = ports::free();
        let ports = Ports {
            http1,
            // They tell the two apart by what a client begins with.
            http2: match kind {
                Kind::Ebbtide | Kind::Other | Kind::Envoy => http1,
                Kind::Nginx | Kind::Haproxy => ports::free(),
            },
            tls: ports::free(),
        };
        let place = Place {
            at,
            ports,
            servers: shape.servers(servers),
            certificate: &servers.certificate,
        };
        let command = match kind {
            Kind::Ebbtide => ebbtide::command(env!("CARGO_BIN_EXE_ebbtide"), &place, shape),
            Kind::Other => {
                let program = std::env::var_os("OTHER_EBBTIDE_BIN");
                let program = program.ok_or("OTHER_EBBTIDE_BIN does not name it")?;
                ebbtide::command(program, &place, shape)
            }
            Kind::Nginx => others::nginx(&place),
            Kind::Haproxy => others::haproxy(&place)?,
            Kind::Envoy => others::envoy(&place)?,
        };
        let log = at.join(kind.name());
        let mut process = Process::start(PROXY_CORE, &log, &command);
        process.wait_for(http1, &log);
        let peer = Self {
            kind,
            shape,
            ports,
            process,
            _folder: folder,
        };
        peer.wait_for_answers();
        Ok(peer)
    }

    pub(crate) fn label(&self) -> String {
        format!("{}{}", self.kind.name(), self.shape)
    }

    /// Waits until the last app is there, too.
    fn wait_for_answers(&self) {
        let host = format!("app{}.localhost", self.shape.apps() - 1);
        wait_for(self.ports.http1, &host);
    }
}
