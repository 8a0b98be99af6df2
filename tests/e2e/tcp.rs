//! An app that speaks TCP, with a client of Python's.

use std::net::TcpListener;
use std::process::Command;

use crate::harness::{ANY_PORT, Ebbtide, SOON, eventually, machine};

/// Opens three connections to a port, has a line of each echoed, and says what came.
const CLIENT: &str = r#"
import socket, sys
connections = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(3)]
for number, connection in enumerate(connections):
    connection.sendall(b"%d\n" % number)
print(b"".join(connection.recv(100) for connection in connections).decode())
"#;

fn echo(port: u16) -> String {
    format!(
        r#"name: echo
tags: {{ebbtide.scaleInStabilizationSeconds: '1'}}
properties:
  configuration: {{ingress: {{targetPort: 9000, transport: tcp, exposedPort: {port}}}}}
  template:
    containers:
    - name: echo
      command:
      - python3
      - -c
      - |
        import os, socketserver
        class Echo(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    self.wfile.write(b"echo " + line)
        socketserver.ThreadingTCPServer.request_queue_size = 128
        socketserver.ThreadingTCPServer(("127.0.0.1", int(os.environ["PORT"])), Echo).serve_forever()
    scale:
      minReplicas: 0
      cooldownPeriod: 1
      rules: [{{name: connections, tcp: {{metadata: {{concurrentConnections: '10'}}}}}}]
"#
    )
}

#[test]
fn a_tcp_app_is_woken_by_a_connection_and_sleeps_when_there_is_none() {
    let _machine = machine();
    // Free a moment ago; nothing else on this machine takes ports in between.
    let free = TcpListener::bind(ANY_PORT).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let ebbtide = Ebbtide::up(&[("echo.yaml", &echo(port))]);
    let replicas = || ebbtide.api("/api/v1/apps/echo")["revisions"][0]["replicas"].clone();
    assert_eq!(replicas()["ready"], 0);
    let url = ebbtide.api("/api/v1/apps/echo")["url"].clone();
    assert_eq!(url, format!("tcp://localhost:{port}"));
    let client = Command::new("python3")
        .args(["-c", CLIENT, &port.to_string()])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&client.stdout);
    assert_eq!(said, "echo 0\necho 1\necho 2\n\n", "{client:?}");
    eventually(SOON, "it is at none", || replicas()["ready"] == 0);
}
