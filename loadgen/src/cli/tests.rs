use std::time::Duration;

use clap::{CommandFactory as _, Parser};

use super::Cli;
use super::run::RunArgs;
use crate::plan::{Check, Connections, Load, Template, Version};
use crate::scenario::{Observe, Observed, Prepared};

#[derive(Debug, Parser)]
struct Run {
    #[command(flatten)]
    arguments: RunArgs,
}

fn prepare(arguments: &[&str]) -> anyhow::Result<Prepared> {
    let words = ["run"].iter().chain(arguments);
    Run::try_parse_from(words)?.arguments.prepare()
}

fn prepared(arguments: &str) -> Prepared {
    let words: Vec<_> = arguments.split_whitespace().collect();
    prepare(&words).unwrap_or_else(|error| panic!("{arguments}: {error:#}"))
}

fn fixed(template: &Template) -> &[u8] {
    match template {
        Template::Fixed(text) => text,
        Template::Pieces(pieces) => panic!("{pieces:?}"),
    }
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
    Run::command().debug_assert();
}

#[test]
fn flags_make_a_plan() {
    let prepared = prepared(
        "http://127.0.0.1:8080/work?ms=5 --host hello.localhost --rate 200 --duration 60s \
         --arrival poisson --seed 3 -X POST -H a:1 -H a:2 --header user-agent:me --body text \
         --connections 7 --check-status 200-299,404 --count-header x-revision --timeout 5s --http2 \
         --threshold p99<1s --observe http://127.0.0.1:8081 --observe-after 9s --workers 2 --out results --csv rows.csv",
    );
    let plan = prepared.plan;
    let http = plan.targets[0].kind.http();
    assert_eq!(fixed(&http.path), b"/work?ms=5");
    assert_eq!(
        (http.method.as_str(), http.authority.as_str()),
        ("POST", "hello.localhost")
    );
    assert_eq!(fixed(&http.body), b"text");
    let headers: Vec<_> = http
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), fixed(value)))
        .collect();
    let expected: [(&str, &[u8]); 4] = [
        ("accept", b"*/*"),
        ("a", b"1"),
        ("a", b"2"),
        ("user-agent", b"me"),
    ];
    assert_eq!(headers, expected);
    assert_eq!(http.version, Version::Http2);
    assert!(matches!(http.connections, Connections::Pool(most) if most.get() == 7));
    assert_eq!(http.count_header.as_ref().unwrap(), "x-revision");
    assert!(
        matches!(&plan.targets[0].checks[..], [Check::Status(codes)] if codes[..] == [(200, 299), (404, 404)])
    );
    assert_eq!(plan.targets[0].timeout, Duration::from_secs(5));
    assert_eq!((plan.workers.get(), plan.seed), (2, 3));
    let Load::Open {
        burst: 0,
        schedule: Some(schedule),
    } = plan.load
    else {
        panic!("{:?}", plan.load);
    };
    let count = schedule.count();
    assert!((11_500..12_500).contains(&count), "{count}");
    assert_eq!(prepared.load, "poisson 200/s for 1m");
    assert_eq!(prepared.thresholds[0].expression, "p99<1s");
    let expected = Observe {
        what: Observed::Ebbtide("http://127.0.0.1:8081".into()),
        after: Duration::from_secs(9),
    };
    assert_eq!(prepared.observe, Some(expected));
    assert_eq!(prepared.outputs.csv, Some("rows.csv".into()));
    assert_eq!(prepared.outputs.html, Some("results/report.html".into()));
}

#[test]
fn every_kind_of_load_and_of_connections_has_its_flags() {
    let load = |arguments: &str| prepared(&format!("http://localhost {arguments}"));
    let burst = load("--burst 5");
    assert!(matches!(
        burst.plan.load,
        Load::Open {
            burst: 5,
            schedule: None
        }
    ));
    assert_eq!(burst.load, "5 requests at once");
    let closed = load("--closed 16 --duration 2s");
    assert!(matches!(closed.plan.load, Load::Closed { clients, .. } if clients.get() == 16));
    assert_eq!(closed.load, "closed loop of 16 clients for 2s");
    let gamma = load("--rate 50 --duration 1s --arrival gamma --burstiness 4");
    assert_eq!(gamma.load, "gamma 50/s of burstiness 4 for 1s");
    for (flags, shown) in [
        ("", "Pool(10000)"),
        ("--connections-per-request", "PerRequest(10000)"),
        ("--connections-per-request --connections 9", "PerRequest(9)"),
        ("--fixed-connections 16", "Fixed(16)"),
    ] {
        let prepared = load(&format!("--burst 1 {flags}"));
        let http = prepared.plan.targets[0].kind.http();
        assert_eq!(format!("{:?}", http.connections), shown, "{flags}");
    }
    let kubernetes = load("--burst 1 --observe-kubernetes default/hello");
    let expected = Observed::Kubernetes {
        namespace: "default".into(),
        deployment: "hello".into(),
    };
    assert_eq!(kubernetes.observe.unwrap().what, expected);
}

/// Arguments, and what their error has.
const WRONG_FLAGS: &[(&str, &str)] = &[
    (
        "http://localhost",
        "--rate with --duration, --burst, or --closed",
    ),
    ("http://localhost --rate 5", "--duration"),
    (
        "http://localhost --duration 5s",
        "--rate with --duration, --burst, or --closed",
    ),
    ("http://localhost --closed 5", "--duration"),
    (
        "http://localhost --closed 0 --duration 1s",
        "--closed: it must be at least 1",
    ),
    (
        "http://localhost --closed 5 --rate 5 --duration 1s",
        "cannot be used with",
    ),
    ("http://localhost --rate x --duration 5s", "invalid float"),
    (
        "http://localhost --rate 5 --duration 5",
        "followed by its unit",
    ),
    (
        "http://localhost --rate -1 --duration 5s",
        "unexpected argument",
    ),
    (
        "http://localhost --rate NaN --duration 5s",
        "--rate: the rate NaN is not possible",
    ),
    (
        "http://localhost --rate 0 --duration 5s",
        "no request would be sent",
    ),
    (
        "http://localhost --rate 5 --duration 0s",
        "--duration: it should be longer than 0",
    ),
    (
        "http://localhost --rate 5 --duration 1s --burstiness 5",
        "--burstiness is for --arrival gamma",
    ),
    (
        "http://localhost --rate 5 --duration 1s --arrival gamma",
        "needs --burstiness",
    ),
    (
        "http://localhost --burst 0",
        "--burst: it must be at least 1",
    ),
    (
        "http://localhost --burst 1 --connections 0",
        "--connections: it must be at least 1",
    ),
    (
        "http://localhost --burst 1 --workers 0",
        "--workers: it must be at least 1",
    ),
    (
        "http://localhost --burst 1 --timeout 0s",
        "--timeout: it must be longer than 0",
    ),
    ("http://localhost --burst 1 -H nocolon", "name: value"),
    (
        "http://localhost --burst 1 -H host:a",
        "--header: the Host header is set with `host`",
    ),
    (
        "http://localhost --burst 1 -H a:${b}",
        "--header: at character 1: `b` is not known",
    ),
    (
        "http://localhost --burst 1 --body-file /nonexistent/body",
        "--body-file: cannot read `/nonexistent/body`",
    ),
    (
        "http://localhost --burst 1 --body a --body-file b",
        "cannot be used with",
    ),
    (
        "http://localhost --burst 1 --insecure",
        "--ca or --insecure: the URL is not https://",
    ),
    (
        "http://localhost --burst 1 --check-status 20",
        "--check-status: `20` is not a status code",
    ),
    ("http://localhost --burst 1 --threshold p99<5", "      ^"),
    (
        "http://localhost --burst 1 --threshold flaps==0",
        "--threshold: `flaps==0`: `flaps` is known only if",
    ),
    (
        "http://localhost --burst 1 --observe ftp://x",
        "--observe: `ftp://x`: a URL starts with",
    ),
    (
        "http://localhost --burst 1 --observe-kubernetes hello",
        "NAMESPACE/DEPLOYMENT",
    ),
    (
        "ftp://localhost --burst 1",
        "URL: `ftp://localhost`: a URL starts with http://",
    ),
    (
        "localhost:8080 --burst 1",
        "--burst cannot be used with a scenario file",
    ),
    (
        "localhost:8080",
        "a URL starts with http://: http://localhost:8080",
    ),
    (
        "/nonexistent/run.yaml",
        "/nonexistent/run.yaml: cannot be read",
    ),
    (
        "run.yaml --rate 5 --duration 5s -H a:b",
        "--rate, --duration, --header cannot be used with a scenario file: write it into run.yaml",
    ),
];

#[test]
fn what_is_wrong_is_said_with_its_flag() {
    for (arguments, reason) in WRONG_FLAGS.iter().copied() {
        let words: Vec<_> = arguments.split(' ').collect();
        let error = match prepare(&words) {
            Ok(_) => panic!("accepted: {arguments}"),
            Err(error) => format!("{error:#}"),
        };
        assert!(error.contains(reason), "{arguments}: {error}");
    }
}

#[test]
fn flags_beside_a_scenario_go_first() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("run.yaml");
    let text = "seed: 1\ntargets: [{url: http://localhost/}]\nburst: 1\nthresholds: [lost == 0]\nworkers: 3\n";
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let prepared = prepared(&format!(
        "{file} --seed 5 --threshold p99<1s --json out.json"
    ));
    assert_eq!((prepared.plan.seed, prepared.plan.workers.get()), (5, 3));
    assert_eq!(prepared.thresholds.len(), 2);
    assert_eq!(prepared.outputs.json, Some("out.json".into()));
}
