//! Redis as an app that speaks TCP, and its own client.

use std::process::{Child, Command, Stdio};

use crate::harness::{Ebbtide, SOON, eventually, machine};
use crate::ports;
use crate::protocols::bed::printed;

fn document(port: u16) -> String {
    format!(
        r#"name: cache
tags: {{ebbtide.scaleInStabilizationSeconds: '1'}}
properties:
  configuration: {{ingress: {{targetPort: 6379, transport: tcp, exposedPort: {port}}}}}
  template:
    revisionSuffix: one
    containers:
    - name: redis
      command: [redis-server]
      args: [--port, $(PORT), --bind, 127.0.0.1, --save, "", --appendonly, "no"]
    scale:
      minReplicas: 0
      maxReplicas: 5
      cooldownPeriod: 1
      rules: [{{name: connections, tcp: {{metadata: {{concurrentConnections: '2', windowSeconds: '2'}}}}}}]
"#
    )
}

fn client(port: u16, arguments: &[&str]) -> Command {
    let mut command = Command::new("redis-cli");
    command.args(["-h", "127.0.0.1", "-p", &port.to_string()]);
    command.args(arguments);
    command
}

/// One that listens until it is ended.
fn subscriber(port: u16) -> Child {
    let mut command = client(port, &["subscribe", "news"]);
    let command = command.stdin(Stdio::null()).stdout(Stdio::null());
    command.spawn().expect("redis-cli is installed")
}

#[test]
fn redis_is_woken_and_has_as_many_replicas_as_its_clients_connections_call_for() {
    let _machine = machine();
    let port = ports::free();
    let ebbtide = Ebbtide::up(&[("cache.yaml", &document(port))]);
    let ready = || ebbtide.ready("cache", "cache--one");
    assert_eq!(ready(), 0);
    assert_eq!(printed(&mut client(port, &["ping"])), "PONG\n");
    let mut subscribers: Vec<_> = (0..6).map(|_| subscriber(port)).collect();
    eventually(SOON, "two of them are on each replica", || ready() == 3);
    // A replica goes only when nobody is connected to it.
    for subscriber in &mut subscribers {
        assert!(subscriber.try_wait().unwrap().is_none(), "it is connected");
        subscriber.kill().unwrap();
        subscriber.wait().unwrap();
    }
    eventually(SOON, "it is at none", || ready() == 0);
    assert_eq!(printed(&mut client(port, &["set", "a", "1"])), "OK\n");
}
