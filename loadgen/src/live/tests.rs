//! The view on terminals of several sizes, and how it ends.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tokio::sync::watch;

use super::screen::{Action, action, show};
use super::state::{Scaling, State};
use super::{Judge, Judged, Sources, plain, view};
use crate::observe::model::{Event as Seen, Observation, Replicas, Sample};
use crate::record::recording::Live;
use crate::report::fixture;
use crate::report::make::interim;
use crate::report::tests::snapshot;
use crate::threshold::Threshold;

fn observation() -> Observation {
    let sample = |at, revision: &str, (desired, ready, starting, draining)| Sample {
        at: Duration::from_secs(at),
        revision: revision.to_owned(),
        replicas: Replicas {
            desired,
            ready,
            starting,
            draining,
        },
        waiting: Some(at),
        queues: BTreeMap::from([("orders".to_owned(), 20.5)]),
    };
    let decision = |at, message: &str| Seen {
        at: Duration::from_secs(at),
        reason: "Decision".to_owned(),
        revision: Some("hello--blue".to_owned()),
        replica: None,
        message: message.to_owned(),
    };
    Observation {
        samples: vec![
            sample(0, "hello--blue", (0, 0, 0, 0)),
            sample(0, "hello--green", (1, 1, 0, 1)),
            sample(11, "hello--blue", (6, 4, 2, 0)),
        ],
        events: vec![
            decision(1, "hello--blue 0 → 1: activated by a request"),
            decision(
                12,
                "hello--blue 4 → 6: http 61.0 / 10 = 7; at most 6 (maxReplicas)",
            ),
        ],
        ..Observation::default()
    }
}

fn judge() -> Judge {
    Box::new(|live| {
        let report = interim(&fixture::head(), live).unwrap();
        let so_far = |expression| {
            let threshold = Threshold::parse(expression).unwrap();
            Judged::SoFar(threshold.evaluate(&report))
        };
        vec![
            so_far("p99 < 1s"),
            Judged::AtTheEnd("flaps == 0".to_owned()),
            so_far("lost == 0"),
        ]
    })
}

/// What is shown of the fixture's thirteenth second, everything known.
fn state() -> State {
    let (live, watched) = watch::channel(fixture::live(12));
    let (_seen, observation) = {
        let (seen, watched) = watch::channel(Observation::default());
        seen.send_replace(observation());
        (seen, watched)
    };
    let mut state = State::new(Sources {
        head: fixture::head(),
        live: watched,
        observation: Some(observation),
        judge: Some(judge()),
    });
    live.send_replace(fixture::live(13));
    assert_eq!(state.refresh(), Some(true));
    state
}

fn drawn(state: &State, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| view::draw(frame, state)).unwrap();
    terminal.backend().to_string()
}

#[test]
fn the_view_is_as_committed() {
    let state = state();
    for (width, height) in [(80, 24), (120, 34), (38, 9)] {
        let name = format!("live-{width}x{height}.txt");
        snapshot(&name, drawn(&state, width, height).as_bytes());
    }
}

#[test]
fn no_size_is_too_small_and_no_state_too_empty() {
    let (_live, watched) = watch::channel(Live {
        at: Duration::ZERO,
        until: None,
        seconds: Vec::new(),
        ..fixture::live(0)
    });
    let empty = State::new(Sources {
        head: fixture::head(),
        live: watched,
        observation: None,
        judge: None,
    });
    let full = state();
    for state in [&empty, &full] {
        for (width, height) in [
            (1, 1),
            (3, 2),
            (72, 13),
            (73, 16),
            (300, 5),
            (20, 80),
            (400, 100),
        ] {
            drawn(state, width, height);
        }
    }
}

#[test]
fn a_line_says_the_same() {
    assert_eq!(
        plain::line(&state()),
        "0:13 of 1:00: 4,407 sent, 4,404 answered, 7 failed, 0 outstanding, p99 365 ms, 5 of 7 replicas ready"
    );
}

#[test]
fn the_last_of_each_revision_counts() {
    let scaling = Scaling::of(&observation());
    assert_eq!(scaling.replicas["hello--blue"].ready, 4);
    assert_eq!((scaling.waiting, scaling.queued), (Some(11), Some(41.0)));
    assert!(scaling.decision.unwrap().starts_with("hello--blue 4 → 6"));
}

#[test]
fn keys_that_end_the_run() {
    let key = |code, modifiers| action(&Event::Key(KeyEvent::new(code, modifiers)));
    assert_eq!(
        key(KeyCode::Char('q'), KeyModifiers::NONE),
        Some(Action::End)
    );
    assert_eq!(
        key(KeyCode::Char('c'), KeyModifiers::CONTROL),
        Some(Action::End)
    );
    assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
    assert_eq!(key(KeyCode::Enter, KeyModifiers::NONE), None);
    assert_eq!(action(&Event::Resize(1, 1)), Some(Action::Redraw));
}

/// Each action is passed on as often as it was done, what was published is drawn, and the end of the run ends the view.
#[test]
fn it_ends_with_the_run() {
    let (live, watched) = watch::channel(fixture::live(2));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let ends = Cell::new(0);
    let mut live = Some(live);
    let mut steps = [
        Some(Action::End),
        None,
        Some(Action::Redraw),
        Some(Action::End),
        None,
    ]
    .into_iter();
    let sources = Sources {
        head: fixture::head(),
        live: watched,
        observation: None,
        judge: None,
    };
    let mut next = || {
        let step = steps.next().unwrap();
        match &live {
            Some(sender) if steps.len() == 2 => _ = sender.send_replace(fixture::live(40)),
            _ if steps.len() == 0 => drop(live.take()),
            _ => {}
        }
        Ok(step)
    };
    show(&mut terminal, sources, &|| false, &mut next, &mut || {
        ends.set(ends.get() + 1);
    })
    .unwrap();
    assert_eq!(ends.get(), 2);
    let text = terminal.backend().to_string();
    assert!(
        text.contains("0:40 of 1:00") && text.contains("giving up"),
        "{text}"
    );
}

#[test]
fn it_ends_when_it_is_told_to() {
    let (_live, watched) = watch::channel(fixture::live(2));
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let sources = Sources {
        head: fixture::head(),
        live: watched,
        observation: None,
        judge: None,
    };
    let mut next = || unreachable!("nothing is waited for after the end");
    show(&mut terminal, sources, &|| true, &mut next, &mut || {}).unwrap();
    assert!(
        !terminal.backend().to_string().contains("0:02"),
        "nor is anything drawn"
    );
}

/// Keeps what was written, and says when it was.
struct Told(std::sync::mpsc::Sender<String>);

impl std::io::Write for Told {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0
            .send(String::from_utf8(bytes.to_vec()).unwrap())
            .unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn plain_lines_come_every_two_seconds_of_the_run() {
    let (live, watched) = watch::channel(fixture::live(1));
    let (end, ended) = std::sync::mpsc::channel();
    let (told, lines) = std::sync::mpsc::channel();
    let sources = Sources {
        head: fixture::head(),
        live: watched,
        observation: None,
        judge: None,
    };
    let thread = std::thread::spawn(move || plain::show(sources, &ended, &mut Told(told)));
    live.send_replace(fixture::live(7));
    let mut text = String::new();
    while !text.ends_with('\n') {
        text += &lines.recv().unwrap();
    }
    assert!(text.starts_with("0:07 of 1:00: "), "{text}");
    // Not two seconds later.
    live.send_replace(fixture::live(8));
    drop((live, end));
    thread.join().unwrap().unwrap();
    assert!(lines.recv().is_err());
}
