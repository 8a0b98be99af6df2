//! The two servers behind every proxy: one nginx, or a server of ours that sends back what comes by WebSocket.

use std::process::Command;

use tempfile::TempDir;

use crate::certificate::Certificate;
use crate::ports;
use crate::process::{LOAD_CORE, Process};
use crate::roles::Role;

/// The size of a large body, in bytes.
pub(crate) const LARGE: usize = 100_000;

pub(crate) struct Servers {
    /// Where they listen.
    pub(crate) ports: [u16; 2],
    /// Where those listen that send back what comes by WebSocket.
    pub(crate) echo: [u16; 2],
    pub(crate) certificate: Certificate,
    _processes: [Process; 2],
    folder: TempDir,
}

impl Servers {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = folder.path();
        let ports = [ports::free(), ports::free()];
        std::fs::write(at.join("large"), "x".repeat(LARGE)).expect("the folder is writable");
        let text = "x".repeat(200);
        let [first, second] = ports;
        let configuration = format!(
            "worker_processes 1; daemon off; pid {at}/pid; error_log stderr error;\n\
             events {{ worker_connections 12000; }}\n\
             http {{ access_log off; keepalive_requests 1000000000; client_max_body_size 0;\n\
             client_body_temp_path {at}/body; client_body_buffer_size 256k;\n\
             server {{ listen 127.0.0.1:{first} backlog=4096; listen 127.0.0.1:{second} backlog=4096;\n\
             location / {{ default_type text/plain; return 200 '{text}'; }}\n\
             location /large {{ root {at}; }} }} }}\n",
            at = at.display()
        );
        let file = at.join("nginx.conf");
        std::fs::write(&file, configuration).expect("the folder is writable");
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(at).arg("-c").arg(&file);
        let log = at.join("log");
        let mut process = Process::start(LOAD_CORE, &log, &nginx);
        process.wait_for(first, &log);
        let echo = [ports::free(), ports::free()];
        let mut command = Role::Echo.command();
        command.args(echo.map(|port| port.to_string()));
        let log = at.join("echo");
        let mut echoing = Process::start(LOAD_CORE, &log, &command);
        echoing.wait_for(echo[1], &log);
        Self {
            ports,
            echo,
            certificate: Certificate::make(),
            _processes: [process, echoing],
            folder,
        }
    }

    /// A folder for what a proxy needs.
    pub(crate) fn folder(&self) -> TempDir {
        tempfile::tempdir_in(self.folder.path()).expect("a temporary folder")
    }
}
