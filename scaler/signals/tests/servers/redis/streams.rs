//! Lengths, lags and entries that are not acknowledged.

use ebbtide_signals::{Amount, Flow};
use redis::Value;

use super::bed::{Redis, USER};
use super::canned::Canned;
use crate::bed::Case;

/// Adds entries `1-0`, `2-0` and so on.
async fn add(redis: &Redis, numbers: std::ops::RangeInclusive<u32>) {
    for number in numbers {
        let id = format!("{number}-0");
        redis.run(&["XADD", "orders", &id, "order", "a"]).await;
    }
}

/// Takes so many entries as one of the group.
async fn take(redis: &Redis, number: &str) -> Value {
    redis
        .run(&[
            "XREADGROUP",
            "GROUP",
            "workers",
            "one",
            "COUNT",
            number,
            "STREAMS",
            "orders",
            ">",
        ])
        .await
}

fn case(redis: &Redis) -> Case {
    redis.case("redis-streams").with("stream", "orders")
}

fn of_group(redis: &Redis) -> Case {
    case(redis).with("consumerGroup", "workers")
}

async fn amount(case: &Case) -> Amount {
    case.read().await.expect("it can be read")
}

async fn value(case: &Case) -> Result<f64, String> {
    case.read().await.map(|amount| amount.value)
}

fn counted(value: f64, in_process: f64, added: Option<f64>, done: Option<f64>) -> Amount {
    Amount {
        value,
        activity: None,
        in_process: Some(in_process),
        arrivals: added.map(Flow::Total),
        completions: done.map(Flow::Total),
    }
}

#[tokio::test]
async fn without_a_group_the_stream_has_a_length() {
    let redis = Redis::start().await;
    let case = case(&redis);
    assert_eq!(amount(&case).await, Amount::from(0.0));
    add(&redis, 1..=5).await;
    redis.run(&["XDEL", "orders", "2-0"]).await;
    let expected = Amount {
        arrivals: Some(Flow::Total(5.0)),
        ..Amount::from(4.0)
    };
    assert_eq!(amount(&case).await, expected);
    assert_eq!(amount(&case.with("username", USER)).await, expected);
    // Its description has its last entry, which is not read.
    let long = "x".repeat(5 << 20);
    redis.run(&["XADD", "orders", "*", "order", &long]).await;
    assert_eq!(amount(&case).await, Amount::from(5.0));
}

#[tokio::test]
async fn a_group_has_entries_that_are_not_acknowledged() {
    let redis = Redis::start().await;
    let case = of_group(&redis).with("pendingEntriesCount", "3");
    assert_eq!(case.error().await, "stream: there is no stream orders");
    add(&redis, 1..=5).await;
    let missing = "consumerGroup: the stream orders has no group workers";
    assert_eq!(case.error().await, missing);
    redis
        .run(&["XGROUP", "CREATE", "orders", "workers", "0"])
        .await;
    assert_eq!(value(&case).await, Ok(0.0));
    take(&redis, "3").await;
    redis.run(&["XACK", "orders", "workers", "1-0"]).await;
    let expected = counted(2.0, 2.0, Some(5.0), Some(1.0));
    assert_eq!(amount(&case).await, expected);
    // The number is the same without a target.
    assert_eq!(amount(&of_group(&redis)).await, expected);
    let error = of_group(&redis).with("streamLength", "50").error().await;
    assert!(error.starts_with("streamLength: says nothing beside consumerGroup"));
}

#[tokio::test]
async fn a_group_has_a_lag() {
    let redis = Redis::start().await;
    let case = of_group(&redis).with("lagCount", "3");
    assert_eq!(amount(&case).await, Amount::from(0.0));
    add(&redis, 1..=5).await;
    let all = Amount {
        arrivals: Some(Flow::Total(5.0)),
        ..Amount::from(5.0)
    };
    assert_eq!(amount(&case).await, all);
    redis
        .run(&["XGROUP", "CREATE", "orders", "workers", "0"])
        .await;
    assert_eq!(value(&case).await, Ok(5.0));
    take(&redis, "2").await;
    redis.run(&["XACK", "orders", "workers", "1-0"]).await;
    let expected = counted(3.0, 1.0, Some(5.0), Some(1.0));
    assert_eq!(amount(&case).await, expected);
    assert_eq!(amount(&case.with("username", USER)).await, expected);
    take(&redis, "9").await;
    assert_eq!(amount(&case).await, counted(0.0, 4.0, Some(5.0), Some(1.0)));
}

#[tokio::test]
async fn a_lag_that_redis_does_not_know_is_what_it_can_be() {
    let redis = Redis::start().await;
    let case = of_group(&redis).with("lagCount", "3");
    add(&redis, 1..=6).await;
    redis
        .run(&["XGROUP", "CREATE", "orders", "workers", "0"])
        .await;
    take(&redis, "2").await;
    redis.run(&["XDEL", "orders", "4-0"]).await;
    // Of the four after those that were taken, one is deleted; which one, only Redis could find out.
    assert_eq!(amount(&case).await, counted(4.0, 2.0, None, Some(0.0)));
    take(&redis, "2").await;
    redis.run(&["XDEL", "orders", "6-0"]).await;
    assert_eq!(amount(&case).await, counted(0.0, 4.0, None, None));
    // Nor is the first entry that it has not had read for nothing.
    let long = "x".repeat(5 << 20);
    redis.run(&["XADD", "orders", "7-0", "order", &long]).await;
    assert_eq!(value(&case).await, Ok(5.0));
    // A group that began in the middle has never counted.
    redis
        .run(&["XGROUP", "CREATE", "orders", "others", "3-0"])
        .await;
    let others = case.with("consumerGroup", "others");
    redis.run(&["XDEL", "orders", "7-0"]).await;
    assert_eq!(amount(&others).await, counted(4.0, 0.0, None, None));
}

#[tokio::test]
async fn what_is_no_stream_and_a_server_that_is_too_old_are_errors() {
    let redis = Redis::start().await;
    redis.run(&["RPUSH", "orders", "a"]).await;
    let expected = "stream: orders is no stream; use redis for a list";
    for case in [
        case(&redis),
        of_group(&redis),
        of_group(&redis).with("lagCount", "1"),
    ] {
        assert_eq!(case.error().await, expected);
    }
    let group = "*8\r\n$4\r\nname\r\n$7\r\nworkers\r\n$9\r\nconsumers\r\n:1\r\n$7\r\npending\r\n:2\r\n\
                 $17\r\nlast-delivered-id\r\n$3\r\n2-0\r\n";
    for (targets, expected) in [
        (&["lagCount"][..], Err("lagCount: needs Redis 7")),
        (
            &[],
            Ok(Amount {
                in_process: Some(2.0),
                ..Amount::from(2.0)
            }),
        ),
    ] {
        let old = Canned::start(vec![format!("*1\r\n{group}").into_bytes()]).await;
        let mut case = of_group(&redis).with("address", &old.address);
        case.rule.auth.clear();
        for target in targets {
            case = case.with(target, "1");
        }
        match (case.read().await, expected) {
            (Ok(amount), Ok(expected)) => assert_eq!(amount, expected),
            (Err(error), Err(expected)) => assert!(error.starts_with(expected), "{error}"),
            (found, expected) => panic!("{found:?} is not {expected:?}"),
        }
    }
}
