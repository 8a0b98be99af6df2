//! How long an answer may take, for curl.

use std::io::{BufRead, BufReader};

use super::bed::{App, Asked, metric, ready, up};
use crate::harness::machine;

/// What curl calls an answer that ended too early, by HTTP/1.1 (an end, a reset) and by HTTP/2.
const CUT_OFF: [i32; 3] = [18, 56, 92];

/// The body of an answer that has to break off.
fn broken(mut asked: Asked) -> String {
    let status = asked.child().wait().unwrap();
    assert!(CUT_OFF.contains(&status.code().unwrap()), "{status}");
    let answer = asked.answer();
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.body
}

#[test]
fn an_answer_that_takes_too_long_is_504_or_breaks_off_and_streams_are_spared() {
    let _machine = machine();
    let parts = App {
        tags: "ebbtide.firstByteTimeoutSeconds: '1', ebbtide.idleTimeoutSeconds: '1'",
        ..App::default()
    };
    let whole = App {
        name: "whole",
        tags: "ebbtide.requestTimeoutSeconds: '1'",
        ..App::default()
    };
    let documents = [("web.yaml", &*parts.yaml()), ("whole.yaml", &whole.yaml())];
    let ebbtide = up(&documents, &[]);
    for app in ["web", "whole"] {
        ready(&ebbtide, app, "one", 1);
    }
    let mut streams = ["web", "whole"].map(|app| {
        let mut stream = Asked::start(&ebbtide, app, "/events", &["--no-buffer"]);
        let output = stream.child().stdout.take().unwrap();
        let mut lines = BufReader::new(output).lines().map(Result::unwrap);
        assert!(lines.any(|line| line == "data: one"));
        (stream, lines)
    });
    let begun = ["--http1.1", "--http2-prior-knowledge"].map(|version| {
        let start = |app: &str, path: &str| Asked::start(&ebbtide, app, path, &[version]);
        let late = ["web", "whole"].map(|app| start(app, "/silent"));
        (late, start("web", "/pause"), start("whole", "/drip"))
    });
    for (late, paused, dripped) in begun {
        for asked in late {
            let answer = asked.answer();
            assert_eq!(answer.status, 504, "{answer:?}");
        }
        assert_eq!(broken(paused), "half");
        let dripped = broken(dripped);
        assert!(dripped.starts_with(".."), "{dripped}");
    }
    let late = "ebbtide_ingress_own_answers_total{reason=\"no-answer-in-time\"}";
    assert_eq!(metric(&ebbtide, late), 4);
    // They have been silent for longer than what was broken off.
    ebbtide.write("go-events", "");
    for (stream, lines) in &mut streams {
        assert!(lines.any(|line| line == "data: two"));
        assert!(stream.child().wait().unwrap().success());
    }
}
