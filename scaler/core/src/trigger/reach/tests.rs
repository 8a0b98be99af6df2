mod addresses;
mod properties;

use super::*;

fn reach(entries: &str) -> Reach {
    let entries = entries
        .split_whitespace()
        .map(|entry| entry.parse().unwrap());
    Reach::new(entries.collect())
}

fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// `entries => hosts that are allowed => hosts that are refused`, each `host` or `host port`,
/// commas between.
const HOSTS: &str = "
 => rabbitmq.prod.svc, 10.1.2.3, 8.8.8.8, fd00::1, [2001:db8::1], a_b, RabbitMQ.Prod, 1.2.3.4.nip.io => \
    127.0.0.1, 127.9.9.9, 0.0.0.0, 0.1.2.3, 169.254.0.1, 169.254.169.254, 224.0.0.1, 255.255.255.255, \
    168.63.129.16, 100.100.100.200, 192.0.0.192, ::, ::1, [::1], fe80::1, febf::1, ff02::1, fd00:ec2::254, \
    ::ffff:127.0.0.1, [::ffff:127.0.0.1], ::ffff:169.254.169.254, ::127.0.0.1, ::7f00:1, \
    64:ff9b::7f00:1, 2002:7f00:1::, localhost, LOCALHOST, a.localhost, metadata.google.internal
=> fe00::1, ::202:202 => localhost., 127.0.0.1., rabbitmq.prod.svc., .a, a..b, -a, a-, a@b, a%2eb, \
    2130706433, 0x7f.1, 0x7f000001, 0177.0.0.1, 127.1, 127.0.1, 1.2.3.4.5, 08.1.1.1, a.0x1, [127.0.0.1], \
    [a], [::1, ::1], fe80::1%eth0, FD00:0::1, a b, a/b, a\\b, ä, １２７.0.0.1, a。b, 0, 0x, *, *.a
rabbitmq.prod.svc => rabbitmq.prod.svc, RABBITMQ.prod.svc 1 => a, 10.1.2.3, x.rabbitmq.prod.svc, localhost
*.svc.cluster.local => a.svc.cluster.local, a.b.svc.cluster.local => svc.cluster.local, asvc.cluster.local
10.0.0.0/8 => 10.0.0.0, 10.255.255.255 5, ::ffff:10.1.2.3 => 11.0.0.0, a, 127.0.0.1, 64:ff9b::a01:203
fd00::/8 [::1]:6379 => fd12::1, ::1 6379 => fe80::1, ::1, ::1 80, 10.0.0.1, fd00:ec2::254
10.1.2.3:5672 a:1 fd00::/8:2 => 10.1.2.3 5672, a 1, fd00::1 2 => 10.1.2.3, 10.1.2.3 80, a, a 2, fd00::1
127.0.0.0/8 => 127.0.0.1, ::ffff:127.0.0.1 => localhost, ::1, 10.0.0.1
127.0.0.1 => 127.0.0.1 => 127.0.0.2, ::127.0.0.1
localhost *.localhost => localhost, a.localhost => 127.0.0.1
*.google.internal *.internal => a.google.internal => metadata.google.internal
metadata.google.internal => metadata.google.internal => 169.254.169.254
0.0.0.0/0 ::/0 => 8.8.8.8, 10.0.0.1, fd00::1 => 127.0.0.1, 169.254.169.254, ::1, fd00:ec2::254, a
169.254.0.0/16 => 169.254.1.1 => 169.254.169.254, 169.254.170.2
169.254.169.254 => 169.254.169.254, ::ffff:169.254.169.254 => 169.254.169.253
64:ff9b::7f00:1 => 64:ff9b::7f00:1 => 127.0.0.1
";

#[test]
fn hosts_are_allowed_or_refused() {
    for line in HOSTS.trim_matches('\n').lines() {
        let mut parts = line.split("=>");
        let reach = reach(parts.next().unwrap());
        for is_allowed in [true, false] {
            for case in parts.next().unwrap().split(',') {
                let case = case.trim();
                let with_port = case
                    .rsplit_once(' ')
                    .filter(|(_, port)| port.parse::<u16>().is_ok());
                let (host, port) =
                    with_port.map_or((case, None), |(host, port)| (host, port.parse().ok()));
                let checked = reach.check_host(host, port);
                assert_eq!(checked.is_ok(), is_allowed, "{line}: {case}: {checked:?}");
            }
        }
    }
    assert!(Reach::default().check_host("", None).is_err());
    assert!(Reach::default().check_host(&"a".repeat(64), None).is_err());
    assert!(
        Reach::default()
            .check_host(&"a.".repeat(127), None)
            .is_err()
    );
}

#[test]
fn what_a_name_resolves_to_is_looked_at_too() {
    for (entries, name, resolved, is_allowed) in [
        ("", "a.example", "10.0.0.1", true),
        ("", "a.example", "127.0.0.1", false),
        ("", "a.example", "::ffff:169.254.169.254", false),
        ("", "a.example", "::1", false),
        ("", "localhost", "10.0.0.1", false),
        ("", "10.0.0.1", "10.0.0.1", true),
        ("", "10.0.0.1", "::ffff:10.0.0.1", true),
        ("", "10.0.0.1", "10.0.0.2", false),
        ("a.example", "a.example", "127.0.0.1", true),
        ("a.example", "A.example", "169.254.169.254", true),
        ("a.example", "b.example", "10.0.0.1", false),
        ("*.example", "a.example", "10.0.0.1", true),
        ("*.example", "a.example", "127.0.0.1", false),
        ("*.example 127.0.0.1", "a.example", "127.0.0.1", true),
        ("10.0.0.0/8", "a.example", "10.0.0.1", false),
        ("localhost", "localhost", "127.0.0.1", true),
    ] {
        let checked = reach(entries).check_address(name, address(resolved), None);
        assert_eq!(
            checked.is_ok(),
            is_allowed,
            "{entries}: {name} {resolved}: {checked:?}"
        );
    }
    let port = reach("a.example:5672");
    assert!(
        port.check_address("a.example", address("::1"), Some(5672))
            .is_ok()
    );
    assert!(
        port.check_address("a.example", address("::1"), Some(22))
            .is_err()
    );
}

#[test]
fn a_refusal_says_why_and_what_would_allow_it() {
    let host = |entries: &str, host: &str, port| {
        let refused = reach(entries).check_host(host, port).unwrap_err();
        refused.to_string()
    };
    assert_eq!(
        host("", "127.0.0.1", Some(6379)),
        "127.0.0.1 is refused: a loopback address, Ebbtide's own machine; --allow-address \
         127.0.0.1:6379 would allow it, and then only what is listed so"
    );
    assert_eq!(
        host("10.0.0.0/8", "::1", Some(6379)),
        "::1 is refused: a loopback address, Ebbtide's own machine; --allow-address ::1 would \
         allow it"
    );
    assert_eq!(
        host("10.0.0.0/8", "a.example", None),
        "a.example is refused: not among what is allowed; --allow-address a.example would allow it"
    );
    assert!(host("", "0x7f.1", None).starts_with("0x7f.1 is refused: neither a plain host name"));
    let secret = host("", "guest:hunter2@a", None);
    assert!(
        secret.starts_with("the host is refused: neither"),
        "{secret}"
    );
    let resolved = Reach::default().check_address("a.example", address("169.254.169.254"), None);
    assert_eq!(
        resolved.unwrap_err().to_string(),
        "a.example is refused: it resolves to 169.254.169.254, the metadata service of a cloud, \
         which hands out credentials; --allow-address a.example would allow it, and then only what \
         is listed so"
    );
}

#[test]
fn entries_are_names_addresses_and_networks() {
    for text in [
        "",
        "*",
        "*.",
        "*.*.a",
        "a.*",
        "a:",
        "a:0",
        "a:65536",
        "a:+1",
        "a:b",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/08",
        "a/8",
        "10.0.0.1/8",
        "fd00::1/8",
        "0x7f.1",
        "a.",
        "http://a",
        "[a]:1x",
        "[::1]1",
        "::1/129",
        "user@a",
        "*.1.2.3.4",
    ] {
        assert!(text.parse::<Allowed>().is_err(), "{text}");
    }
    let inside = "10.0.0.1/8".parse::<Allowed>().unwrap_err();
    assert!(inside.ends_with("give 10.0.0.0/8"), "{inside}");
    for text in [
        "a",
        "a:1",
        "*.a:1",
        "10.0.0.0/8:65535",
        "fd00::/8",
        "fd00::/8:1",
        "[fd00::1]",
        "[fd00::1]:1",
        "::1",
    ] {
        assert!(text.parse::<Allowed>().is_ok(), "{text}");
    }
}
