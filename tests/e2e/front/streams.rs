//! WebSocket and gRPC at the door: they have no limit of time, each is one request in line, and an Ebbtide
//! that ends lets them finish. Python's clients talk when they are told to.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::bed::{App, ask, ready, until, up};
use crate::harness::{Ebbtide, SOON, curl, eventually, machine};
use crate::protocols::bed::python;

const CLIENT: &str = include_str!("streams.py");
const TALK: &str = include_str!("../protocols/websocket/app.py");
const KINDS: &str = include_str!("../protocols/grpc/app.py");

/// All the times that there are, and one request at a time.
const TAGS: &str = "ebbtide.maxConcurrentRequests: '1', ebbtide.firstByteTimeoutSeconds: '1', \
                    ebbtide.idleTimeoutSeconds: '1', ebbtide.requestTimeoutSeconds: '1'";

/// A stream that is open until it is told otherwise.
struct Stream {
    child: Child,
    input: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Stream {
    fn start(ebbtide: &Ebbtide, kind: &str, app: &str) -> Self {
        let (port, host) = (ebbtide.ingress.to_string(), format!("{app}.localhost"));
        let mut command = Command::new(python());
        command.args(["-c", CLIENT, kind, &port, &host]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("Python starts");
        let input = child.stdin.take().expect("piped");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        Self {
            child,
            input,
            lines,
        }
    }

    fn next(&mut self) -> String {
        let line = self.lines.next().expect("it goes on");
        line.expect("it is text")
    }

    /// Has it say something, which comes back.
    fn talks(&mut self) {
        writeln!(self.input, "hello").expect("it runs");
        assert_eq!(self.next(), "hello");
    }

    /// Has it end, as it says.
    fn ends(mut self, how: &str) {
        drop(self.input);
        let line = self.lines.next().expect("it says how it ended");
        assert_eq!(line.expect("it is text"), how);
        assert!(self.child.wait().expect("it was started").success());
    }
}

fn apps() -> [String; 3] {
    let python = python().display().to_string();
    let talk = App {
        name: "talk",
        tags: TAGS,
        run: &format!("exec {python} talk.py"),
        ..App::default()
    };
    let kinds = App {
        name: "kinds",
        ingress: "transport: http2",
        run: &format!("exec {python} kinds.py"),
        ..talk
    };
    let tags = TAGS;
    [
        talk.yaml(),
        kinds.yaml(),
        App {
            tags,
            ..App::default()
        }
        .yaml(),
    ]
}

#[test]
fn streams_wait_in_line_have_no_limit_of_time_and_finish_before_a_shutdown() {
    let _machine = machine();
    let [talk, kinds, web] = apps();
    let files = [("talk.py", TALK), ("kinds.py", KINDS), ("web.yaml", &web)];
    let documents = [&files[..], &[("talk.yaml", &talk), ("kinds.yaml", &kinds)]].concat();
    let ebbtide = up(&documents, &[]);
    for app in ["talk", "kinds", "web"] {
        ready(&ebbtide, app, "one", 1);
    }
    let begin = |(kind, app): (&str, &str)| {
        let mut first = Stream::start(&ebbtide, kind, app);
        assert_eq!(first.next(), "open");
        let second = Stream::start(&ebbtide, kind, app);
        let waiting = format!("ebbtide_waiting_requests{{app=\"{app}\"");
        until(&ebbtide, &waiting, 1);
        (first, second)
    };
    let (socket, mut socket_in_line) = begin(("websocket", "talk"));
    let (call, mut call_in_line) = begin(("grpc", "kinds"));
    // What is no stream has had its time meanwhile.
    assert_eq!(ask(&ebbtide, "web", "/silent", &[]).status, 504);
    for (mut stream, next, how) in [
        (socket, &mut socket_in_line, "1000"),
        (call, &mut call_in_line, "[] OK"),
    ] {
        stream.talks();
        stream.ends(how);
        assert_eq!(next.next(), "open", "it was its turn");
    }
    let url = format!("http://127.0.0.1:{}/", ebbtide.ingress);
    let end = std::thread::spawn(move || ebbtide.stop());
    eventually(SOON, "nobody listens", || curl(&[&url]).status == 0);
    for (mut stream, how) in [(socket_in_line, "1000"), (call_in_line, "[] OK")] {
        stream.talks();
        stream.talks();
        stream.ends(how);
    }
    end.join().expect("it ends by itself");
}
