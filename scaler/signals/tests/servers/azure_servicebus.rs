//! The stand-in for Azure Service Bus.

mod bed;

use ebbtide_core::trigger::reach::Reach;
use ebbtide_signals::Amount;
use reqwest::Method;

use self::bed::{Bed, KEY};
use crate::bed::{Case, refusing};

#[tokio::test]
async fn active_messages_of_a_queue_are_read_locked_ones_too() {
    let bed = Bed::start().await;
    let orders = bed.case().with("queueName", "orders");
    assert_eq!(orders.read().await, Ok(Amount::from(0.0)));
    bed.send("orders", 3).await;
    bed.lock("orders").await;
    assert_eq!(orders.read().await, Ok(Amount::from(3.0)));
    let folder = bed.case().with("queueName", "shop/orders");
    bed.send("shop/orders", 1).await;
    assert_eq!(folder.read().await, Ok(Amount::from(1.0)));
    let by_address = bed.connection("127.0.0.1");
    assert_eq!(
        orders.secret("connection", &by_address).read().await,
        Ok(Amount::from(3.0))
    );
}

#[tokio::test]
async fn active_messages_of_a_subscription_are_read() {
    let bed = Bed::start().await;
    let of = |name| {
        bed.case()
            .with("topicName", "events")
            .with("subscriptionName", name)
    };
    bed.send("events", 2).await;
    bed.lock("events/subscriptions/audit").await;
    for name in ["audit", "mail"] {
        assert_eq!(of(name).read().await, Ok(Amount::from(2.0)));
    }
    bed.receive("events/subscriptions/audit").await;
    assert_eq!(of("audit").read().await, Ok(Amount::from(1.0)));
}

#[tokio::test]
async fn several_are_read_by_an_expression_whatever_page_they_are_on() {
    let bed = Bed::start().await;
    for number in 0..150 {
        let path = format!("many-{number}");
        bed.create(&path, "Queue").await;
    }
    for (queue, number) in [
        ("many-0", 4),
        ("many-99", 1),
        ("many-149", 2),
        ("orders", 5),
    ] {
        bed.send(queue, number).await;
    }
    bed.send("events", 3).await;
    bed.receive("events/subscriptions/mail").await;
    let several = bed.case().with("useRegex", "true");
    let queues = several.with("queueName", "many-(0|99|149)");
    let subscriptions = several
        .with("topicName", "events")
        .with("subscriptionName", ".*i.*");
    for (case, operation, expected) in [
        (&queues, "sum", 7.0),
        (&queues, "max", 4.0),
        (&queues, "avg", 2.0),
        (&subscriptions, "sum", 5.0),
        (&subscriptions, "Max", 3.0),
        (&several.with("queueName", ".*"), "sum", 12.0),
        (&several.with("queueName", "none"), "avg", 0.0),
    ] {
        let case = case.with("operation", operation);
        assert_eq!(
            case.read().await,
            Ok(Amount::from(expected)),
            "{operation} {:?}",
            case.rule.metadata
        );
    }
}

#[tokio::test]
async fn what_is_wrong_is_said_by_the_key_that_it_is_of() {
    let bed = Bed::start().await;
    let case = bed.case();
    let orders = case.with("queueName", "orders");
    let topic =
        |topic: &str, name: &str| case.with("topicName", topic).with("subscriptionName", name);
    let right = bed.connection("localhost");
    let nobody = format!("Endpoint=sb://{};SharedAccessSignature=x", refusing().await);
    let expired = "SharedAccessSignature sr=x&sig=x&se=1&skn=root";
    for (case, expected) in [
        (
            case.with("queueName", "missing"),
            "queueName: there is no queue missing",
        ),
        (
            case.with("queueName", "events"),
            "queueName: events is no queue; of a topic give",
        ),
        (
            topic("events", "x"),
            "subscriptionName: there is no subscription x of a topic events",
        ),
        (
            topic("missing", "x").with("useRegex", "true"),
            "topicName: there is no topic missing",
        ),
        (
            case.with("queueName", "(").with("useRegex", "true"),
            "queueName: is not a regular expression: error: unclosed group",
        ),
        (
            orders.secret("connection", &right.replace(KEY, "hunter2")),
            "connection: the credentials are not accepted",
        ),
        (
            orders.secret("connection", &right.replace("root", "hunter2")),
            "connection: the credentials are not accepted",
        ),
        (
            orders.secret("connection", &right.replace("root", "worker")),
            "connection: its policy may not manage",
        ),
        (
            orders.secret("connection", &bed.with_signature(expired)),
            "connection: the credentials are not accepted",
        ),
        (
            orders.secret("connection", &nobody),
            "connection: Connection refused (os error 111)",
        ),
        (
            orders.secret("connection", "SharedAccessKey=hunter2"),
            "connection: has no Endpoint",
        ),
    ] {
        let error = case.error().await;
        assert!(error.starts_with(expected), "{error}\nis not\n{expected}");
        assert!(
            !error.contains(KEY) && !error.contains("hunter2"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn without_a_connection_string_it_is_clear_that_identities_are_not_used() {
    let case = Case::of("azure-servicebus")
        .with("queueName", "orders")
        .with("namespace", "shop");
    assert_eq!(case.error().await, "connection: is missing");
}

#[tokio::test]
async fn an_author_who_may_not_reach_this_machine_does_not() {
    let bed = Bed::start().await;
    let orders = bed.case().with("queueName", "orders");
    for host in ["localhost", "127.0.0.1"] {
        let case = orders.secret("connection", &bed.connection(host));
        let error = case.read_within(Some(Reach::default())).await.unwrap_err();
        assert!(error.starts_with(&format!("connection: {host}")), "{error}");
        let allowed = format!("{host}:{}", bed.address.port()).parse().unwrap();
        let read = case.read_within(Some(Reach::new(vec![allowed]))).await;
        assert_eq!(read, Ok(Amount::from(0.0)));
    }
}

#[tokio::test]
async fn answers_that_are_none_are_errors() {
    let bed = Bed::start().await;
    let orders = bed.case().with("queueName", "orders");
    let all = bed.case().with("queueName", ".*").with("useRegex", "true");
    let none = "connection: the answer is no description in ATOM";
    let large = "connection: the answer has more than 4 MiB, which is not read";
    let status = "connection: the server answered 503 Service Unavailable";
    for (fault, expected) in [
        (r#"{"fault":"nonsense-xml"}"#, none),
        (r#"{"fault":"large-body"}"#, large),
        (r#"{"fault":"cut-body"}"#, "connection: "),
        (r#"{"fault":"status","status":503}"#, status),
    ] {
        bed.control(Method::PUT, "fault", fault).await;
        for case in [&orders, &all] {
            let error = case.error().await;
            assert!(error.starts_with(expected), "{fault}: {error}");
        }
    }
    bed.control(Method::DELETE, "fault", "").await;
    assert_eq!(orders.read().await, Ok(Amount::from(0.0)));
}

#[tokio::test]
async fn certificates_that_are_not_right_are_refused() {
    let bed = Bed::start().await;
    let orders = bed.case().with("queueName", "orders");
    let other = Bed::start().await;
    for (case, certificate, expected) in [
        (
            orders.clone(),
            "unknown-authority",
            "ca: is not what the server's certificate",
        ),
        (
            orders.clone(),
            "wrong-name",
            "connection: invalid peer certificate: ",
        ),
        (
            orders.clone(),
            "expired",
            "connection: invalid peer certificate: ",
        ),
        (
            orders.secret("ca", &other.authority),
            "good",
            "ca: is not what the server's certificate",
        ),
        (
            orders.secret("ca", "-----BEGIN CERTIFICATE-----"),
            "good",
            "ca: has no certificate in PEM",
        ),
    ] {
        let json = format!("{{\"certificate\":\"{certificate}\"}}");
        bed.control(Method::PUT, "certificate", &json).await;
        let error = case.error().await;
        assert!(error.starts_with(expected), "{certificate}: {error}");
    }
    assert_eq!(orders.read().await, Ok(Amount::from(0.0)));
}
