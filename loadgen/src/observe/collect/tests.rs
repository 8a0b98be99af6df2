//! What is kept of what is seen.

use super::*;

fn at(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn state(ready: u32) -> State {
    State {
        replicas: Replicas {
            desired: ready,
            ready,
            ..Replicas::default()
        },
        ..State::default()
    }
}

fn states(ready: &[(&str, u32)]) -> BTreeMap<String, State> {
    let state = |(name, ready): &(&str, u32)| ((*name).to_owned(), state(*ready));
    ready.iter().map(state).collect()
}

fn words(observation: &Observation) -> Vec<String> {
    let samples = observation.samples.iter();
    let words = |sample: &Sample| {
        let millis = sample.at.as_millis();
        format!("{millis} {} {}", sample.revision, sample.replicas.ready)
    };
    samples.map(words).collect()
}

fn collector() -> Collector {
    Collector::new(watch::Sender::new(Observation::default()))
}

fn event(millis: u64) -> Event {
    Event {
        at: at(millis),
        reason: "Decision".to_owned(),
        revision: None,
        replica: None,
        message: millis.to_string(),
    }
}

#[test]
fn only_changes_are_kept_and_what_is_gone_has_nothing() {
    let mut collector = collector();
    collector.states(at(100), states(&[("a", 1), ("b", 0)]));
    collector.states(at(200), states(&[("a", 1), ("b", 2)]));
    collector.states(at(300), states(&[("a", 1)]));
    collector.states(at(400), states(&[("a", 1)]));
    let observation = collector.finish(at(500));
    assert_eq!(
        words(&observation),
        ["100 a 1", "100 b 0", "200 b 2", "300 b 0"]
    );
    assert_eq!(observation.until, at(500));
    assert!(!observation.is_at_zero());
}

#[test]
fn a_gap_lasts_until_the_next_state_and_has_its_first_reason() {
    let mut collector = collector();
    collector.lose(at(100), "closed".to_owned());
    collector.lose(at(200), "refused".to_owned());
    collector.states(at(300), states(&[("a", 0)]));
    collector.lose(at(400), "closed again".to_owned());
    let observation = collector.finish(at(500));
    let gap = |from, until, because: &str| Gap {
        from: at(from),
        until: at(until),
        because: because.to_owned(),
    };
    let expected = [gap(100, 300, "closed"), gap(400, 500, "closed again")];
    assert_eq!(observation.gaps, expected);
    assert!(observation.is_at_zero());
}

#[test]
fn what_is_kept_is_bounded_and_that_is_said() {
    let mut collector = collector();
    collector.most = (20, 10);
    for number in 0..30 {
        let ready = u32::try_from(number % 7).unwrap();
        collector.states(at(number), states(&[("a", ready)]));
        collector.event(event(number));
    }
    let observation = collector.finish(at(100));
    assert_eq!(observation.samples.len(), 20);
    assert_eq!(observation.events.len(), 10);
    assert_eq!(observation.gaps.len(), 1);
    assert_eq!(observation.gaps[0].from, at(20));
    assert_eq!(observation.gaps[0].until, at(100));
    let expected = "events after the first 10 are left out";
    assert_eq!(observation.warnings, [expected]);
}

#[test]
fn times_count_from_the_start_of_the_run() {
    let mut collector = collector();
    collector.states(at(100), states(&[("a", 0), ("b", 5)]));
    collector.states(at(200), states(&[("a", 1), ("b", 5)]));
    collector.gap(at(120), at(150), "early".to_owned());
    collector.gap(at(220), at(350), "over the start".to_owned());
    collector.states(at(400), states(&[("a", 2), ("b", 5)]));
    for millis in [90, 310, 305] {
        collector.event(event(millis));
    }
    let observation = collector.finish(at(500)).counted_from(at(300));
    assert_eq!(words(&observation), ["0 b 5", "0 a 1", "100 a 2"]);
    let events: Vec<_> = observation.events.iter().map(|event| event.at).collect();
    assert_eq!(events, [at(5), at(10)]);
    assert_eq!(observation.gaps.len(), 1);
    assert_eq!(
        (observation.gaps[0].from, observation.gaps[0].until),
        (at(0), at(50))
    );
    assert_eq!(observation.until, at(200));
}

#[test]
fn whoever_watches_is_told_of_changes_alone() {
    let mut collector = collector();
    let mut watching = collector.seen.subscribe();
    collector.weights(BTreeMap::new());
    assert!(!watching.has_changed().unwrap());
    collector.states(at(100), states(&[("a", 0)]));
    assert!(watching.has_changed().unwrap());
    assert_eq!(words(&watching.borrow_and_update()), ["100 a 0"]);
}
