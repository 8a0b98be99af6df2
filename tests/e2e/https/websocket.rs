//! WebSocket by TLS, with Node.js on both ends.

use std::process::Command;

use super::bed::Authority;
use crate::harness::{ANY_PORT, Ebbtide, folder, machine};
use crate::load::Document;

/// Answers the handshake, then every text of up to 125 bytes with the same.
const SERVER: &str = r#"
import { createHash } from "node:crypto";
import { createServer } from "node:http";
const server = createServer((_, answer) => answer.end("no WebSocket"));
server.on("upgrade", (request, socket) => {
  const key = request.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  const accept = createHash("sha1").update(key).digest("base64");
  socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
    `Sec-WebSocket-Accept: ${accept}\r\n\r\n`);
  const text = request.headers["x-forwarded-proto"];
  socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]));
  let read = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (data) => {
    read = Buffer.concat([read, data]);
    while (read.length >= 6 && read.length >= 6 + (read[1] & 127)) {
      const length = read[1] & 127, mask = read.subarray(2, 6);
      const body = Buffer.from(read.subarray(6, 6 + length).map((byte, i) => byte ^ mask[i % 4]));
      socket.write(Buffer.concat([Buffer.from([read[0], length]), body]));
      if ((read[0] & 15) === 8) socket.end();
      read = read.subarray(6 + length);
    }
  });
});
server.listen(process.env.PORT, "127.0.0.1");
"#;

/// Sends three texts, one after the answer to the other, and prints all that comes.
const CLIENT: &str = r#"
const socket = new WebSocket(process.argv[1]);
const texts = ["one", "two", "three"];
const came = [];
socket.onmessage = (event) => {
  came.push(event.data);
  if (texts.length) socket.send(texts.shift()); else socket.close(1000);
};
socket.onerror = (event) => console.log("error", event.message ?? "");
socket.onclose = (event) => console.log(came.join(" "), event.code);
"#;

#[test]
fn a_websocket_by_tls_wakes_the_app_and_stays_open() {
    let _machine = machine();
    let has_node = Command::new("node").arg("--version").output();
    if !has_node.is_ok_and(|output| output.status.success()) {
        return;
    }
    let authority = Authority::new();
    authority.issue(&["localhost"], "web.crt", "web.key");
    let certificates = authority.folder.path().display().to_string();
    let yaml = Document::default().yaml();
    // Not every resolver knows names under localhost.
    let domain = "targetPort: 8080, customDomains: [{name: localhost}]";
    let yaml = yaml.replace("targetPort: 8080", domain);
    let yaml = yaml.replace("[\"$(EBBTIDE_PROGRAM)\", sample-app]", "[node, server.mjs]");
    let documents = folder(&[("web.yaml", &yaml), ("server.mjs", SERVER)]);
    let arguments = ["--listen-tls", ANY_PORT, "--certificates", &certificates];
    let ebbtide = Ebbtide::up_in(documents, &arguments);
    let output = Command::new("node")
        .args([
            "--experimental-websocket",
            "--dns-result-order=ipv4first",
            "-e",
            CLIENT,
        ])
        .arg(format!("wss://localhost:{}/", ebbtide.tls))
        .env("NODE_EXTRA_CA_CERTS", authority.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said.trim(), "https one two three 1000", "{errors}");
}
