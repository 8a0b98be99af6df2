//! The proxies, each with its configuration.

use std::ffi::OsStr;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::process::{PROXY_CORE, Process, missing};
use crate::servers::{Servers, free_port};

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
}

/// A proxy that runs, in front of a number of apps `app0.localhost`, `app1.localhost` and so on.
pub(crate) struct Peer {
    kind: Kind,
    pub(crate) apps: usize,
    /// Where it takes HTTP/1.1.
    pub(crate) port: u16,
    /// Where it takes HTTP/2 without TLS, as clients that know of it begin.
    pub(crate) http2: u16,
    pub(crate) process: Process,
    _folder: TempDir,
}

impl Peer {
    /// Starts one.
    pub(crate) fn start(kind: Kind, servers: &Servers, apps: usize) -> Result<Self, String> {
        let folder = servers.folder();
        let at = folder.path();
        let port = free_port();
        let http2 = match kind {
            // They tell the two apart by what a client begins with.
            Kind::Ebbtide | Kind::Other | Kind::Envoy => port,
            Kind::Nginx | Kind::Haproxy => free_port(),
        };
        let command = match kind {
            Kind::Ebbtide => {
                let program = env!("CARGO_BIN_EXE_ebbtide");
                ebbtide(program.as_ref(), at, port, servers.ports, apps)
            }
            Kind::Other => {
                let program = std::env::var_os("OTHER_EBBTIDE_BIN");
                let program = program.ok_or("OTHER_EBBTIDE_BIN does not name it")?;
                ebbtide(&program, at, port, servers.ports, apps)
            }
            Kind::Nginx => nginx(at, [port, http2], servers.ports),
            Kind::Haproxy => haproxy(at, [port, http2], servers.ports)?,
            Kind::Envoy => envoy(at, port, servers.ports)?,
        };
        let log = at.join(kind.name());
        let mut process = Process::start(PROXY_CORE, &log, &command);
        process.wait_for(port, &log);
        let peer = Self {
            kind,
            apps,
            port,
            http2,
            process,
            _folder: folder,
        };
        peer.wait_for_answers();
        Ok(peer)
    }

    pub(crate) fn label(&self) -> String {
        match self.apps {
            1 => self.kind.name().to_owned(),
            apps => format!("{}, {apps} apps", self.kind.name()),
        }
    }

    /// Waits until the last app is there, too.
    fn wait_for_answers(&self) {
        let host = format!("app{}.localhost", self.apps - 1);
        drop(crate::connections::idle(self.port, &host, 1));
    }
}

fn ebbtide(program: &OsStr, at: &Path, port: u16, servers: [u16; 2], apps: usize) -> Command {
    let (mut documents, mut endpoints) = (String::new(), String::new());
    let [first, second] = servers;
    for app in 0..apps {
        let revision = |suffix: &str| {
            format!(
                "template: {{revisionSuffix: {suffix}, containers: [{{name: app, image: app}}], \
                 scale: {{maxReplicas: 10}}}}"
            )
        };
        let _ = write!(
            documents,
            "---\ntype: Microsoft.App/containerApps/revisions\nname: app{app}--blue\n\
             properties: {{{}}}\n\
             ---\nname: app{app}\nproperties:\n  configuration:\n    activeRevisionsMode: Multiple\n    \
             ingress:\n      external: true\n      allowInsecure: true\n      targetPort: 80\n      traffic: \
             [{{revisionName: app{app}--blue, weight: 75}}, {{revisionName: app{app}--green, weight: 25}}]\n  \
             {}\n",
            revision("blue"),
            revision("green"),
        );
        let _ = writeln!(endpoints, "app{app}--blue: 127.0.0.1:{first}");
        let _ = writeln!(endpoints, "app{app}--green: 127.0.0.1:{second}");
    }
    let (apps, replicas) = (at.join("apps.yaml"), at.join("replicas"));
    std::fs::write(&apps, documents).expect("the folder is writable");
    std::fs::write(&replicas, endpoints).expect("the folder is writable");
    let mut command = Command::new(program);
    command
        .arg("ingress")
        .arg(apps)
        .arg("--endpoints")
        .arg(replicas)
        .args(["--scaler", "127.0.0.1:1", "--workers", "1"])
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .args(["--status-listen", "127.0.0.1:0"])
        .env("EBBTIDE_LOG", "error");
    command
}

fn nginx(at: &Path, [port, http2]: [u16; 2], servers: [u16; 2]) -> Command {
    let [first, second] = servers;
    let configuration = format!(
        "worker_processes 1; daemon off; pid {at}/pid; error_log stderr error;\n\
         events {{ worker_connections 12000; }}\n\
         http {{ access_log off; keepalive_requests 1000000000; client_max_body_size 0;\n\
         keepalive_timeout 600; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;\n\
         upstream app {{ server 127.0.0.1:{first} weight=3; server 127.0.0.1:{second};\n\
         keepalive 512; keepalive_requests 1000000000; }}\n\
         server {{ listen 127.0.0.1:{port} backlog=4096; listen 127.0.0.1:{http2} http2 backlog=4096;\n\
         http2_max_concurrent_streams 1000; server_name app0.localhost;\n\
         location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection '';\n\
         proxy_set_header Host $host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }} }} }}\n",
        at = at.display()
    );
    let file = at.join("nginx.conf");
    std::fs::write(&file, configuration).expect("the folder is writable");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(at).arg("-c").arg(file);
    command
}

fn haproxy(at: &Path, [port, http2]: [u16; 2], servers: [u16; 2]) -> Result<Command, String> {
    if !missing(&["haproxy"]).is_empty() {
        return Err("haproxy is missing".to_owned());
    }
    let [first, second] = servers;
    let configuration = format!(
        "global\n  nbthread 1\n  maxconn 15000\n  no strict-limits\n\
         defaults\n  mode http\n  option forwardfor\n  option http-keep-alive\n  http-reuse always\n  \
         timeout connect 5s\n  timeout client 600s\n  timeout server 60s\n  timeout http-keep-alive 600s\n\
         frontend apps\n  bind 127.0.0.1:{port} backlog 4096\n  bind 127.0.0.1:{http2} proto h2\n  \
         use_backend app if {{ hdr(host) -i app0.localhost }}\n\
         backend app\n  balance roundrobin\n  server first 127.0.0.1:{first} weight 3\n  \
         server second 127.0.0.1:{second} weight 1\n"
    );
    let file = at.join("haproxy.cfg");
    std::fs::write(&file, configuration).expect("the folder is writable");
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(file);
    Ok(command)
}

fn envoy(at: &Path, port: u16, servers: [u16; 2]) -> Result<Command, String> {
    let program = match std::env::var_os("ENVOY_BIN") {
        Some(program) => PathBuf::from(program),
        None if missing(&["envoy"]).is_empty() => PathBuf::from("envoy"),
        None => return Err("envoy is missing; ENVOY_BIN may name it".to_owned()),
    };
    let server = |port: u16, weight: u32| {
        format!(
            "{{endpoint: {{address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}}}, \
             load_balancing_weight: {weight}}}"
        )
    };
    let [first, second] = servers;
    let configuration = format!(
        "static_resources:\n  listeners:\n  - address: {{socket_address: {{address: 127.0.0.1, port_value: {port}}}}}\n    \
         filter_chains:\n    - filters:\n      - name: envoy.filters.network.http_connection_manager\n        \
         typed_config:\n          \
         '@type': type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager\n          \
         stat_prefix: apps\n          codec_type: AUTO\n          use_remote_address: true\n          \
         route_config: {{virtual_hosts: [{{name: app, domains: [app0.localhost, 'app0.localhost:*'], routes: [{{match: {{prefix: /}}, route: {{cluster: app}}}}]}}]}}\n          \
         http_filters: [{{name: envoy.filters.http.router, typed_config: {{'@type': type.googleapis.com/envoy.extensions.filters.http.router.v3.Router}}}}]\n  \
         clusters:\n  - name: app\n    type: STATIC\n    load_assignment: {{cluster_name: app, endpoints: [{{lb_endpoints: [{}, {}]}}]}}\n    \
         circuit_breakers: {{thresholds: [{{max_connections: 100000, max_pending_requests: 100000, max_requests: 100000}}]}}\n",
        server(first, 3),
        server(second, 1),
    );
    let file = at.join("envoy.yaml");
    std::fs::write(&file, configuration).expect("the folder is writable");
    let mut command = Command::new(program);
    command
        .args([
            "--concurrency",
            "1",
            "--log-level",
            "error",
            "--use-dynamic-base-id",
            "-c",
        ])
        .arg(file);
    Ok(command)
}
