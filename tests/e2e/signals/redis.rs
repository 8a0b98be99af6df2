//! `redis` and `redis-streams`, alone, with a sentinel, as a cluster and by TLS.

use super::{
    check_drain, check_faults, decisions, done, sample_worker, until_read, until_ready, worker,
};
use crate::brokers::redis::cluster::Cluster;
use crate::brokers::redis::sentinel::{MASTER, SENTINEL_PASSWORD, Sentinel};
use crate::brokers::redis::{PASSWORD, Redis, USER};
use crate::harness::{Ebbtide, machine};

fn document(redis: &Redis, broker: &str, queue: &str, rule: &str) -> String {
    let address = format!("redis://:{PASSWORD}@127.0.0.1:{}/0", redis.port);
    let secrets =
        format!("[{{name: address, value: '{address}'}}, {{name: password, value: {PASSWORD}}}]");
    let rule = rule.replace("PORT", &redis.port.to_string());
    worker(&secrets, &sample_worker(broker, queue, "REDIS_URL"), &rule)
}

#[test]
fn a_list_of_redis_is_worked_off() {
    let _machine = machine();
    let redis = Redis::start();
    let rule = "{type: redis, metadata: {address: '127.0.0.1:PORT', listName: orders, listLength: '10'}, \
                auth: [{secretRef: password, triggerParameter: password}]}";
    let document = document(&redis, "redis", "--list, orders", rule);
    check_drain(
        &document,
        |number| redis.put("orders", number),
        || (redis.length("orders") + redis.length("orders:processing")) as u64,
    );
}

#[test]
fn a_stream_of_redis_is_worked_off_by_its_group() {
    let _machine = machine();
    let redis = Redis::start();
    redis.cli(&["xgroup", "create", "orders", "workers", "0", "mkstream"]);
    let rule = "{type: redis-streams, metadata: {host: '127.0.0.1', port: 'PORT', stream: orders, \
                consumerGroup: workers, lagCount: '10'}, \
                auth: [{secretRef: password, triggerParameter: password}]}";
    let document = document(&redis, "redis-streams", "--stream, orders", rule);
    check_drain(
        &document,
        |number| put_entries(&redis, number),
        || {
            let groups = redis.cli(&["xinfo", "groups", "orders"]);
            let lines: Vec<&str> = groups.lines().collect();
            let after = |name: &str| {
                let place = lines.iter().position(|line| *line == name);
                let value = place.and_then(|place| lines.get(place + 1));
                value.and_then(|value| value.parse().ok()).unwrap_or(0)
            };
            after("lag") + after("pending")
        },
    );
}

/// Puts entries into the stream `orders`.
fn put_entries(redis: &Redis, number: usize) {
    for order in 0..number {
        redis.cli(&["xadd", "orders", "*", "order", &order.to_string()]);
    }
}

#[test]
fn as_many_work_on_a_stream_as_it_takes_to_be_done_in_time_and_the_last_finishes_what_it_has() {
    let _machine = machine();
    let redis = Redis::start();
    redis.cli(&["xgroup", "create", "orders", "workers", "0", "mkstream"]);
    // By the number alone one replica would do.
    let rule = "{type: redis-streams, metadata: {address: '127.0.0.1:PORT', stream: orders, \
                consumerGroup: workers, lagCount: '1000', targetLatency: 10s}, \
                auth: [{secretRef: password, triggerParameter: password}]}";
    let text = document(&redis, "redis-streams", "--stream, orders", rule);
    let ebbtide = Ebbtide::up(&[("worker.yaml", &text)]);
    until_read(&ebbtide, 0.0);
    put_entries(&redis, 60);
    until_ready(&ebbtide, 4);
    until_ready(&ebbtide, 0);
    let sentences = decisions(&ebbtide);
    let by_time = |sentence: &String| sentence.contains(" in 10 s, at ");
    assert!(sentences.iter().any(by_time), "{sentences:#?}");
    assert_eq!(done(&ebbtide), 60, "{sentences:#?}");

    // One message takes longer than the cooldown.
    let slow = text.replace("--service-time, 1s", "--service-time, 8s");
    assert_ne!(slow, text);
    drop(ebbtide);
    let ebbtide = Ebbtide::up(&[("worker.yaml", &slow)]);
    until_read(&ebbtide, 0.0);
    put_entries(&redis, 1);
    until_ready(&ebbtide, 1);
    until_ready(&ebbtide, 0);
    let sentences = decisions(&ebbtide);
    let keeps = |sentence: &String| sentence.contains("orders has 1 in hand");
    assert!(sentences.iter().any(keeps), "{sentences:#?}");
    assert_eq!(done(&ebbtide), 1, "{sentences:#?}");
}

/// Starts an app with this rule, and checks that it reads 0, and `number` after `put`.
fn check_read(rule: &str, put: impl Fn(usize)) {
    let document = worker(
        &format!(
            "[{{name: password, value: {PASSWORD}}}, {{name: sentinels, value: {SENTINEL_PASSWORD}}}]"
        ),
        "command: [sleep, '1000']",
        rule,
    );
    let ebbtide = Ebbtide::up(&[("worker.yaml", &document)]);
    until_read(&ebbtide, 0.0);
    put(12);
    until_read(&ebbtide, 12.0);
    until_ready(&ebbtide, 2);
}

const AUTH: &str = "auth: [{secretRef: password, triggerParameter: password}]";

#[test]
fn lists_behind_a_sentinel_in_a_cluster_and_by_tls_are_read() {
    let _machine = machine();
    let sentinel = Sentinel::start();
    let rule = format!(
        "{{type: redis-sentinel, metadata: {{addresses: '127.0.0.1:1,127.0.0.1:{}', \
         sentinelMaster: {MASTER}, listName: orders, listLength: '10'}}, auth: [{{secretRef: password, \
         triggerParameter: password}}, {{secretRef: sentinels, triggerParameter: sentinelPassword}}]}}",
        sentinel.port
    );
    check_read(&rule, |number| sentinel.master.put("orders", number));

    let cluster = Cluster::start();
    // A server of a cluster knows which other one has a key.
    for address in cluster.addresses() {
        let list = format!("orders-{}", address.replace(':', "-"));
        let rule = format!(
            "{{type: redis-cluster, metadata: {{addresses: '{address}', listName: {list}, \
             listLength: '10'}}, {AUTH}}}"
        );
        check_read(&rule, |number| cluster.put(&list, number));
    }

    let redis = Redis::start_with_tls();
    let ca = std::fs::read_to_string(redis.folder().join("ca.crt")).unwrap();
    let ca = ca.replace('\n', "\\n");
    let rule = format!(
        "{{type: redis, metadata: {{address: '127.0.0.1:{}', listName: orders, listLength: '10', \
         enableTLS: 'true', ca: \"{ca}\"}}, {AUTH}}}",
        redis.port
    );
    check_read(&rule, |number| redis.put("orders", number));
}

#[test]
fn what_is_wrong_with_a_list_of_redis_is_said() {
    let _machine = machine();
    let (redis, secure) = (Redis::start(), Redis::start_with_tls());
    redis.cli(&["set", "text", "x"]);
    let rule = |port: u16, list: &str, more: &str| {
        format!(
            "{{type: redis, metadata: {{address: '127.0.0.1:{port}', listName: '{list}', {more}}}}}"
        )
    };
    let right = format!("password: {PASSWORD}");
    let tls = format!("{right}, enableTLS: 'true'");
    let streams = format!(
        "{{type: redis-streams, metadata: {{address: 'localhost:{}', stream: nothing, \
         consumerGroup: workers, {right}}}}}",
        redis.port
    );
    check_faults(
        &[
            (
                &rule(redis.port, "orders", "password: hunter2"),
                "password: the server does not let in with this password",
            ),
            (
                &rule(redis.port, "orders", "username: ''"),
                "password: is missing, and the server asks for one",
            ),
            (
                &rule(redis.port, "text", &right),
                "listName: text is of the type string",
            ),
            (
                &rule(1, "orders", &right),
                "address: cannot connect to 127.0.0.1:1",
            ),
            (
                &rule(secure.port, "orders", &tls),
                "address: TLS with 127.0.0.1",
            ),
            (
                &rule(redis.port, "orders", &tls),
                "begins no TLS within 4 s",
            ),
            (&streams, "stream: there is no stream nothing"),
            (
                &rule(
                    redis.port,
                    "orders",
                    &format!("username: {USER}, password: hunter2"),
                ),
                &format!("password: the user {USER} is not let in with this password"),
            ),
        ],
        &["hunter2", PASSWORD],
    );
}
