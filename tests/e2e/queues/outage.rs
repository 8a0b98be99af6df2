//! A broker that goes away in the middle of a run, and comes back.

use std::io::Read as _;
use std::net::TcpListener;
use std::process::{Child, Output};
use std::thread::spawn;

use rustix::process::{Pid, Signal, kill_process};

use super::{Scenario, redis_url, report};
use crate::brokers::redis::Redis;
use crate::harness::{SOON, eventually, machine};

/// Plays a worker: completes so many messages, and waits until loadgen has read that.
pub(super) fn complete(redis: &Redis, number: usize) {
    eventually(SOON, "there are messages", || {
        redis.length("orders") >= number
    });
    for _ in 0..number {
        let element = redis.cli(&["lpop", "orders"]);
        let marker = element.split(' ').next().unwrap();
        redis.cli(&["rpush", "orders-completed", marker]);
    }
    eventually(SOON, "the completions are read", || {
        redis.length("orders-completed") == 0
    });
}

/// What a run leaves that is interrupted until it has ended: once ends the schedule, twice what is not completed.
fn interrupted(mut run: Child) -> Output {
    let mut stdout = run.stdout.take().unwrap();
    let read = spawn(move || {
        let mut text = Vec::new();
        stdout.read_to_end(&mut text).map(|_| text)
    });
    let mut status = None;
    eventually(SOON, "the run has ended", || {
        // It is there until it was waited for.
        kill_process(Pid::from_child(&run), Signal::INT).unwrap();
        status = run.try_wait().unwrap();
        status.is_some()
    });
    Output {
        status: status.unwrap(),
        stdout: read.join().unwrap().unwrap(),
        stderr: Vec::new(),
    }
}

#[test]
fn messages_fail_while_the_broker_is_away_and_go_on_when_it_is_back() {
    let _machine = machine();
    let mut redis = Redis::start();
    let queue = "{redis: {url: {env: BROKER_URL}, list: orders}}";
    let scenario = Scenario::new(queue, "schedule: {constant: {rate: 50, duration: 1h}}\n");
    let run = scenario.start(&redis_url(&redis));
    complete(&redis, 5);

    redis.stop();
    // Whoever connects meanwhile finds somebody who is no Redis. Two read and write, so one of them is there twice,
    // with a pause in which messages are due.
    let nobody = TcpListener::bind(("127.0.0.1", redis.port)).unwrap();
    for _ in 0..4 {
        drop(nobody.accept().unwrap());
    }
    drop(nobody);
    redis.start_again();

    complete(&redis, 7);
    let report = report(&interrupted(run), 2);
    let (queue, total) = (&report["queues"][0], &report["total"]);
    assert_eq!(queue["completed"], 12, "{report:#}");
    let errors = &total["errors"];
    let count = |kind: &str| errors[kind].as_u64().unwrap_or_default();
    assert!(count("connect") >= 1, "{report:#}");
    assert_eq!(
        total["failed"],
        count("connect") + count("reset"),
        "{report:#}"
    );
    let why = total["errorSamples"]["connect"].as_str().unwrap();
    assert!(why.starts_with("there is no connection: Redis: "), "{why}");
}
