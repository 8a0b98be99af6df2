//! NATS with `JetStream`.

mod bed;

use ebbtide_core::trigger::reach::Reach;
use ebbtide_signals::{Amount, Flow};
use rcgen::{CertifiedKey, generate_simple_self_signed};

use self::bed::{ACCOUNT, Nats};
use crate::bed::{Case, refusing};

fn of(endpoint: &str, stream: &str) -> Case {
    Case::of("nats-jetstream")
        .with("natsServerMonitoringEndpoint", endpoint)
        .with("account", ACCOUNT)
        .with("stream", stream)
        .with("consumer", "workers")
}

fn amount(value: f64, in_process: f64, arrived: f64, completed: f64) -> Amount {
    Amount {
        value,
        activity: None,
        in_process: Some(in_process),
        arrivals: Some(Flow::Total(arrived)),
        completions: Some(Flow::Total(completed)),
    }
}

#[tokio::test]
async fn messages_count_until_they_are_acknowledged() {
    let nats = Nats::start().await;
    nats.make("ORDERS", 1, None).await;
    let orders = of(&nats.monitoring, "ORDERS");
    assert_eq!(orders.read().await, Ok(amount(0.0, 0.0, 0.0, 0.0)));
    nats.put("ORDERS", 5).await;
    assert_eq!(orders.read().await, Ok(amount(5.0, 0.0, 5.0, 0.0)));
    nats.take("ORDERS", 2, true).await;
    assert_eq!(orders.read().await, Ok(amount(3.0, 0.0, 5.0, 2.0)));
    nats.take("ORDERS", 1, false).await;
    assert_eq!(orders.read().await, Ok(amount(3.0, 1.0, 5.0, 2.0)));
    let by_key = of(&nats.monitoring, "ORDERS").with("accountID", ACCOUNT);
    let by_key = by_key.with("account", "ignored then");
    assert_eq!(by_key.read().await, Ok(amount(3.0, 1.0, 5.0, 2.0)));
}

#[tokio::test]
async fn a_consumer_of_a_part_of_a_stream_has_only_that() {
    let nats = Nats::start().await;
    nats.make("ORDERS", 1, Some("ORDERS.eu")).await;
    nats.put("ORDERS.eu", 2).await;
    nats.put("ORDERS.us", 3).await;
    let expected = Amount {
        arrivals: None,
        completions: None,
        ..amount(2.0, 0.0, 0.0, 0.0)
    };
    assert_eq!(of(&nats.monitoring, "ORDERS").read().await, Ok(expected));
}

#[tokio::test]
async fn what_is_wrong_is_said_by_the_key_that_it_is_of() {
    let nats = Nats::start().await;
    nats.make("ORDERS", 1, None).await;
    let orders = of(&nats.monitoring, "ORDERS");
    let nobody = refusing().await.to_string();
    for (case, expected) in [
        (
            orders.with("account", "NOPE"),
            "account: there is no account NOPE that has JetStream",
        ),
        (
            orders.with("accountID", "ABC"),
            "accountID: there is no account ABC that has JetStream",
        ),
        (
            orders.with("stream", "NOPE"),
            "stream: the account has no stream NOPE",
        ),
        (
            orders.with("consumer", "nope"),
            "consumer: the stream has no consumer nope",
        ),
        (
            orders.with("natsServerMonitoringEndpoint", &nobody),
            "natsServerMonitoringEndpoint: Connection refused (os error 111)",
        ),
        (
            orders.with("natsServerMonitoringEndpoint", "http://nats:8222"),
            "natsServerMonitoringEndpoint: \"http://nats:8222\" is not host:port, as in nats:8222",
        ),
    ] {
        assert_eq!(case.error().await, expected);
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_trusts_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.path().join("tls.pem"), cert.pem()).unwrap();
    std::fs::write(folder.path().join("tls.key"), signing_key.serialize_pem()).unwrap();
    let configuration = "listen: \"127.0.0.1:-1\"\nhttps: \"127.0.0.1:-1\"\n\
                         tls: {cert_file: \"tls.pem\", key_file: \"tls.key\"}";
    let nats = Nats::with(folder, configuration).await;
    let orders = of(&nats.monitoring, "ORDERS");
    let error = orders.with("useHttps", "true").error().await;
    assert!(
        error.starts_with("natsServerMonitoringEndpoint: invalid peer certificate"),
        "{error}"
    );
    let error = orders.error().await;
    assert!(error.contains("answered 400"), "{error}");
}

#[tokio::test]
async fn a_cluster_is_asked_until_the_leader_of_the_consumer_is_found() {
    let cluster = Nats::cluster().await;
    cluster[0].make("ONE", 1, None).await;
    cluster[1].make("THREE", 3, None).await;
    for stream in ["ONE", "THREE"] {
        cluster[2].put(stream, 4).await;
        cluster[2].take(stream, 1, true).await;
        cluster[2].take(stream, 1, false).await;
        for node in &cluster {
            let case = of(&node.monitoring, stream);
            let expected = amount(3.0, 1.0, 4.0, 1.0);
            assert_eq!(
                case.read().await,
                Ok(expected),
                "{stream} {}",
                node.monitoring
            );
            let error = case.with("consumer", "nope").error().await;
            assert_eq!(error, "consumer: the stream has no consumer nope");
        }
        let error = of(&cluster[0].monitoring, "NOPE").error().await;
        assert_eq!(error, "stream: the account has no stream NOPE");
    }
}

#[tokio::test]
async fn a_cluster_leads_nowhere_where_a_rule_may_not() {
    let cluster = Nats::cluster().await;
    let mut refused = 0;
    for stream in ["A", "B", "C", "D", "E", "F"] {
        cluster[0].make(stream, 1, None).await;
        let one = Reach::new(vec!["127.0.0.1/32".parse().unwrap()]);
        let read = of(&cluster[0].monitoring, stream)
            .read_within(Some(one))
            .await;
        if let Err(error) = read {
            let refused_at = error.strip_prefix("natsServerMonitoringEndpoint: 127.0.0.");
            assert!(
                refused_at.is_some_and(|at| at[1..].starts_with(" is refused")),
                "{error}"
            );
            refused += 1;
        }
        let all = Reach::new(vec!["127.0.0.0/8".parse().unwrap()]);
        let read = of(&cluster[0].monitoring, stream)
            .read_within(Some(all))
            .await;
        assert_eq!(read, Ok(amount(0.0, 0.0, 0.0, 0.0)));
    }
    assert!(refused > 0, "all six streams are on one server of three");
}
