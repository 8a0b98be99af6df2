//! Messages, by Microsoft's client.

use std::time::Duration;

use azure_messaging_servicebus::service_bus::{SendMessageOptions, SettableBrokerProperties};
use reqwest::Method;

use crate::bed::Bed;

const NOW: Option<Duration> = Some(Duration::ZERO);
const LONG: Option<Duration> = Some(Duration::from_mins(1));

fn options(properties: SettableBrokerProperties) -> SendMessageOptions {
    SendMessageOptions {
        content_type: Some("text/plain".to_owned()),
        broker_properties: Some(properties),
        custom_properties: None,
    }
}

#[tokio::test]
async fn a_message_is_sent_locked_unlocked_and_completed() {
    let bed = Bed::start(&["--queue", "orders"]).await;
    let queue = bed.queue("orders");
    let sent = options(SettableBrokerProperties {
        message_id: Some("first/1".to_owned()),
        label: Some("new".to_owned()),
        time_to_live: Some(Duration::from_hours(1)),
        ..SettableBrokerProperties::default()
    });
    queue.send_message("hello", Some(sent)).await.unwrap();
    assert_eq!(bed.counts("orders").await, [1, 0, 0]);

    let locked = queue.peek_lock_message2(NOW).await.unwrap();
    let properties = locked.broker_properties().unwrap();
    assert_eq!(
        (locked.body().as_str(), u16::from(*locked.status())),
        ("hello", 201)
    );
    assert_eq!(
        (properties.message_id.as_str(), properties.sequence_number),
        ("first/1", 1)
    );
    assert_eq!(
        (properties.delivery_count, properties.state.as_str()),
        (1, "Active")
    );
    assert!((properties.time_to_live - 3600.0).abs() < 0.001);
    let held = properties.locked_until_utc - properties.enqueued_time_utc.unwrap();
    assert!(held >= Duration::from_secs(59), "{held}");
    assert_eq!(bed.counts("orders").await, [1, 0, 0]);

    let other = queue.peek_lock_message2(NOW).await.unwrap();
    assert_eq!(
        (u16::from(*other.status()), other.body()),
        (204, String::new())
    );

    locked.renew_message_lock().await.unwrap();
    locked.unlock_message().await.unwrap();
    assert!(locked.delete_message().await.is_err(), "the lock is gone");
    let again = queue.peek_lock_message2(NOW).await.unwrap();
    assert_eq!(again.broker_properties().unwrap().delivery_count, 2);
    again.delete_message().await.unwrap();
    assert!(
        again.delete_message().await.is_err(),
        "it is settled already"
    );
    assert_eq!(bed.counts("orders").await, [0, 0, 0]);
}

#[tokio::test]
async fn messages_are_received_and_deleted_in_their_order_and_then_there_are_none() {
    let bed = Bed::start(&["--queue", "orders"]).await;
    let queue = bed.queue("orders");
    for text in ["one", "two", "three"] {
        queue.send_message(text, None).await.unwrap();
    }
    for text in ["one", "two", "three"] {
        assert_eq!(queue.receive_and_delete_message().await.unwrap(), text);
    }
    // The client has no timeout for this; the answer without one comes after a minute.
    let path = "/orders/messages/head?timeout=0";
    let answer = bed.request(Method::DELETE, path).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 204);
    assert_eq!(queue.peek_lock_message(NOW).await.unwrap(), "");
}

#[tokio::test]
async fn a_receiver_that_waits_gets_what_comes_and_what_becomes_due() {
    let bed = Bed::start(&["--queue", "orders"]).await;
    let queue = bed.queue("orders");
    let send_late = async {
        while bed.counters().await["requests"] == 0 {}
        queue.send_message("late", None).await.unwrap();
    };
    let (received, ()) = tokio::join!(queue.peek_lock_message2(LONG), send_late);
    let received = received.unwrap();
    assert_eq!(received.body(), "late");
    received.delete_message().await.unwrap();

    let enqueued = received
        .broker_properties()
        .unwrap()
        .enqueued_time_utc
        .unwrap();
    let sent = options(SettableBrokerProperties {
        scheduled_enqueue_time_utc: Some(enqueued + Duration::from_secs(5)),
        ..SettableBrokerProperties::default()
    });
    queue.send_message("scheduled", Some(sent)).await.unwrap();
    let received = queue.peek_lock_message2(LONG).await.unwrap();
    let properties = received.broker_properties().unwrap();
    assert_eq!(received.body(), "scheduled");
    assert_eq!(
        properties.enqueued_time_utc,
        Some(enqueued + Duration::from_secs(5))
    );
}

#[tokio::test]
async fn every_subscription_of_a_topic_gets_a_message() {
    let arguments = [
        "--topic",
        "events",
        "--subscription",
        "events/audit",
        "--subscription",
        "events/mail",
    ];
    let bed = Bed::start(&arguments).await;
    let topic = bed.topic("events");
    topic
        .topic_sender()
        .send_message("happened", None)
        .await
        .unwrap();
    let audit = topic.subscription_receiver("audit");
    let mail = topic.subscription_receiver("mail");
    assert_eq!(
        audit.receive_and_delete_message().await.unwrap(),
        "happened"
    );
    assert_eq!(bed.counts("events/Subscriptions/audit").await, [0, 0, 0]);
    assert_eq!(bed.counts("events/Subscriptions/mail").await, [1, 0, 0]);
    let locked = mail.peek_lock_message2(NOW).await.unwrap();
    assert_eq!(locked.body(), "happened");
    locked.delete_message().await.unwrap();
    assert_eq!(bed.counts("events/Subscriptions/mail").await, [0, 0, 0]);
}

#[tokio::test]
async fn a_message_that_nobody_completes_becomes_a_dead_letter() {
    let arguments = [
        "--queue",
        "orders",
        "--max-delivery-count",
        "2",
        "--lock-duration",
        "1",
    ];
    let bed = Bed::start(&arguments).await;
    let queue = bed.queue("orders");
    queue.send_message("poison", None).await.unwrap();
    // The second receiver waits until the first lock has ended.
    for _ in 0..2 {
        assert_eq!(queue.peek_lock_message(LONG).await.unwrap(), "poison");
    }
    let dead = bed
        .queue("orders/$DeadLetterQueue")
        .peek_lock_message2(LONG)
        .await
        .unwrap();
    assert_eq!(dead.body(), "poison");
    assert_eq!(bed.counts("orders").await, [0, 1, 0]);
    let path = "/orders/$DeadLetterQueue/messages/head?timeout=60";
    let answer = bed.request(Method::DELETE, path).send().await.unwrap();
    assert_eq!(
        answer.headers()["deadletterreason"],
        "\"MaxDeliveryCountExceeded\""
    );
    assert_eq!(bed.counts("orders").await, [0, 0, 0]);
}
