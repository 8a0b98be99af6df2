//! The line at the door of an app that takes few requests at a time.

use std::process::Command;

use super::bed::{App, Asked, RUN_LATER, ask, file, metric, ready, until, up};
use crate::harness::{Ebbtide, SOON, eventually, machine};
use crate::protocols::bed::printed;

const WAITING: &str = "ebbtide_waiting_requests{app=\"web\"";

const ONE: App<'_> = App {
    name: "web",
    tags: "ebbtide.maxConcurrentRequests: '1'",
    ingress: "",
    scale: "{minReplicas: 1, maxReplicas: 1}",
    run: "exec python3 app.py",
};

/// Sends a request for each name, one after the other, and waits until it is the last in line.
fn line_up(ebbtide: &Ebbtide, names: &[&str], already: u64) -> Vec<Asked> {
    let mut waiting = already;
    let ask = |name: &&str| {
        let asked = Asked::start(ebbtide, "web", &format!("/wait/{name}"), &[]);
        waiting += 1;
        until(ebbtide, WAITING, waiting);
        asked
    };
    names.iter().map(ask).collect()
}

/// Waits until these have come to the app, in this order.
fn came(ebbtide: &Ebbtide, names: &str) {
    eventually(SOON, &format!("{names}have come"), || {
        file(ebbtide, "web-came") == names
    });
}

#[test]
fn it_is_first_in_first_out_and_bounded_by_number_and_bytes() {
    let _machine = machine();
    let bounds = ["--waiting-requests", "3", "--waiting-bytes", "16384"];
    let ebbtide = up(&[("web.yaml", &ONE.yaml())], &bounds);
    let first = Asked::start(&ebbtide, "web", "/wait/a", &[]);
    came(&ebbtide, "a ");
    let mut line = line_up(&ebbtide, &["b", "c"], 0);
    let taken = metric(&ebbtide, "ebbtide_waiting_bytes{app=\"web\"");
    assert!((1..16384).contains(&taken), "{taken}");
    let large = format!("X-Large: {}", "x".repeat(20_000));
    for more in [&["-H", &large][..], &[]] {
        if more.is_empty() {
            line.extend(line_up(&ebbtide, &["d"], 2));
        }
        let full = ask(&ebbtide, "web", "/wait/never", more);
        let told = (full.status, full.header("retry-after"));
        assert_eq!(told, (503, Some("1")), "{full:?}");
    }
    let refused = "ebbtide_ingress_own_answers_total{reason=\"waiting-room-full\"}";
    assert_eq!(metric(&ebbtide, refused), 2);
    // A client that goes leaves its place to another.
    line.remove(1).give_up();
    until(&ebbtide, WAITING, 2);
    line.extend(line_up(&ebbtide, &["e"], 2));

    for (asked, order) in [first]
        .into_iter()
        .chain(line)
        .zip(["a ", "a b ", "a b d ", "a b d e "])
    {
        came(&ebbtide, order);
        let name = order.trim().rsplit(' ').next().unwrap();
        ebbtide.write(&format!("go-{name}"), "");
        let answer = asked.answer();
        assert_eq!(answer.status, 200, "{answer:?}");
        let waited = answer.header("server-timing").unwrap_or_default();
        assert_eq!(waited.starts_with("queue;dur="), name != "a", "{answer:?}");
    }
}

#[test]
fn what_waits_too_long_is_told_when_to_come_again() {
    let _machine = machine();
    let never = App {
        name: "never",
        scale: "{minReplicas: 0, maxReplicas: 1}",
        run: RUN_LATER,
        ..App::default()
    };
    let documents = [("web.yaml", &*ONE.yaml()), ("never.yaml", &never.yaml())];
    let ebbtide = up(&documents, &["--waiting-timeout", "1s"]);
    ready(&ebbtide, "web", "one", 1);
    let first = Asked::start(&ebbtide, "web", "/wait/a", &[]);
    came(&ebbtide, "a ");
    for (app, seconds) in [("web", "1"), ("never", "5")] {
        let late = ask(&ebbtide, app, "/", &[]);
        let told = (late.status, late.header("retry-after"));
        assert_eq!(told, (503, Some(seconds)), "{late:?}");
    }
    ebbtide.write("go", "");
    assert_eq!(first.answer().status, 200);
}

#[test]
fn as_many_leave_it_as_a_new_replica_takes_in_order_and_bodies_wait_with_their_clients() {
    let _machine = machine();
    let app = App {
        tags: "ebbtide.maxConcurrentRequests: '2'",
        scale: "{minReplicas: 0, maxReplicas: 1}",
        run: RUN_LATER,
        ..App::default()
    };
    let ebbtide = up(&[("web.yaml", &app.yaml())], &[]);
    let mut line = line_up(&ebbtide, &["a", "b"], 0);
    let body = ebbtide.folder.path().join("body");
    std::fs::write(&body, vec![b'x'; 64 << 20]).unwrap();
    let upload = ["-H", "Expect:", "--upload-file", body.to_str().unwrap()];
    let mut large = Asked::start(&ebbtide, "web", "/length", &upload);
    until(&ebbtide, WAITING, 3);
    line.extend(line_up(&ebbtide, &["c", "d"], 3));
    // Only what the sockets' buffers take has been read of the file.
    let read = bytes_read(large.child().id());
    assert!(read < 32 << 20, "{read}");

    ebbtide.write("start", "");
    until(&ebbtide, WAITING, 3);
    for (end, expected) in [("", "ab"), ("a", "abc"), ("b", "abcd")] {
        ebbtide.write(&format!("go-{end}"), "");
        eventually(SOON, &format!("{expected} have come"), || {
            let came = file(&ebbtide, "web-came");
            let mut came: Vec<&str> = came.split_whitespace().collect();
            // The first two leave at once, on connections of their own.
            came.sort_unstable();
            came.concat() == expected
        });
    }
    ebbtide.write("go", "");
    for asked in line {
        let answer = asked.answer();
        let waited = answer.header("server-timing").unwrap_or_default();
        assert!(waited.starts_with("coldstart;dur="), "{answer:?}");
    }
    let answer = large.answer();
    assert_eq!((answer.status, &*answer.body), (200, "67108864"));
}

/// What a process has read.
fn bytes_read(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
    let read = text.lines().find_map(|line| line.strip_prefix("rchar: "));
    read.unwrap().parse().unwrap()
}

#[test]
fn nghttp2_has_no_more_requests_at_the_app_than_that_takes() {
    let _machine = machine();
    let app = App {
        tags: "ebbtide.maxConcurrentRequests: '3'",
        ..App::default()
    };
    let ebbtide = up(&[("web.yaml", &app.yaml())], &[]);
    ready(&ebbtide, "web", "one", 1);
    let url = format!("http://127.0.0.1:{}/busy", ebbtide.ingress);
    let authority = ":authority: web.localhost";
    let load = ["-n", "400", "-c", "2", "-m", "20", "-H", authority, &url];
    let said = printed(Command::new("h2load").args(load));
    assert!(said.contains("status codes: 400 2xx"), "{said}");
    assert_eq!(ask(&ebbtide, "web", "/most", &[]).body, "3");
    let counted = "ebbtide_request_classes_total{app=\"web\",revision=\"web--one\",class=\"2xx\"}";
    until(&ebbtide, counted, 401);
}
