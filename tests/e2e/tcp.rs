//! Apps that speak TCP, on a port of their own or beside HTTP, with clients of Python's and curl.

use std::process::Command;

use crate::harness::{Ebbtide, SOON, curl, eventually, machine};
use crate::ports;

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
    let port = ports::free();
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

/// An app with a site, lines that are echoed with its replica's name, and pages of another kind.
fn with_ports(lines: u16, pages: u16) -> String {
    format!(
        r#"name: site
tags: {{ebbtide.scaleInStabilizationSeconds: '1'}}
properties:
  configuration:
    ingress:
      targetPort: 80
      allowInsecure: true
      additionalPortMappings:
      - {{external: true, targetPort: 9000, exposedPort: {lines}}}
      - {{external: false, targetPort: 9001, exposedPort: {pages}}}
  template:
    containers:
    - name: site
      command:
      - python3
      - -c
      - |
        import http.server, os, socketserver, threading
        NAME = os.environ["CONTAINER_APP_REPLICA_NAME"]
        class Lines(socketserver.StreamRequestHandler):
            def handle(self):
                for line in self.rfile:
                    self.wfile.write(NAME.encode() + b" " + line)
        class Pages(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(self.server.text)
        def serve(variable, kind, handler, text=b""):
            server = kind(("127.0.0.1", int(os.environ[variable])), handler)
            server.text = text
            threading.Thread(target=server.serve_forever).start()
        serve("PORT_9000", socketserver.ThreadingTCPServer, Lines)
        serve("PORT_9001", http.server.ThreadingHTTPServer, Pages, b"side")
        serve("PORT", http.server.ThreadingHTTPServer, Pages, b"main")
    scale:
      minReplicas: 0
      maxReplicas: 2
      cooldownPeriod: 1
      rules: [{{name: connections, tcp: {{metadata: {{concurrentConnections: '1'}}}}}}]
"#
    )
}

/// Opens connections, keeps them, and says a line in each, until two replicas have answered.
const UNTIL_TWO_ANSWER: &str = r#"
import socket, sys, time
connections, names = [], set()
while len(names) < 2:
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    connection.sendall(b"hello\n")
    name, said = connection.makefile().readline().split()
    assert said == "hello", said
    names.add(name)
    connections.append(connection)
    time.sleep(0.1)
"#;

#[test]
fn further_ports_lead_to_each_replica_wake_the_app_and_count() {
    let _machine = machine();
    let [lines, pages] = [ports::free(), ports::free()];
    let ebbtide = Ebbtide::up(&[("site.yaml", &with_ports(lines, pages))]);
    let replicas = || ebbtide.api("/api/v1/apps/site")["revisions"][0]["replicas"].clone();
    assert_eq!(replicas()["ready"], 0);
    let client = Command::new("python3")
        .args(["-c", UNTIL_TWO_ANSWER, &lines.to_string()])
        .output()
        .unwrap();
    assert!(client.status.success(), "{client:?}");
    let page = |url: &str| curl(&[url]).body;
    assert_eq!(page(&format!("http://127.0.0.1:{pages}/")), "side");
    assert_eq!(ebbtide.request("site", "/").body, "main");
    let ports = ebbtide.api("/api/v1/apps/site")["additionalPorts"].clone();
    assert_eq!(ports[0]["url"], format!("tcp://localhost:{lines}"));
    assert_eq!(ports[1]["external"], false);
    let shown = ebbtide.cli_text(&["show", "site"]);
    assert!(
        shown.contains(&format!("{pages} to 9001, internal")),
        "{shown}"
    );
    eventually(SOON, "it is at none", || replicas()["ready"] == 0);
    assert_eq!(page(&format!("http://127.0.0.1:{pages}/")), "side");
}
