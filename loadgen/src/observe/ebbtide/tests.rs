//! Against what an Ebbtide sent, and against stand-ins for it that break.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use tokio::sync::watch;

use super::*;
use crate::clock::RunClock;
use crate::observe::model::Observation;
use crate::observe::stream::Parser;
use crate::observe::{Follower, start};
use crate::report::fixture;
use crate::scenario::Observed;
use crate::timeline;

/// The events of an Ebbtide that was asked for `hello` by 20 requests a second for 6 s, from zero. Before each there is
/// a comment with the seconds after which it came. Of the lists of apps those that change nothing here are left out.
const RECORDED: &str = include_str!("recorded.sse");
/// When the recording was begun.
const BEGUN: &str = "2026-11-27T16:57:31.362Z";

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn ebbtide(hosts: &[&str]) -> Ebbtide {
    let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
    let clocks = Clocks {
        clock: RunClock::start(),
        started: BEGUN.parse().unwrap(),
    };
    Ebbtide::new("http://127.0.0.1:8081", &hosts, clocks).unwrap()
}

fn collector() -> Collector {
    Collector::new(watch::Sender::new(Observation::default()))
}

/// The recorded events, and when they came.
fn recorded() -> Vec<(Duration, ServerEvent)> {
    let times = (RECORDED.lines()).filter_map(|line| line.strip_prefix(": "));
    let times = times.map(|seconds| Duration::from_secs_f64(seconds.parse().unwrap()));
    let mut events = Vec::new();
    let mut parser = Parser::new(100_000);
    parser.push(RECORDED.as_bytes(), &mut events).unwrap();
    times.zip(events).collect()
}

fn event(name: &str, data: &str) -> ServerEvent {
    ServerEvent {
        name: name.to_owned(),
        data: data.to_owned(),
    }
}

fn decision(time: &str) -> ServerEvent {
    let data = format!(
        r#"{{"time": "{time}", "app": "hello", "revision": "hello--blue", "replica": null,
            "reason": "Decision", "message": "hello--blue 0 → 1: 1 request waits"}}"#
    );
    event("event", &data)
}

#[test]
fn what_an_ebbtide_sent_gives_the_figures_of_its_run() {
    let mut ebbtide = ebbtide(&["hello.localhost:28080"]);
    let mut collector = collector();
    for (at, event) in recorded() {
        ebbtide.take_in(at, &event, &mut collector).unwrap();
    }
    let observation = collector.finish(millis(20_000)).counted_from(millis(1900));
    assert_eq!(observation.warnings, [""; 0]);
    assert_eq!(observation.gaps, []);
    let weights = [("hello--blue", 80.0), ("hello--green", 20.0)];
    let weights = weights.map(|(name, weight)| (name.to_owned(), weight));
    assert_eq!(observation.weights, weights.into());
    assert_eq!(observation.samples[0].at, Duration::ZERO);
    assert_eq!(observation.events[0].at, millis(62));

    let mut recording = fixture::recording();
    recording.elapsed = millis(6100);
    let joined = timeline::join(&observation, &recording, millis(50));
    let figures = joined.figures;
    // From 33.312 to 33.735 by its clock, where the event says so; the list of apps came at 33.915.
    assert_eq!(figures.time_to_first_replica_seconds, Some(0.423));
    // Green, from 33.396 to 33.812.
    assert_eq!(figures.time_to_target_seconds, Some(0.416));
    assert_eq!(figures.time_to_zero_seconds, Some(10.927));
    // Each of the two went up, and down within a minute.
    assert_eq!((figures.most_ready, figures.flaps), (2, 2));
    let ready = |second: usize| joined.seconds[second].replicas.ready;
    assert_eq!([ready(0), ready(15), ready(16), ready(17)], [2, 2, 0, 0]);
    assert_eq!(joined.seconds.len(), 19);
    assert_eq!(joined.events.len(), 12);
}

#[test]
fn only_apps_that_the_load_goes_to_are_taken_in() {
    let other = RECORDED.replace("hello", "other");
    let mut events = Vec::new();
    Parser::new(100_000)
        .push(other.as_bytes(), &mut events)
        .unwrap();
    let both = |name: &str| {
        let [one, other] = [&recorded()[0].1, &events[0]].map(|event| {
            let list = event.data.strip_prefix("{\"value\":[").unwrap();
            list.strip_suffix("]}").unwrap().to_owned()
        });
        event(name, &format!("{{\"value\":[{one},{other}]}}"))
    };
    let mut ebbtide = ebbtide(&["hello---green.localhost"]);
    let mut collector = collector();
    ebbtide
        .take_in(millis(0), &both("apps"), &mut collector)
        .unwrap();
    for event in &events {
        if event.name == "event" {
            ebbtide.take_in(millis(1), event, &mut collector).unwrap();
        }
    }
    let observation = collector.finish(millis(2));
    let revisions: Vec<_> = observation
        .samples
        .iter()
        .map(|sample| &sample.revision)
        .collect();
    assert_eq!(revisions, ["hello--blue", "hello--green"]);
    assert_eq!(observation.events, []);
}

#[test]
fn an_event_has_its_own_time_unless_the_clocks_are_apart() {
    let cases = [
        ("2026-11-27T16:57:32.362Z", 1500, 1000, false),
        ("2026-11-27T16:57:32.362Z", 700, 1000, false),
        ("2026-11-27T16:57:31.000Z", 100, 0, false),
        ("2026-11-27T17:57:32.362Z", 1500, 1500, true),
        ("2026-11-27T16:57:32.362Z", 2001, 2001, true),
        ("2026-11-27T16:57:22.362Z", 1500, 1500, true),
    ];
    for (time, arrived, expected, warned) in cases {
        let (mut ebbtide, mut collector) = (ebbtide(&[]), collector());
        for _ in 0..2 {
            let taken = ebbtide.take_in(millis(arrived), &decision(time), &mut collector);
            assert!(!taken.unwrap(), "it is no list of apps");
        }
        let observation = collector.finish(millis(5000));
        assert_eq!(
            observation.events[1].at,
            millis(expected),
            "{time} at {arrived}"
        );
        assert_eq!(
            observation.warnings.len(),
            usize::from(warned),
            "{time} at {arrived}"
        );
    }
}

#[test]
fn events_that_were_missed_are_a_gap_and_others_are_passed_over() {
    let (mut ebbtide, mut collector) = (ebbtide(&[]), collector());
    ebbtide.heard = millis(700);
    ebbtide
        .take_in(millis(900), &event("missed", "3"), &mut collector)
        .unwrap();
    ebbtide
        .take_in(millis(900), &event("new", "[]"), &mut collector)
        .unwrap();
    let gaps = collector.finish(millis(1000)).gaps;
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].from, gaps[0].until), (millis(700), millis(900)));
    assert_eq!(
        gaps[0].because,
        "3 events were lost, since they were not read in time"
    );
}

#[test]
fn what_cannot_be_read_is_an_error_that_says_where() {
    for (name, data, expected) in [
        (
            "apps",
            r#"{"value": [{"name": 1}]}"#,
            "`apps` that cannot be read: value[0].name: ",
        ),
        (
            "apps",
            r#"{"value": [{"name": "a"}]}"#,
            "value[0]: missing field `revisions`",
        ),
        (
            "event",
            r#"{"time": "now"}"#,
            "`event` that cannot be read: time: ",
        ),
        ("missed", "many", "`missed` that cannot be read: "),
    ] {
        let taken = ebbtide(&[]).take_in(millis(0), &event(name, data), &mut collector());
        let error = taken.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

/// A stand-in that gives each connection one of these answers, and closes it; the last is kept open.
struct StandIn {
    url: String,
    thread: JoinHandle<Vec<String>>,
}

const HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";

fn stand_in(answers: Vec<String>) -> StandIn {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let answer = |answer: String| {
            let (mut stream, _) = listener.accept().unwrap();
            let request = request(&stream);
            stream.write_all(answer.as_bytes()).unwrap();
            (request, stream)
        };
        let mut served: Vec<_> = Vec::new();
        let count = answers.len();
        for (position, text) in answers.into_iter().enumerate() {
            let (request, stream) = answer(text);
            served.push((request, (position + 1 == count).then_some(stream)));
        }
        let (requests, streams): (Vec<_>, Vec<_>) = served.into_iter().unzip();
        // Until the follower has gone.
        for stream in streams.into_iter().flatten() {
            BufReader::new(stream)
                .lines()
                .map_while(Result::ok)
                .for_each(drop);
        }
        requests
    });
    StandIn { url, thread }
}

fn request(stream: &TcpStream) -> String {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let lines = lines.take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

async fn follow(url: &str) -> Result<Follower, ObserveError> {
    start(
        &Observed::Ebbtide(url.to_owned()),
        &["hello.localhost".to_owned()],
    )
    .await
}

async fn seen(follower: &Follower, what: impl FnMut(&Observation) -> bool) {
    let mut watching = follower.watch();
    let seen = timeout(Duration::from_mins(2), watching.wait_for(what)).await;
    seen.expect("it is seen in the end").unwrap();
}

#[tokio::test]
async fn a_connection_that_breaks_is_made_again_and_leaves_a_gap() {
    let half = RECORDED.find(": 2.553").unwrap();
    let answers = [&RECORDED[..half], &RECORDED[half..]].map(|part| format!("{HEAD}{part}"));
    let server = stand_in(answers.into());
    let follower = follow(&server.url).await.unwrap();
    // The last list of apps comes after the last event; only then is all of it seen.
    seen(&follower, |seen| {
        seen.events.len() == 12 && seen.gaps.len() == 1 && seen.is_at_zero()
    })
    .await;
    let observation = follower.finish(RunClock::start()).unwrap();
    assert!(observation.is_at_zero());
    // All that came before the run is left out, but for the state at its start.
    assert_eq!(observation.samples.len(), 2);
    assert_eq!((observation.events.len(), observation.gaps.len()), (0, 0));
    assert_eq!(observation.source, server.url);
    let requests = server.thread.join().unwrap();
    assert_eq!(requests.len(), 2);
    let host = server.url.strip_prefix("http://").unwrap();
    let expected = format!("GET /api/v1/events HTTP/1.1\nhost: {host}\naccept: text/event-stream");
    assert_eq!(requests[0], expected);
}

#[tokio::test]
async fn a_follower_that_lost_it_says_so_from_then_on() {
    let server = stand_in(vec![
        format!("{HEAD}{RECORDED}"),
        format!("{HEAD}event: apps\ndata: {{}}\n\n"),
        "HTTP/1.1 503 No\r\n\r\n".to_owned(),
    ]);
    let run = RunClock::start();
    let follower = follow(&server.url).await.unwrap();
    // It has asked three times when the stand-in ends: no condition of the follower tells that.
    let joined = tokio::task::spawn_blocking(|| server.thread.join().unwrap());
    assert_eq!(joined.await.unwrap().len(), 3);
    let observation = follower.finish(run).unwrap();
    assert_eq!(observation.gaps.len(), 1, "{:?}", observation.gaps);
    let gap = &observation.gaps[0];
    assert!(gap.because.ends_with("it was closed"), "{}", gap.because);
    assert_eq!(gap.until, observation.until);
}

#[tokio::test]
async fn what_cannot_be_followed_is_refused_before_the_run() {
    let problem = "HTTP/1.1 421 No\r\ncontent-type: application/problem+json\r\ncontent-length: 34\r\n\r\n\
                   {\"detail\":\"this is not x.example\"}";
    for (answer, expected) in [
        (problem, "refuses (421): this is not x.example"),
        (
            "HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 0\r\n\r\n",
            "is not the status API of Ebbtide: it answers 404 Not Found with text/plain to GET",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "it answers 200 OK with no content type to GET",
        ),
        (
            "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\nevent: apps\ndata: []\n\n",
            "sent an event `apps` that cannot be read",
        ),
        ("SSH-2.0-nobody\r\n", "the connection to"),
    ] {
        let server = stand_in(vec![answer.to_owned()]);
        let error = follow(&server.url).await.unwrap_err().to_string();
        assert!(
            error.contains(expected) && error.contains(&server.url),
            "{error}"
        );
    }
    let nobody = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = follow(&format!("http://{nobody}"))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("is `ebbtide up` running"), "{error}");
}

#[cfg(not(feature = "kubernetes"))]
#[tokio::test]
async fn a_program_without_kubernetes_says_how_to_build_one_with_it() {
    let what = Observed::Kubernetes {
        namespace: "default".to_owned(),
        deployment: "hello".to_owned(),
    };
    let error = start(&what, &[]).await.unwrap_err().to_string();
    assert!(error.contains("--features kubernetes"), "{error}");
}
