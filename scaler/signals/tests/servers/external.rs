//! External scalers.

mod bed;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ebbtide_core::trigger::reach::Reach;
use ebbtide_signals::{Amount, Lookup, Parameters, SourceKey, Sources, Wanted};
use rcgen::generate_simple_self_signed;
use tokio::time::timeout;
use tonic::Status;

use self::bed::Scaler;
use crate::bed::refusing;
use crate::clock;

/// How long something may take that happens at once, on a busy machine.
const SOON: Duration = Duration::from_secs(20);

struct Variables;

impl Lookup for Variables {
    fn secret(&self, name: &str) -> Result<String, String> {
        Err(format!("there is no secret {name}"))
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        match name {
            "TOKEN" => Ok("hunter2".to_owned()),
            _ => Err(format!("there is no variable {name}")),
        }
    }
}

fn amount(value: f64, is_active: bool) -> Amount {
    Amount {
        activity: Some(f64::from(u8::from(is_active))),
        ..Amount::from(value)
    }
}

#[tokio::test]
async fn the_metric_that_wants_most_counts() {
    let scaler = Scaler::start(None).await;
    for (metrics, is_active, expected) in [
        (vec![("queue", 5.0, vec![0.0])], false, amount(0.0, false)),
        (vec![("queue", 5.0, vec![12.0])], true, amount(2.4, true)),
        (
            vec![("queue", 5.0, vec![1.0, 9.0])],
            false,
            amount(2.0, false),
        ),
        (
            vec![("queue", 5.0, vec![5.0]), ("rate", 0.5, vec![2.0])],
            true,
            amount(4.0, true),
        ),
        (vec![("queue", 5.0, vec![])], true, amount(0.0, true)),
    ] {
        scaler.set(|state| (state.metrics, state.is_active) = (metrics, is_active));
        for kind in ["external", "external-push"] {
            assert_eq!(scaler.case(kind).read().await, Ok(expected));
        }
    }
}

#[tokio::test]
async fn the_scaler_is_told_the_metadata_of_the_rule_and_no_secrets() {
    let scaler = Scaler::start(None).await;
    scaler.set(|state| state.metrics = vec![("queue", 1.0, vec![1.0])]);
    let address = scaler.address.to_string();
    let case = scaler.case("external").with("queue", "orders");
    let case = case.secret("password", "hunter2");
    assert_eq!(case.read().await, Ok(amount(1.0, false)));
    let told = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        let pairs = pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        pairs.collect()
    };
    let plain = [("queue", "orders"), ("scalerAddress", address.as_str())];
    assert_eq!(scaler.told(), told(&plain));
    let case = scaler
        .case("external")
        .with("tokenFromEnv", "TOKEN")
        .with("noneFromEnv", "NONE");
    let read = ebbtide_signals::read_once(&case.rule, &Variables, clock::system(), None);
    assert_eq!(read.await, Ok(amount(1.0, false)));
    let with_variable = [
        ("scalerAddress", address.as_str()),
        ("tokenFromEnv", "hunter2"),
    ];
    assert_eq!(scaler.told(), told(&with_variable));
    // What it answers may have that in it.
    scaler.set(|state| state.failure = Some(Status::not_found("no token hunter2")));
    let read = ebbtide_signals::read_once(&case.rule, &Variables, clock::system(), None);
    let error = read.await.unwrap_err().to_string();
    let expected = "scalerAddress: GetMetricSpec fails, Some requested entity was not found";
    assert_eq!(error, expected);
}

#[tokio::test]
async fn what_is_wrong_is_said_by_the_key_that_it_is_of() {
    let scaler = Scaler::start(None).await;
    let case = scaler.case("external");
    for (metrics, expected) in [
        (vec![], "the scaler has 0 metrics; 1 to 32 are asked for"),
        (
            vec![("queue", 0.0, vec![1.0])],
            "the scaler's metric \"queue\" has a target that is not above 0",
        ),
        (
            vec![("queue", 1.0, vec![-1.0])],
            "the scaler's metric \"queue\" has a value that is no amount",
        ),
        (
            vec![("queue", 1.0, vec![f64::INFINITY])],
            "the scaler's metric \"queue\" has a value that is no amount",
        ),
    ] {
        scaler.set(|state| state.metrics = metrics);
        assert_eq!(case.error().await, format!("scalerAddress: {expected}"));
    }
    scaler.set(|state| state.failure = Some(Status::unavailable("the database is away")));
    let expected = "scalerAddress: GetMetricSpec fails, The service is currently unavailable: the \
                    database is away";
    assert_eq!(case.error().await, expected);
    let nobody = refusing().await.to_string();
    let error = case.with("scalerAddress", &nobody).error().await;
    let expected = format!("scalerAddress: cannot connect to {nobody}: Connection refused");
    assert!(error.starts_with(&expected), "{error}");
    let nowhere = case.read_within(Some(Reach::default())).await.unwrap_err();
    assert!(
        nowhere.starts_with("scalerAddress: 127.0.0.1 is refused"),
        "{nowhere}"
    );
}

#[tokio::test]
async fn a_scaler_may_be_known_by_its_certificate() {
    let own = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let other = generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let tls = (own.cert.pem(), own.signing_key.serialize_pem());
    let scaler = Scaler::start(Some(tls)).await;
    scaler.set(|state| state.metrics = vec![("queue", 1.0, vec![3.0])]);
    let case = scaler.case("external");
    for case in [
        case.secret("caCert", &own.cert.pem()),
        case.with("enableTLS", "true").with("unsafeSsl", "true"),
    ] {
        assert_eq!(case.read().await, Ok(amount(3.0, false)));
    }
    let error = case.secret("caCert", &other.cert.pem()).error().await;
    let expected =
        "caCert: is not what the server's certificate is signed by; give the root of that";
    assert_eq!(error, expected);
    let error = case.with("enableTLS", "true").error().await;
    assert!(
        error.starts_with("scalerAddress: TLS with 127.0.0.1:"),
        "{error}"
    );
    let error = case.secret("caCert", "-----BEGIN nothing").error().await;
    assert_eq!(error, "caCert: has no certificate in PEM");
    let error = case.error().await;
    assert!(error.starts_with("scalerAddress: "), "{error}");
}

#[tokio::test]
async fn a_scaler_that_pushes_is_heard_before_the_interval_is_over() {
    let scaler = Scaler::start(None).await;
    scaler.set(|state| state.metrics = vec![("queue", 1.0, vec![0.0])]);
    let case = scaler.case("external-push");
    let parameters = Parameters::resolve(&case.rule, &Variables)
        .unwrap()
        .unwrap();
    let key = Arc::new(SourceKey {
        parameters,
        is_bounded: false,
    });
    let mut sources = Sources::new(clock::system(), Arc::default(), 1);
    let mut news = sources.news();
    sources.follow(Wanted::from([(Arc::clone(&key), Duration::from_hours(1))]));
    let state = sources.state(&key).unwrap();
    let last = || {
        let state = state.borrow().clone();
        let sample = state.sample.unwrap();
        (state.reads, state.error, sample.value, sample.work.activity)
    };
    timeout(SOON, news.changed()).await.unwrap().unwrap();
    assert_eq!(last(), (1, None, 0.0, Some(0.0)));
    // The first time, and once the stream is open; what it says counts, whatever it answers.
    timeout(SOON, scaler.push()).await.unwrap();
    timeout(SOON, news.changed()).await.unwrap().unwrap();
    assert_eq!(last(), (2, None, 0.0, Some(1.0)));
    sources.shutdown().await;
}
