mod azure;
mod kafka;
mod nats;
mod tables;
mod texts;

use std::sync::LazyLock;

use proptest::prelude::*;

use super::*;
use crate::plan::{Check, Connections, Load, TargetKind, Version};

/// The certificate of an authority.
static AUTHORITY: LazyLock<String> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]);
    made.unwrap().cert.pem()
});

/// A scenario in a folder of its own, with the files that the tests' scenarios name.
fn load_text(text: &str) -> Result<Prepared, ScenarioError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [
        ("run.yaml", text),
        ("body.json", "{\"a\": \"${uuid}\"}"),
        ("ca.pem", &AUTHORITY),
        ("trace.csv", "second,requests\n0,5\n1,10\n"),
    ] {
        std::fs::write(folder.path().join(name), content).unwrap();
    }
    load(&folder.path().join("run.yaml"), Resolve::Nothing, |_| {})
}

/// The errors of a scenario, without the folder's name.
fn errors(text: &str) -> String {
    let error = load_text(text)
        .err()
        .unwrap_or_else(|| panic!("accepted: {text}"));
    let lines = error.0.into_iter().map(|mut placed| {
        let file = placed.file.unwrap();
        let folder = file.strip_suffix("run.yaml").unwrap_or_default().to_owned();
        placed.file = Some("run.yaml".to_owned());
        placed.to_string().replace(&folder, "")
    });
    lines.collect::<Vec<_>>().join("\n")
}

const WHOLE: &str = r#"
name: all of it
seed: 7
targets:
  - name: home
    url: http://hello.localhost:8080/items/${number(1, 9)}?q=${letters(8)}
    share: 3
  - name: order
    url: https://127.0.0.1:8443/orders
    host: shop.example
    method: POST
    headers: {x-request: "${uuid}", accept: [text/html, text/plain], x-number: 5}
    bodyFile: body.json
    version: http2
    connections: {perRequest: 50}
    tls: {ca: ca.pem, insecure: true}
    timeout: 10s
    checks:
      - status: [200-299, 304]
      - header: x-revision
      - header: {content-type: application/json}
      - bodyContains: thanks
    countHeader: x-revision
stages:
  - name: calm
    schedule: {constant: {rate: 5, duration: 10s}}
  - name: spike
    schedule: {trace: {file: trace.csv, unit: second}}
burst: 10
thresholds:
  - p99 < 250ms
  - stages.spike.lost == 0
  - targets.order.failed == 0
  - timeToZero < 40s
observe: {ebbtide: "http://127.0.0.1:8081/"}
outputs: {folder: out, html: page.html}
validity: {latenessP99: 500us}
workers: 2
"#;

#[test]
fn a_scenario_becomes_a_plan() {
    let prepared = load_text(WHOLE).unwrap_or_else(|error| panic!("{error}"));
    let plan = prepared.plan;
    assert_eq!(
        (plan.name.as_str(), plan.seed, plan.workers.get()),
        ("all of it", 7, 2)
    );
    assert_eq!(plan.validity.lateness_p99, Duration::from_micros(500));
    let stages: Vec<_> = plan
        .stages
        .iter()
        .map(|stage| {
            (
                stage.name.as_str(),
                stage.from.as_secs(),
                stage.until.as_secs(),
            )
        })
        .collect();
    assert_eq!(stages, [("calm", 0, 10), ("spike", 10, 12)]);
    let Load::Open {
        burst: 10,
        schedule: Some(schedule),
    } = plan.load
    else {
        panic!("{:?}", plan.load);
    };
    let times: Vec<_> = schedule.collect();
    assert_eq!(times[..3], [0, 200, 400].map(Duration::from_millis));
    assert!(times.len() > 50, "{}", times.len());
    assert_eq!(prepared.expected_requests, Some(75.0));
    assert_eq!(
        prepared.load,
        "10 requests at once, then calm: constant 5/s for 10s; spike: trace trace.csv for 2s"
    );
    assert_eq!(prepared.thresholds.len(), 4);
    let observe = prepared.observe.unwrap();
    assert_eq!(
        observe.what,
        Observed::Ebbtide("http://127.0.0.1:8081".into())
    );
    assert_eq!(observe.after, Duration::from_mins(2), "for timeToZero");
    assert_eq!(prepared.outputs.json, Some("out/report.json".into()));
    assert_eq!(prepared.outputs.html, Some("page.html".into()));
}

#[test]
fn targets_have_what_was_written() {
    let plan = load_text(WHOLE).unwrap().plan;
    let [home, order] = &plan.targets[..] else {
        panic!()
    };
    let http = home.kind.http().unwrap();
    assert_eq!(
        (home.name.as_str(), home.share, home.timeout.as_secs()),
        ("home", 3.0, 300)
    );
    assert_eq!(http.authority, "hello.localhost:8080");
    assert_eq!(http.address, "127.0.0.1:8080".parse().unwrap());
    assert!(matches!(&http.path, crate::plan::Template::Pieces(pieces) if pieces.len() == 4));
    assert!(matches!(http.connections, Connections::Pool(most) if most.get() == 10_000));
    let names: Vec<_> = http.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["user-agent", "accept"]);

    let http = order.kind.http().unwrap();
    assert_eq!(
        (http.authority.as_str(), http.method.as_str()),
        ("shop.example", "POST")
    );
    assert_eq!(http.version, Version::Http2);
    assert!(matches!(http.connections, Connections::PerRequest(most) if most.get() == 50));
    let tls = http.tls.as_ref().unwrap();
    assert_eq!(
        (tls.server_name.as_str(), tls.insecure),
        ("127.0.0.1", true)
    );
    let names: Vec<_> = http.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        ["user-agent", "x-request", "accept", "accept", "x-number"]
    );
    // A file is sent as it is.
    assert!(
        matches!(&http.body, crate::plan::Template::Fixed(body) if body.starts_with(b"{\"a\": \"${uuid}"))
    );
    let [
        Check::Status(ranges),
        Check::Header(_, None),
        Check::Header(_, Some(_)),
        Check::BodyContains(_),
    ] = &order.checks[..]
    else {
        panic!("{:?}", order.checks);
    };
    assert_eq!(ranges[..], [(200, 299), (304, 304)]);
}

#[test]
fn a_closed_loop_is_one_and_says_so() {
    let prepared = load_text(
        "targets: [{url: http://localhost/}]\nclosed: {clients: 4, duration: 2s, pause: 10ms}\n",
    )
    .unwrap();
    assert!(matches!(prepared.plan.load, Load::Closed { clients, .. } if clients.get() == 4));
    assert_eq!(
        prepared.load,
        "closed loop of 4 clients that pause 10ms for 2s"
    );
    // The file's name, and that of the only target.
    assert_eq!(
        (
            prepared.plan.name.as_str(),
            prepared.plan.targets[0].name.as_str()
        ),
        ("run", "main")
    );
}

const TARGET: &str = "targets: [{url: http://localhost/}]\n";
const SCHEDULE: &str = "schedule: {constant: {rate: 5, duration: 1s}}\n";

#[test]
fn what_is_wrong_has_its_file_line_and_field() {
    for (text, expected) in [
        (
            "",
            "run.yaml:1:1: the file is empty: a scenario has `targets` and a `schedule`",
        ),
        ("a: [", "run.yaml:1:"),
        ("- 1\n", "run.yaml:1:1: "),
        (SCHEDULE, "run.yaml:1:1: `targets` is missing"),
        (
            "targets: []\nschedule: {constant: {rate: 5, duration: 1s}}\n",
            "run.yaml:1:10: targets: there must be at least one target",
        ),
        (
            "targets: [{url: http://localhost/}]\n",
            "run.yaml:1:1: schedule: it is missing: a run has a `schedule`, `stages`, a `burst` or a `closed` loop",
        ),
        (
            "targets:\n  - url: http://localhost/\n    tiemout: 5s\n",
            "run.yaml:3:5: targets[0].tiemout: `tiemout` is no field here; did you mean `timeout`? (there are name, share, timeout, ",
        ),
        (
            "targets:\n  - url: http://localhost/\n    timeout: 5\n",
            "run.yaml:3:14: targets[0].timeout: ",
        ),
        (
            "targets:\n  - url: http://localhost/\n    version: http3\n",
            "run.yaml:3:14: targets[0].version: `http3` is no choice here; did you mean `http1`?",
        ),
        (
            "targets:\n  - url: http://localhost/\n    connections: {pol: 5}\n",
            "run.yaml:3:18: targets[0].connections: write a number of connections, {pool: 100}",
        ),
        (
            "targets:\n  - url: http://localhost/\n    checks: [{stats: 5}]\n",
            "run.yaml:3:15: targets[0].checks[0]: `stats` is no choice here; did you mean `status`? (there are status, header, bodyContains)",
        ),
        (
            "targets:\n  - url: http://localhost/\n    headers: {a: {b: c}}\n",
            "run.yaml:3:18: targets[0].headers.a: invalid type: map, expected the value of a header",
        ),
        (
            "targets:\n  - url: http://localhost/\n    headers: {a: 1.50}\n",
            "run.yaml:3:18: targets[0].headers.a: write the number in quotes",
        ),
        (
            "targets: [{url: http://localhost/}]\nschedule: {constant: {rate: 5}}\n",
            "run.yaml:2:23: schedule.constant: `duration` is missing",
        ),
        (
            "targets: [{url: http://localhost/}]\nschedule:\n  constant: {rate: -5, duration: 1s}\n",
            "run.yaml:3:20: schedule.constant.rate: the rate -5 is not possible",
        ),
        (
            "targets: [{url: http://localhost/}]\nschedule:\n  trace: {file: none.csv, unit: second}\n",
            "run.yaml:3:17: schedule.trace.file: cannot read none.csv: ",
        ),
        ("a: 1\n---\nb: 2\n", "run.yaml:1:1: a: `a` is no field here"),
    ] {
        let found = errors(text);
        assert!(found.starts_with(expected), "{text}\n{found}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let found = errors(
        r#"
targets:
  - name: a
    url: ftp://x/
    method: "G T"
  - name: a
    url: http://localhost/${uid}
    host: "a b"
    share: 0
    timeout: 0s
    headers: {host: x, "a b": c, d: "${e}"}
    connections: 0
    tls: {insecure: true}
    checks: [{status: 99}, {status: 299-200}, {header: {a: b, c: d}}, {bodyContains: ""}]
    countHeader: "a b"
  - url: http://localhost/
stages:
  - name: one
    schedule: {constant: {rate: 5, duration: 0s}}
  - name: one
    schedule: {constant: {rate: 5, duration: 1s}}
thresholds: ["p99 < 5", "targets.c.p99 < 5ms", "flaps == 0", stages.one.p99 < 5ms]
validity: {latenessP99: 0s}
workers: 0
"#,
    );
    let expected = [
        "run.yaml:4:10: targets[0].url: `ftp://x/`: a URL starts with http://, https://",
        "run.yaml:5:13: targets[0].method: a method is one word",
        "run.yaml:6:11: targets[1].name: `a` is there already",
        "run.yaml:7:10: targets[1].url: at character 18: `uid` is not known; did you mean `uuid`?",
        "run.yaml:8:11: targets[1].host: `a b` is not a host name",
        "run.yaml:9:12: targets[1].share: 0 is not possible",
        "run.yaml:10:14: targets[1].timeout: it must be longer than 0",
        "run.yaml:11:21: targets[1].headers.host: the Host header is set with `host`",
        "run.yaml:11:31: targets[1].headers.a b: `a b` is not the name of a header",
        "run.yaml:11:37: targets[1].headers.d: at character 1: `e` is not known",
        "run.yaml:12:18: targets[1].connections: it must be at least 1",
        "run.yaml:13:10: targets[1].tls: the URL is not https://",
        "run.yaml:14:14: targets[1].checks[0]: `99` is not a status code",
        "run.yaml:14:28: targets[1].checks[1]: `299-200`: write the lower status first",
        "run.yaml:14:47: targets[1].checks[2]: a check is of one header",
        "run.yaml:14:71: targets[1].checks[3]: every body contains nothing",
        "run.yaml:15:18: targets[1].countHeader: `a b` is not the name of a header",
        "run.yaml:16:5: targets[2]: `name` is missing",
        "run.yaml:19:46: stages[0].schedule.constant.duration: it should be longer than 0",
        "run.yaml:20:11: stages[1].name: `one` is there already",
        "run.yaml:22:14: thresholds[0]: `5` should be a number followed by its unit",
        "run.yaml:22:25: thresholds[1]: `targets.c.p99 < 5ms`: there is no target `c`",
        "run.yaml:22:48: thresholds[2]: `flaps == 0`: `flaps` is known only if the autoscaler is followed",
        "run.yaml:23:25: validity.latenessP99: it must be longer than 0",
        "run.yaml:24:10: workers: it must be at least 1",
    ];
    let lines: Vec<_> = found
        .lines()
        .filter(|line| line.starts_with("run.yaml"))
        .collect();
    for (line, expected) in lines.iter().zip(expected) {
        assert!(
            line.starts_with(expected),
            "{line}\n{expected}\nin\n{found}"
        );
    }
    assert_eq!(lines.len(), expected.len(), "{found}");
}

#[test]
fn a_queue_is_a_target() {
    let text = "targets:
  - name: orders
    queue: {redis: {url: redis://u:hunter2@127.0.0.1/0, list: orders}}
    body: order ${sequence}
    timeout: 1m
  - name: other
    queue: {rabbitmq: {url: {env: NOT_SET_ANYWHERE}, queue: q, completed: done}}
  - name: log
    queue: {redisStreams: {url: {file: not-there}, stream: log}}
burst: 1
thresholds: [queues.orders.failed == 0, queues.other.repeated == 0, queues.log.enqueueTime.p99 < 1s]
";
    let plan = load_text(text).unwrap_or_else(|error| panic!("{error}"));
    let plan = plan.plan;
    let found: Vec<_> = (plan.targets.iter())
        .map(|target| match &target.kind {
            TargetKind::Queue(queue) => (queue.broker.in_words(), queue.completed.clone()),
            _ => panic!("{target:?}"),
        })
        .collect();
    let expected = [
        ("Redis list orders", "orders-completed"),
        ("RabbitMQ queue q", "done"),
        ("Redis stream log", "log-completed"),
    ];
    let expected = expected.map(|(words, completed)| (words.to_owned(), completed.to_owned()));
    assert_eq!(found, expected);
    assert!(!format!("{plan:?}").contains("hunter2"));
}

#[test]
fn what_a_queue_cannot_have_is_said() {
    let redis = "queue: {redis: {url: redis://localhost, list: a}}";
    for (targets, expected) in [
        (
            format!("[{{{redis}, url: http://localhost/}}]"),
            "targets[0]: a target has a `url` or a `queue`, not both",
        ),
        (
            format!("[{{{redis}, method: POST}}]"),
            "targets[0].method: a queue has none: remove it",
        ),
        (
            format!("[{{{redis}, checks: [{{status: 200}}]}}]"),
            "targets[0].checks: a queue has none: remove it",
        ),
        (
            "[{queue: {redis: {url: 'http://x:hunter2@localhost', list: a}}}]".to_owned(),
            "targets[0].queue.redis.url: it does not begin with redis://",
        ),
        (
            format!("[{{{redis}, tls: {{insecure: true}}}}]"),
            "targets[0].tls: the connection to the broker is without TLS",
        ),
        (
            "[{queue: {redis: {url: 'rediss://localhost', list: a}}, tls: {ca: none.pem}}]"
                .to_owned(),
            "targets[0].tls.ca: cannot read authorities (PEM) from none.pem",
        ),
        (
            "[{queue: {redis: {url: 'redis://localhost', list: ''}}}]".to_owned(),
            "targets[0].queue.redis.list: it is empty",
        ),
        (
            "[{queue: {rabbitmq: {url: 'amqp://localhost', queue: a, completed: a}}}]".to_owned(),
            "targets[0].queue.rabbitmq.completed: it is another one, which has a name",
        ),
        (
            "[{queue: {natsJetstream: {url: 'nats://localhost', subject: 'a b'}}}]".to_owned(),
            "targets[0].queue.natsJetstream.subject: `a b` is not a subject",
        ),
        (
            "[{queue: {rabbit: {url: 'amqp://localhost', queue: a}}}]".to_owned(),
            "`rabbit` is no choice here",
        ),
        (
            "[{queue: {redis: {url: {variable: A}, list: a}}}]".to_owned(),
            "write the text, {env: VARIABLE} or {file: PATH}",
        ),
        (
            format!("[{{name: one, {redis}}}, {{name: two, {redis}}}]"),
            "targets[1].queue: its completions would come through the same place as those of `one`",
        ),
    ] {
        let found = errors(&format!("targets: {targets}\nburst: 1\n"));
        assert!(found.contains(expected), "{targets}\n{found}");
        assert!(!found.contains("hunter2"), "{found}");
    }
}

#[test]
fn what_would_fail_at_the_start_of_a_run_is_said_before() {
    let queue = "queue: {redis: {url: redis://localhost, list: a}}";
    for (text, expected) in [
        (
            format!("targets: [{{name: a, url: http://localhost/}}, {{name: b, {queue}}}]\nworkers: 2\n"),
            "run.yaml:2:10: workers: 2 cannot load the queue `b`: one worker does, which reads all completions; \
             remove `workers`",
        ),
        (
            "targets: [{name: a, url: http://localhost/}, {name: b, url: ws://localhost/, connections: {fixed: 3}}]\n\
             workers: 4\n"
                .to_owned(),
            "run.yaml:1:91: targets[1].connections: 3 are too few for 4 workers, each of which needs one of its own: \
             give the target 4 or more, or the run fewer workers",
        ),
        (
            format!("{TARGET}workers: 1025\n"),
            "workers: 1025 are too many, it must be at most 1024: each is a thread",
        ),
        (
            "targets: [{url: http://localhost/é}]\n".to_owned(),
            "targets[0].url: `/é` cannot be in a path: write it percent-encoded",
        ),
        (
            "targets: [{url: http://localhost/, host: me@localhost}]\n".to_owned(),
            "targets[0].host: `me@localhost` is not a host name",
        ),
        (
            "targets: [{url: https://localhost/, tls: {ca: body.json}}]\n".to_owned(),
            "targets[0].tls.ca: body.json has no certificate of an authority (PEM)",
        ),
        (
            "targets: [{url: https://localhost/, tls: {ca: not-there}}]\n".to_owned(),
            "targets[0].tls.ca: cannot read authorities (PEM) from not-there: ",
        ),
        (
            "targets: [{url: https://localhost/, tls: {serverName: a b}}]\n".to_owned(),
            "targets[0].tls.serverName: `a b` is no name that a certificate can have",
        ),
        (
            "targets: [{url: https://a..b/}]\n".to_owned(),
            "targets[0].url: `a..b` is no name that a certificate can have",
        ),
        (
            format!("{TARGET}outputs: {{folder: out, json: out/seconds.csv}}\n"),
            "outputs.csv: `outputs.json` is the same file: name another one",
        ),
    ] {
        let found = errors(&format!("{text}burst: 1\n"));
        assert_eq!(found.lines().count(), 1, "{found}");
        assert!(found.contains(expected), "{text}\n{found}");
    }
    let one = format!("targets: [{{{queue}, name: a}}]\nworkers: 1\nburst: 1\n");
    assert!(load_text(&one).is_ok());
}

#[test]
fn what_does_not_go_together_is_said() {
    for (rest, expected) in [
        (
            "closed: {clients: 1, duration: 1s}\nburst: 5\n",
            "a closed loop has no schedule",
        ),
        (
            "closed: {clients: 0, duration: 0s}\n",
            "closed.clients: it must be at least 1",
        ),
        ("burst: 0\n", "burst: it must be at least 1"),
        (
            "schedule: {constant: {rate: 0, duration: 1s}}\n",
            "schedule: no request would be sent",
        ),
        ("stages: []\n", "stages: there must be at least one stage"),
        (
            "burst: 1\nobserve: http://127.0.0.1:8081/api\n",
            "the status API is at http://HOST:PORT, without a path",
        ),
        (
            "burst: 1\nobserve: {kubernetes: {namespace: a, deployment: \"\"}}\n",
            "observe.kubernetes.deployment: it is empty",
        ),
        (
            "burst: 1\nobserve: {after: 5s}\n",
            "observe: one of `ebbtide` and `kubernetes`",
        ),
        (
            "burst: 1\nobserve: {ebbtid: a}\n",
            "observe: write the URL of Ebbtide's status API, {ebbtide: URL, after: 60s}, or {",
        ),
        (
            "schedule: {constant: {rate: 1, duration: 1s}}\nstages: [{name: a, schedule: {constant: {rate: 1, duration: 1s}}}]\n",
            "make the schedule a stage",
        ),
    ] {
        let found = errors(&format!("{TARGET}{rest}"));
        assert!(found.contains(expected), "{rest}\n{found}");
    }
    let both = "targets: [{url: http://localhost/, body: a, bodyFile: body.json}]\nburst: 1\n";
    assert!(
        errors(both)
            .contains("targets[0].bodyFile: a target has a `body` or a `bodyFile`, not both")
    );
    let missing = load(Path::new("/nonexistent/run.yaml"), Resolve::Nothing, |_| {});
    let missing = missing.unwrap_err().to_string();
    assert!(
        missing.starts_with("/nonexistent/run.yaml: cannot be read: "),
        "{missing}"
    );
}

/// The scenarios that come with Ebbtide, where they are and as they are.
#[test]
fn the_ready_scenarios_are_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests/load");
    let files = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|end| end == "yaml"))
        .collect();
    assert!(files.len() >= 8, "{files:?}");
    for file in files {
        let prepared =
            load(&file, Resolve::Nothing, |_| {}).unwrap_or_else(|error| panic!("{error}"));
        assert!(!prepared.thresholds.is_empty(), "{}", file.display());
        assert!(prepared.observe.is_some(), "{}", file.display());
        let schema = "# yaml-language-server: $schema=../../docs/loadgen-scenario.schema.json\n";
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with(schema), "{}", file.display());
        // What its head says to run is it.
        let command = format!(
            "loadgen run manifests/load/{}",
            file.file_name().unwrap().display()
        );
        assert!(text.contains(&command), "{}", file.display());
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "(targets|url|schedule|closed|[-:\\[\\]{},\n \"'&*!|]|\\PC){0,30}") {
        let _ = read::read("run.yaml", &text);
    }

    /// Lines left out or torn give errors with their place, or a scenario.
    #[test]
    fn a_torn_scenario_is_read_or_refused(line in 0..60_usize, cut in 0..40_usize) {
        let mut lines: Vec<&str> = WHOLE.lines().collect();
        let line = line % lines.len();
        lines[line] = lines[line].get(..cut.min(lines[line].len())).unwrap_or_default();
        if let Err(error) = load_text(&lines.join("\n")) {
            prop_assert!(error.0.iter().all(|placed| placed.position.is_some()), "{error}");
        }
    }
}

#[test]
fn targets_of_websockets_and_grpc_say_what_they_cannot_have() {
    let found = errors(
        r#"
targets:
  - name: talk
    url: ws://localhost/talk
    method: POST
    version: http2
    headers: {upgrade: x}
    webSocket: {answerContains: "${uuid}"}
  - name: page
    url: http://localhost/
    webSocket: {binary: true}
  - name: call
    url: http://localhost/path
    method: GET
    version: http1
    body: x
    grpc: {method: Take, message: {a: 1}, messages: 2}
  - name: missing
    url: https://localhost/
    grpc: {method: a.B/C, proto: none.proto}
burst: 1
"#,
    );
    for expected in [
        "run.yaml:5:13: targets[0].method: a WebSocket begins with GET",
        "run.yaml:6:14: targets[0].version: WebSockets are opened over HTTP/1.1",
        "targets[0].headers.upgrade: loadgen sends this header of the handshake itself",
        "targets[0].webSocket.answerContains: only ${sequence} is known here",
        "targets[1].webSocket: the URL is not ws:// or wss://",
        "targets[2].url: it has no path: `grpc.method` says what is called",
        "targets[2].method: gRPC sends POST",
        "targets[2].version: gRPC needs HTTP/2",
        "targets[2].body: what is sent is `grpc.message`",
        "targets[2].grpc.method: `Take` is no method",
        "targets[2].grpc.message: JSON needs `proto`",
        "targets[3].grpc.proto: `none.proto`",
    ] {
        assert!(found.contains(expected), "{expected}\n{found}");
    }
}
