//! A client of HTTP/2 that floods its connection, by Python's h2, while curl goes on being served.

use std::process::Command;

use super::bed::{App, ask, metric, ready, up};
use crate::harness::machine;
use crate::protocols::bed::{printed, python};

const CLIENT: &str = include_str!("floods.py");

/// `ENHANCE_YOUR_CALM`, or the end of the connection in which that was lost.
const ENDS: [&str; 2] = ["11\n", "closed\n"];

#[test]
fn a_connection_that_floods_is_ended_and_others_go_on() {
    let _machine = machine();
    let ebbtide = up(&[("web.yaml", &App::default().yaml())], &[]);
    ready(&ebbtide, "web", "one", 1);
    let port = ebbtide.ingress.to_string();
    let counted = "ebbtide_ingress_refusals_total{limit=\"frames\"}";
    for (count, kind) in (1..).zip(["resets", "pings", "settings", "priorities"]) {
        let mut client = Command::new(python());
        let said = printed(client.args(["-c", CLIENT, &port, "web.localhost", kind]));
        assert!(ENDS.contains(&&*said), "{kind}: {said}");
        assert_eq!(metric(&ebbtide, counted), count, "{kind}");
        assert_eq!(ask(&ebbtide, "web", "/who", &[]).status, 200, "{kind}");
    }
}
