//! Which revision a request is for: weights, labels, pins, and hosts. curl counts.

use super::bed::{App, ask, count, each, ready, up};
use crate::harness::{Ebbtide, curl, machine};

fn two() -> Ebbtide {
    let app = App {
        tags: "ebbtide.pinHeader: X-Pin, ebbtide.pinCookie: pin",
        ingress: "customDomains: [{name: '*.shop.example', bindingType: Disabled}, \
                  {name: api.shop.example, bindingType: Disabled}], \
                  traffic: [{revisionName: web--old, weight: 93, label: stable}, \
                  {latestRevision: true, weight: 7, label: green}]",
        ..App::default()
    };
    let ebbtide = up(&[("web.yaml", &app.yaml_of_two())], &[]);
    for revision in ["old", "one"] {
        ready(&ebbtide, "web", revision, 1);
    }
    ebbtide
}

/// The revision that answers, if the status is 200; else the status.
fn of(ebbtide: &Ebbtide, host: &str, more: &[&str]) -> String {
    let url = format!("http://127.0.0.1:{}/who", ebbtide.ingress);
    let host = format!("Host: {host}");
    let answer = curl(&[&["-H", &host, &url], more].concat());
    let revision = answer.header("x-revision").map(str::to_owned);
    revision.unwrap_or_else(|| answer.status.to_string())
}

#[test]
fn weights_are_exact_and_labels_and_pins_go_before_them() {
    let _machine = machine();
    let ebbtide = two();
    for at_once in [1, 20] {
        let answers = each(
            &ebbtide,
            "web",
            "/who?[1-200]",
            at_once,
            "%header{x-revision}",
        );
        let counts = ["web--old", "web--one"].map(|one| count(&answers, one));
        assert_eq!(counts, [186, 14], "{at_once} at once");
    }
    let (old, new) = ("web--old", "web--one");
    for (host, more, expected) in [
        ("web---stable.localhost", &[][..], old),
        ("web---green.localhost", &[], new),
        ("web---blue.localhost", &[], "404"),
        ("WEB---Green.LOCALHOST.", &[], new),
        ("web.localhost", &["-H", "X-Pin: green"], new),
        ("web.localhost", &["-H", "X-Pin: web--old"], old),
        (
            "web.localhost",
            &["-H", "x-pin: one", "--http2-prior-knowledge"],
            new,
        ),
        ("web.localhost", &["-H", "X-Pin: other"], "404"),
        ("web.localhost", &["-b", "a=b; pin=green"], new),
        (
            "web.localhost",
            &["-H", "X-Pin: old", "-b", "pin=green"],
            old,
        ),
        ("web---stable.localhost", &["-H", "X-Pin: green"], old),
    ] {
        // More than once, as a pin counts for each request.
        for _ in 0..3 {
            assert_eq!(of(&ebbtide, host, more), expected, "{host} {more:?}");
        }
    }
    for (host, status) in [
        ("api.shop.example", 200),
        ("a.shop.example", 200),
        ("a.b.shop.example", 200),
        ("shop.example", 404),
        ("shop.example.org", 404),
        ("lost.localhost", 404),
    ] {
        let url = format!("http://127.0.0.1:{}/who", ebbtide.ingress);
        let answer = curl(&["-H", &format!("Host: {host}"), &url]);
        assert_eq!(answer.status, status, "{host}");
    }
    let lost = ask(&ebbtide, "lost", "/", &[]);
    assert!(lost.body.contains("web"), "names what there is: {lost:?}");
}
