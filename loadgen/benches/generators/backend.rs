//! The server that all generators ask: nginx with one worker, which answers from memory.

use std::process::Command;

use tempfile::TempDir;

use crate::ports;
use crate::process::Server;

pub(crate) struct Backend {
    pub(crate) port: u16,
    _server: Server,
    _folder: TempDir,
}

impl Backend {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = folder.path();
        let port = ports::free();
        let text = "x".repeat(100);
        let configuration = format!(
            "worker_processes 1; daemon off; pid {at}/pid; error_log stderr error;\n\
             worker_rlimit_nofile 40000; events {{ worker_connections 30000; }}\n\
             http {{ access_log off; keepalive_requests 1000000000; client_body_temp_path {at}/body;\n\
             proxy_temp_path {at}/proxy; fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi;\n\
             scgi_temp_path {at}/scgi;\n\
             server {{ listen 127.0.0.1:{port} backlog=16384;\n\
             location / {{ default_type text/plain; return 200 '{text}'; }} }} }}\n",
            at = at.display()
        );
        let file = at.join("nginx.conf");
        std::fs::write(&file, configuration).expect("the folder is writable");
        let mut nginx = Command::new("nginx");
        nginx.arg("-p").arg(at).arg("-c").arg(&file);
        Self {
            port,
            _server: Server::start(&nginx, port, &at.join("log")),
            _folder: folder,
        }
    }
}
