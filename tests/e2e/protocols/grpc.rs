//! gRPC, with grpcio on both ends.

use std::process::Command;

use super::bed::{App, HOST, printed, python};
use crate::harness::{Ebbtide, machine};
use crate::load::Load;

const CLIENT: &str = include_str!("grpc/client.py");

/// What comes of the client's calls.
const EXPECTED: &str = "\
zero 1225
unary hello asked end 00ff OK
large True
empty b''
server 0 1 2 3 4
many 20000
client 1000000
both ONE TWO THREE [] OK
fail FAILED_PRECONDITION not today, ä told
later first DATA_LOSS lost
missing UNIMPLEMENTED
held held
cancelled True
";

fn up() -> Ebbtide {
    let python = python().display().to_string();
    let app = App {
        file: "app.py",
        source: include_str!("grpc/app.py"),
        run: (&python, ""),
        transport: "http2",
    };
    app.up()
}

fn client(ebbtide: &Ebbtide, port: u16, root: Option<&str>) -> String {
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(python());
    command.args(["-c", CLIENT, &address, HOST]).args(root);
    command.env("PYTHONUTF8", "1");
    let said = printed(&mut command);
    assert_eq!(ebbtide.ready("web", "web--one"), 1, "{said}");
    said
}

#[test]
fn grpc_of_all_kinds_from_zero_with_trailers_and_codes() {
    let _machine = machine();
    let ebbtide = up();
    let said = client(&ebbtide, ebbtide.ingress, None);
    assert_eq!(said, EXPECTED);
}

#[test]
fn grpc_by_tls() {
    let _machine = machine();
    let ebbtide = up();
    let said = client(&ebbtide, ebbtide.tls, Some(&ebbtide.root));
    assert_eq!(said, EXPECTED);
}

#[test]
fn loadgen_calls_methods_of_all_kinds_from_zero() {
    let _machine = machine();
    let ebbtide = up();
    let url = format!("http://127.0.0.1:{}", ebbtide.ingress);
    let scenario = LOAD.replace("URL", &url).replace("HOST", HOST);
    let report = Load::of_scenario(&scenario).without_loss();
    assert_eq!(report["total"]["sent"], 80, "{report:#}");
    assert_eq!(report["countedHeader"]["values"]["0"], 80, "{report:#}");
    let targets = report["targets"].as_array().expect("targets");
    for target in targets {
        assert_ne!(target["sent"], 0, "{report:#}");
    }
}

/// The app's messages are plain bytes.
const LOAD: &str = "
targets:
  - name: unary
    url: URL
    host: HOST
    countHeader: grpc-status
    grpc: {method: test.Kinds/Echo, messageHex: '68656c6c6f'}
    checks: [{bodyContains: hello}, {header: x-trailing}]
  - name: server
    url: URL
    host: HOST
    countHeader: grpc-status
    grpc: {method: test.Kinds/Count, messageHex: '35', mode: serverStreaming}
    checks: [{bodyContains: '01234'}]
  - name: client
    url: URL
    host: HOST
    countHeader: grpc-status
    grpc: {method: test.Kinds/Total, messageHex: '6161', messages: 10, mode: clientStreaming}
    checks: [{bodyContains: '20'}]
  - name: both
    url: URL
    host: HOST
    countHeader: grpc-status
    grpc: {method: test.Kinds/Talk, messageHex: '6f6e65', messages: 3, mode: bidirectional}
    checks: [{bodyContains: ONEONEONE}]
burst: 80
";
