//! What starts requests, and what ends them.

use std::sync::atomic::{AtomicU64, Ordering};

use super::server::HELLO;
use super::*;
use crate::plan::Stage;

#[tokio::test]
async fn workers_send_all_of_the_schedule_between_them() {
    let server = Server::answering(HELLO);
    let mut plan = plan(even(300, 3000.0), vec![target(&server, pool(9))]);
    plan.workers = count(3);
    let stage = |name: &str, from, until| Stage {
        name: name.to_owned(),
        from: Duration::from_millis(from),
        until: Duration::from_millis(until),
    };
    plan.stages = vec![stage("first", 0, 20), stage("then", 20, 1000)];
    let recording = run(plan).await;
    let heads = server.heads();
    let paths = heads
        .iter()
        .filter_map(|head| head["GET /".len()..].split(' ').next());
    let mut paths: Vec<u64> = paths.filter_map(|path| path.parse().ok()).collect();
    paths.sort_unstable();
    assert_eq!(paths, (0..300).collect::<Vec<u64>>());
    assert_eq!(recording.total.succeeded, 300);
    assert_eq!(recording.lateness.len(), 300);
    let sent: Vec<_> = recording.stages.iter().map(|stage| stage.sent).collect();
    assert_eq!(sent, [60, 240]);
    assert_adds_up(&recording);
}

#[tokio::test]
async fn clients_of_a_closed_loop_have_one_request_each_at_a_time() {
    let (now, most) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let seen = Arc::clone(&most);
    let server = Server::start(move |peer| {
        while peer.request().is_some() {
            let count = now.fetch_add(1, Ordering::SeqCst) + 1;
            seen.fetch_max(count, Ordering::SeqCst);
            now.fetch_sub(1, Ordering::SeqCst);
            peer.say(HELLO);
        }
    });
    for (pause, workers) in [(0, 1), (5, 2)] {
        let load = Load::Closed {
            clients: count(4),
            duration: Duration::from_millis(200),
            pause: Duration::from_millis(pause),
        };
        let mut plan = plan(load, vec![target(&server, pool(100))]);
        plan.workers = count(workers);
        let recording = run(plan).await;
        let total = &recording.total;
        assert!(total.sent >= 4, "{total:?}");
        assert_eq!((total.sent, total.waited), (total.succeeded, 0));
        // A pause leaves room for at most one request in five milliseconds of each client.
        assert!(pause == 0 || total.sent <= 4 * 41, "{}", total.sent);
        assert_adds_up(&recording);
    }
    assert!(most.load(Ordering::SeqCst) <= 4);
}

#[tokio::test]
async fn the_first_stop_waits_for_answers_and_the_second_does_not() {
    let server = Server::silent();
    for connections in [pool(100), pool(2)] {
        let before = server.heads().len();
        let engine = prepare(plan(
            even(1_000_000, 500.0),
            vec![target(&server, connections)],
        ));
        let engine = engine.await.unwrap();
        let (stop, stopped) = watch::channel(Stop::No);
        let mut running = start(engine, None, stopped);
        until(|| server.heads().len() >= before + 2).await;
        stop.send(Stop::Finish).unwrap();
        tokio::task::yield_now().await;
        assert!(running.try_join_next().is_none());
        stop.send(Stop::Abandon).unwrap();
        let recording = ended(running).await;
        assert!(recording.interrupted);
        let found = failures(&recording);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(
            (found[0].0, found[0].1),
            (FailureKind::Abandoned, recording.total.sent)
        );
        assert_adds_up(&recording);
    }
}

#[tokio::test]
async fn a_schedule_that_is_ended_early_gets_the_answers_to_what_was_sent() {
    let server = Server::answering(HELLO);
    let engine = prepare(plan(even(1_000_000, 500.0), vec![target(&server, pool(5))]));
    let engine = engine.await.unwrap();
    let (stop, stopped) = watch::channel(Stop::No);
    let running = start(engine, None, stopped);
    until(|| server.heads().len() >= 10).await;
    stop.send(Stop::Finish).unwrap();
    let recording = ended(running).await;
    assert!(recording.interrupted);
    assert_eq!(recording.total.succeeded, recording.total.sent);
    assert_eq!(recording.total.sent, server.heads().len() as u64);
    assert_adds_up(&recording);
}

#[tokio::test]
async fn what_is_too_much_is_dropped_and_counted() {
    let server = Server::silent();
    let engine = prepare(plan(burst(100_050), vec![target(&server, pool(1))]));
    let engine = engine.await.unwrap();
    let (stop, stopped) = watch::channel(Stop::No);
    let (live, mut watched) = watch::channel(Live::new().unwrap());
    let running = start(engine, Some(live), stopped);
    let all = watched.wait_for(|live| live.total.offered == 100_050);
    tokio::time::timeout(LONG, all).await.unwrap().unwrap();
    stop.send(Stop::Abandon).unwrap();
    let recording = ended(running).await;
    assert_eq!((recording.dropped, recording.total.sent), (50, 100_000));
    assert_adds_up(&recording);
}

#[tokio::test]
async fn who_watches_is_told() {
    let server = Server::answering(HELLO);
    let mut plan = plan(even(400, 1000.0), vec![target(&server, pool(5))]);
    plan.workers = count(2);
    let engine = prepare(plan).await.unwrap();
    let (_stop, stopped) = watch::channel(Stop::No);
    let (live, mut watched) = watch::channel(Live::new().unwrap());
    let running = start(engine, Some(live), stopped);
    let mut told: Vec<Live> = Vec::new();
    while watched.changed().await.is_ok() {
        told.push(watched.borrow_and_update().clone());
    }
    let recording = ended(running).await;
    assert!(!told.is_empty());
    for live in &told {
        let sent: u64 = live.seconds.iter().map(|second| second.sent).sum();
        assert_eq!(sent, live.total.sent);
        assert!(live.total.sent <= recording.total.sent);
    }
    assert!(told.is_sorted_by_key(|live| live.total.sent));
}
