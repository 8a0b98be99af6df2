//! Proxies in front: HAProxy says who is behind it, and curl says what it should not be believed.

use std::net::TcpStream;
use std::process::Command;

use tempfile::TempDir;

use super::bed::{App, ask, ready, up};
use crate::brokers::server::{End, Server};
use crate::harness::{Answer, Ebbtide, curl, machine};
use crate::ports;

/// Where the client is.
const CLIENT: &str = "127.0.0.9";

/// Which of the ingress's ports HAProxy leads to from a port of its own, and how: by bytes with the PROXY
/// protocol of each version from 127.0.0.3, or as a proxy of HTTP from 127.0.0.4.
const WAYS: [(bool, &str, &str); 5] = [
    (false, "tcp", "send-proxy source 127.0.0.3"),
    (false, "tcp", "send-proxy-v2 source 127.0.0.3"),
    (true, "tcp", "send-proxy-v2 source 127.0.0.3"),
    (false, "http", "source 127.0.0.4"),
    (false, "http", "proto h2 source 127.0.0.4"),
];

struct HaProxy {
    ports: [u16; 5],
    _server: Server,
    _folder: TempDir,
}

impl HaProxy {
    fn start(ebbtide: &Ebbtide) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports = WAYS.map(|_| ports::free());
        let text = configuration(ebbtide, &ports);
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(&file);
        let mut server = Server::start("haproxy", folder.path(), End::Kill, &command);
        server.wait_until(|| {
            let mut all = ports.iter();
            all.all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok())
        });
        Self {
            ports,
            _server: server,
            _folder: folder,
        }
    }

    /// A request from the client by each way, with what is not to be believed.
    fn ask(&self, ebbtide: &Ebbtide, app: &str) -> [Answer; 5] {
        let mut ways = WAYS.into_iter().zip(self.ports);
        std::array::from_fn(|_| {
            let ((by_tls, _, _), port) = ways.next().unwrap();
            let host = format!("{app}.localhost:{port}");
            let resolve = format!("{host}:127.0.0.1");
            let scheme = if by_tls { "https" } else { "http" };
            let url = format!("{scheme}://{host}/head");
            let ours = ["--cacert", &ebbtide.root, "--resolve", &resolve, &url];
            let false_word = ["-H", "X-Forwarded-For: 192.0.2.1"];
            curl(&[&["--interface", CLIENT], &false_word[..], &ours].concat())
        })
    }
}

fn configuration(ebbtide: &Ebbtide, ports: &[u16; 5]) -> String {
    let section = |(port, (by_tls, mode, how)): (&u16, (bool, &str, &str))| {
        let to = if by_tls { ebbtide.tls } else { ebbtide.ingress };
        let tells = if mode == "http" {
            "option forwardfor"
        } else {
            ""
        };
        format!(
            "listen to-{port}\n  mode {mode}\n  bind 127.0.0.1:{port}\n  {tells}\n  \
             server ebbtide 127.0.0.1:{to} {how}\n"
        )
    };
    let times = "timeout connect 60s\n  timeout client 60s\n  timeout server 60s";
    let sections = ports.iter().zip(WAYS).map(section);
    format!("defaults\n  {times}\n{}", sections.collect::<String>())
}

#[test]
fn a_proxy_that_is_trusted_says_who_the_client_is_and_nobody_else_does() {
    let _machine = machine();
    let only = App {
        name: "only",
        ingress: "ipSecurityRestrictions: [{name: a, ipAddressRange: 127.0.0.9/32, action: Allow}]",
        ..App::default()
    };
    let documents = [
        ("web.yaml", &*App::default().yaml()),
        ("only.yaml", &only.yaml()),
    ];
    let trust = [
        "--proxy-protocol",
        "127.0.0.3",
        "--trusted-proxies",
        "127.0.0.4",
    ];
    let ebbtide = up(&documents, &trust);
    for app in ["web", "only"] {
        ready(&ebbtide, app, "one", 1);
    }
    let proxy = HaProxy::start(&ebbtide);
    let heads = proxy.ask(&ebbtide, "web").map(|answer| head(&answer));
    for (head, (by_tls, mode, how)) in heads.iter().zip(WAYS) {
        let told = if mode == "http" {
            "192.0.2.1, 127.0.0.9, 127.0.0.4"
        } else {
            CLIENT
        };
        for line in [
            format!("x-forwarded-for: {told}\n"),
            format!(
                "x-forwarded-proto: {}\n",
                if by_tls { "https" } else { "http" }
            ),
        ] {
            assert!(head.contains(&line), "{how}: {line} is not in {head}");
        }
    }
    let allowed = proxy.ask(&ebbtide, "only").map(|answer| answer.status);
    assert_eq!(allowed, [200; 5]);
    let other = [
        "-H",
        "X-Forwarded-For: 127.0.0.9",
        "-H",
        "Forwarded: for=127.0.0.9",
    ];
    assert_eq!(ask(&ebbtide, "only", "/head", &other).status, 403);
    assert_eq!(
        ask(&ebbtide, "only", "/head", &["--interface", CLIENT]).status,
        200
    );

    let from_proxy = ["--interface", "127.0.0.3"];
    let says_so = "--haproxy-protocol";
    for (more, status) in [
        (&[from_proxy[0], from_proxy[1], says_so][..], 200),
        (&from_proxy, 0),
        (&[says_so], 400),
    ] {
        let answer = ask(&ebbtide, "web", "/who", more);
        assert_eq!(answer.status, status, "{more:?}: {answer:?}");
    }
}

/// A head as the app has it, in small letters.
fn head(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body.to_lowercase()
}

#[test]
fn what_is_for_this_connection_alone_and_what_clients_say_of_themselves_goes_no_further() {
    let _machine = machine();
    let ebbtide = up(&[("web.yaml", &App::default().yaml())], &[]);
    let headers = [
        "Connection: X-Secret, keep-alive",
        "X-Secret: hunter2",
        "Keep-Alive: timeout=1",
        "Proxy-Connection: keep-alive",
        "Proxy-Authorization: hunter2",
        "TE: gzip",
        "X-Forwarded-For: 192.0.2.1",
        "X-Forwarded-Host: other.example",
        "X-Forwarded-Proto: https",
        "Forwarded: for=192.0.2.1",
        "X-Forwarded-Client-Cert: Hash=192.0.2.1",
        "X-Kept: yes",
    ];
    let more: Vec<_> = headers.iter().flat_map(|one| ["-H", one]).collect();
    let head = head(&ask(&ebbtide, "web", "/head", &more));
    for words in [
        "hunter2",
        "192.0.2.1",
        "other.example",
        "https",
        "timeout",
        "proxy-",
        "gzip",
    ] {
        assert!(!head.contains(words), "{words} is in {head}");
    }
    for line in [
        "x-kept: yes\n",
        "x-forwarded-for: 127.0.0.1\n",
        "x-forwarded-proto: http\n",
    ] {
        assert!(head.contains(line), "{line} is not in {head}");
    }
    let mut traces = head
        .lines()
        .filter(|line| line.starts_with("traceparent: 00-"));
    assert!(traces.next().is_some() && traces.next().is_none(), "{head}");
}
