//! Apache Kafka, one broker that is its own controller.

mod bed;
mod membership;

use ebbtide_core::trigger::reach::Reach;
use ebbtide_signals::{Amount, Flow};
use rcgen::generate_simple_self_signed;

use self::bed::{HOST, Kafka, PASSWORD, of};
use crate::bed::refusing;

fn amount(value: f64, activity: f64, arrived: f64, done: f64) -> Amount {
    Amount {
        value,
        activity: Some(activity),
        in_process: None,
        arrivals: Some(Flow::Total(arrived)),
        completions: Some(Flow::Total(done)),
    }
}

#[tokio::test]
async fn the_lag_of_a_group_is_read() {
    let Some(kafka) = Kafka::start().await else {
        return;
    };
    let error = of(kafka.plain, "orders").error().await;
    assert_eq!(error, "topic: there is no topic orders");
    tokio::join!(
        kafka.make_topic("orders", "3"),
        kafka.make_topic("bills", "1")
    );
    nothing_is_committed(&kafka).await;
    kafka.put("orders", 5).await;
    kafka.take("orders", 2).await;
    what_is_committed_counts(&kafka).await;
    everyone_gets_in_who_may(&kafka).await;
    nobody_gets_in_who_may_not(&kafka).await;
    what_is_wrong_is_named(&kafka).await;
    a_broker_leads_nowhere_where_a_rule_may_not(&kafka).await;
}

async fn nothing_is_committed(kafka: &Kafka) {
    let orders = of(kafka.plain, "orders");
    assert_eq!(orders.read().await, Ok(amount(3.0, 3.0, 0.0, 0.0)));
    for (key, value) in [
        ("offsetResetPolicy", "earliest"),
        ("scaleToZeroOnInvalidOffset", "true"),
    ] {
        let read = orders.with(key, value).read().await;
        assert_eq!(read, Ok(amount(0.0, 0.0, 0.0, 0.0)));
    }
    let all_topics = orders.with("topic", "");
    assert_eq!(all_topics.read().await, Ok(amount(0.0, 0.0, 0.0, 0.0)));
    let both = orders
        .with("topic", "orders,bills")
        .with("consumerGroup", "others");
    assert_eq!(both.read().await, Ok(amount(4.0, 4.0, 0.0, 0.0)));
}

async fn what_is_committed_counts(kafka: &Kafka) {
    let orders = of(kafka.plain, "orders").with("offsetResetPolicy", "earliest");
    let expected = Ok(amount(3.0, 3.0, 5.0, 2.0));
    assert_eq!(orders.read().await, expected);
    // The group has committed in no other topic.
    assert_eq!(orders.with("topic", "").read().await, expected);
    assert_eq!(orders.with("topic", "orders,bills").read().await, expected);
    // One record for each of three partitions at most, or as many as are left.
    let bounded = orders.with("lagThreshold", "0.5");
    assert_eq!(bounded.read().await, Ok(amount(1.5, 3.0, 5.0, 2.0)));
    let idle = bounded.with("allowIdleConsumers", "true");
    assert_eq!(idle.read().await, expected);
    let mut parts = 0.0;
    for partition in ["0", "1", "2-9"] {
        let part = orders.with("partitionLimitation", partition);
        parts += part.read().await.unwrap().value;
    }
    assert!((parts - 3.0).abs() < f64::EPSILON, "{parts}");
    let error = orders.with("partitionLimitation", "7-9").error().await;
    assert_eq!(error, "partitionLimitation: leaves no partition");
}

async fn everyone_gets_in_who_may(kafka: &Kafka) {
    for sasl in ["plaintext", "scram_sha256", "scram_sha512"] {
        let case = kafka
            .user(sasl, PASSWORD)
            .with("offsetResetPolicy", "earliest");
        assert_eq!(case.read().await, Ok(amount(3.0, 3.0, 5.0, 2.0)), "{sasl}");
    }
    let secured = of(kafka.tls, "orders").with("tls", "enable");
    let secured = secured.with("offsetResetPolicy", "earliest");
    for secured in [
        secured.secret("ca", &kafka.authority),
        secured.with("unsafeSsl", "true"),
    ] {
        assert_eq!(secured.read().await, Ok(amount(3.0, 3.0, 5.0, 2.0)));
    }
}

async fn nobody_gets_in_who_may_not(kafka: &Kafka) {
    for sasl in ["plaintext", "scram_sha256", "scram_sha512"] {
        let error = kafka.user(sasl, "hunter2").error().await;
        let expected = "password: the broker does not take the user and password";
        assert_eq!(error, expected, "{sasl}");
    }
    let closes = |port| {
        format!(
            "bootstrapServers: {HOST}:{port} closes the connection when asked for Metadata; are tls \
             and sasl what they should be?"
        )
    };
    let error = of(kafka.login, "orders").error().await;
    assert_eq!(error, closes(kafka.login));
    let secured = of(kafka.tls, "orders").with("tls", "enable");
    let other = generate_simple_self_signed([HOST.to_owned()]).unwrap();
    let error = secured.secret("ca", &other.cert.pem()).error().await;
    let expected = "ca: is not what the server's certificate is signed by; give the root of that";
    assert_eq!(error, expected);
    let error = secured.error().await;
    let expected = format!(
        "bootstrapServers: TLS with {HOST}:{}: invalid peer certificate",
        kafka.tls
    );
    assert!(error.starts_with(&expected), "{error}");
    for (port, tls) in [(kafka.plain, "enable"), (kafka.tls, "disable")] {
        let case = of(port, "orders")
            .with("tls", tls)
            .with("unsafeSsl", "true");
        let error = case.error().await;
        assert!(error.starts_with("bootstrapServers: "), "{error}");
    }
}

async fn what_is_wrong_is_named(kafka: &Kafka) {
    let orders = of(kafka.plain, "orders");
    let nobody = refusing().await;
    let refused = format!("bootstrapServers: cannot connect to {nobody}: Connection refused");
    let nobody = nobody.to_string();
    for (case, expected) in [
        (orders.with("bootstrapServers", &nobody), refused.as_str()),
        (
            orders.with("bootstrapServers", "kafka"),
            "bootstrapServers: \"kafka\" is not host:port, as in kafka:9092",
        ),
        (
            orders.with("topic", "nope"),
            "topic: there is no topic nope",
        ),
        (orders.with("sasl", "scram_sha256"), "username: is missing"),
        (
            orders
                .with("allowIdleConsumers", "true")
                .with("limitToPartitionsWithLag", "true"),
            "allowIdleConsumers: goes not with limitToPartitionsWithLag",
        ),
        (
            orders
                .with("topic", "")
                .with("ensureEvenDistributionOfPartitions", "true"),
            "topic: is missing beside ensureEvenDistributionOfPartitions",
        ),
    ] {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
    }
    // Of several servers one is enough.
    let port = kafka.plain;
    let several = orders.with("bootstrapServers", &format!("{nobody}, {HOST}:{port}"));
    let several = several.with("offsetResetPolicy", "earliest");
    assert_eq!(several.read().await, Ok(amount(3.0, 3.0, 5.0, 2.0)));
}

async fn a_broker_leads_nowhere_where_a_rule_may_not(kafka: &Kafka) {
    let port = kafka.plain;
    let orders = of(port, "orders").with("bootstrapServers", &format!("localhost:{port}"));
    let reach = |entry: &str| Some(Reach::new(vec![entry.parse().unwrap()]));
    let nowhere = orders
        .read_within(Some(Reach::default()))
        .await
        .unwrap_err();
    assert!(
        nowhere.starts_with("bootstrapServers: localhost"),
        "{nowhere}"
    );
    // The broker says that it is at 127.0.0.1.
    let named = orders
        .read_within(reach(&format!("localhost:{port}")))
        .await
        .unwrap_err();
    assert!(
        named.starts_with("bootstrapServers: 127.0.0.1 is refused"),
        "{named}"
    );
    let both = vec![
        format!("localhost:{port}").parse().unwrap(),
        format!("{HOST}:{port}").parse().unwrap(),
    ];
    let read = orders.read_within(Some(Reach::new(both))).await;
    assert!(read.is_ok(), "{read:?}");
}
