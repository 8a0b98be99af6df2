//! Replicas that go, revisions that change, and an Ebbtide that ends or is replaced, with curl and nghttp2
//! in the middle.

use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::bed::{App, Asked, file, ready, up};
use crate::harness::{Ebbtide, SOON, curl, eventually, folder, machine};
use crate::load::Document;
use crate::protocols::bed::printed;

const AUTHORITY: &str = ":authority: web.localhost";

/// Has h2load send requests in rounds, by HTTP/1.1 and by HTTP/2, in the clear and by TLS, while `change` runs.
/// None may fail.
fn under_load(ebbtide: &Ebbtide, change: impl FnOnce()) {
    let clear = format!("http://127.0.0.1:{}/", ebbtide.ingress);
    let by_tls = format!("https://127.0.0.1:{}/", ebbtide.tls);
    let ended = AtomicBool::new(false);
    let rounds = |version: &[&str], url: &str| {
        let mut rounds = 0;
        while !ended.load(Ordering::Relaxed) {
            let load = ["-n", "50", "-c", "4", "-H", AUTHORITY, url];
            let said = printed(Command::new("h2load").args(version).args(load));
            assert!(said.contains("status codes: 50 2xx"), "{said}");
            rounds += 1;
        }
        assert!(rounds > 0);
    };
    std::thread::scope(|scope| {
        for url in [&clear, &by_tls] {
            scope.spawn(|| rounds(&["--h1"], url));
            scope.spawn(|| rounds(&["-m", "5"], url));
        }
        // The rounds end with a change that fails, too.
        let changed = std::panic::catch_unwind(std::panic::AssertUnwindSafe(change));
        ended.store(true, Ordering::Relaxed);
        if let Err(panic) = changed {
            std::panic::resume_unwind(panic);
        }
    });
}

#[test]
fn h2load_has_every_answer_while_replicas_and_revisions_are_replaced() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 2, maxReplicas: 2}",
        args: "[--work-time, 5ms]",
        ..Document::default()
    };
    let ebbtide = Ebbtide::up(&[("web.yaml", &document.yaml())]);
    ready(&ebbtide, "web", "one", 2);
    under_load(&ebbtide, || {
        let names = || {
            let one = ebbtide.revision("web", "web--one");
            let list = one["replicaList"].as_array().unwrap();
            list.iter().map(|one| one["name"].to_string()).collect()
        };
        let before: Vec<String> = names();
        ebbtide.cli_text(&["revision", "restart", "web", "web--one"]);
        eventually(SOON, "every replica is a new one", || {
            let now = names();
            now.len() == 2 && now.iter().all(|name| !before.contains(name))
        });
        let suffix = "two";
        let next = Document { suffix, ..document };
        ebbtide.write("web.yaml", &next.yaml());
        eventually(SOON, "the new revision has taken over", || {
            let one = ebbtide.revision("web", "web--one");
            one["active"] == false && one["replicas"]["ready"] == 0
        });
    });
}

#[test]
fn a_shutdown_says_so_on_each_connection_and_answers_what_was_asked() {
    let _machine = machine();
    let ebbtide = up(&[("web.yaml", &App::default().yaml())], &[]);
    ready(&ebbtide, "web", "one", 1);
    let first = Asked::start(&ebbtide, "web", "/wait/a", &[]);
    let url = format!("http://127.0.0.1:{}", ebbtide.ingress);
    let mut second = Command::new("nghttp");
    second.args(["-v", "-H", AUTHORITY, &format!("{url}/wait/b")]);
    let second = second.stdout(Stdio::piped()).spawn().unwrap();
    eventually(SOON, "both are at the app", || {
        file(&ebbtide, "web-came").split_whitespace().count() == 2
    });
    let go = ebbtide.folder.path().join("go");
    let end = std::thread::spawn(move || ebbtide.stop());
    eventually(SOON, "nobody listens", || curl(&[&url]).status == 0);
    std::fs::write(go, "").unwrap();
    let first = first.answer();
    let told = (first.status, first.header("connection"));
    assert_eq!(told, (200, Some("close")), "{first:?}");
    let second = second.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&second.stdout);
    for frame in ["recv GOAWAY frame", ":status: 200"] {
        assert!(said.contains(frame), "{said}");
    }
    end.join().unwrap();
}

#[test]
fn h2load_has_every_answer_while_an_ebbtide_takes_the_place_of_another() {
    let _machine = machine();
    let document = Document {
        scale: "{minReplicas: 1, maxReplicas: 1}",
        args: "[--work-time, 5ms]",
        ..Document::default()
    };
    let documents = || folder(&[("web.yaml", &document.yaml())]);
    let old = Ebbtide::up_in(documents(), &[]);
    ready(&old, "web", "one", 1);
    let [clear, tls] = [old.ingress, old.tls].map(|port| format!("127.0.0.1:{port}"));
    let place = ["up", "--listen", &clear, "--listen-tls", &tls];
    let other = ["--keda-listen", "off", "--take-over"];
    let new = Ebbtide::start(documents(), &[&place[..], &other].concat());
    under_load(&new, || {
        ready(&new, "web", "one", 1);
        old.stop();
        let finished = || new.revision("web", "web--one")["finishedRequests"].as_u64();
        let before = finished();
        eventually(SOON, "the new one has the requests", || {
            finished() > before.map(|before| before + 200)
        });
    });
}
