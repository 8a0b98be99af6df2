//! Names, bounds and the life of entities.

use super::Step::*;
use super::*;

#[test]
fn names() {
    let long = "x".repeat(261);
    let cases = [
        ("orders", true, true),
        ("a.b-c_d1", true, true),
        ("folder/orders", true, false),
        (&long[..50], true, true),
        (&long[..51], true, false),
        (&long[..260], true, false),
        (&long, false, false),
        ("", false, false),
        ("-orders", false, false),
        ("orders/", false, false),
        ("two words", false, false),
        ("größe", false, false),
    ];
    for (name, entity, subscription) in cases {
        assert_eq!(Name::entity(name).is_ok(), entity, "{name}");
        assert_eq!(Name::subscription(name).is_ok(), subscription, "{name}");
    }
    assert_eq!(
        Name::entity("Orders").unwrap(),
        Name::entity("oRDERS").unwrap()
    );
    assert_eq!(Name::entity("Orders").unwrap().to_string(), "Orders");
}

#[test]
fn a_full_entity_refuses_and_keeps_what_it_has() {
    let limits = Limits {
        messages: 2,
        ..Limits::default()
    };
    let full = "QuotaExceeded: 'e' holds 2 of at most 2 messages: receive messages first";
    let mut queue = Bed::new(limits);
    queue
        .namespace
        .put_queue(&entity(), Settings::default(), false, second(0))
        .unwrap();
    let steps = [
        (0, Send("a"), "sent"),
        (0, SendFor("b", 9), "sent"),
        (0, Send("c"), full),
        (0, Lock(""), "a×1"),
        (0, Send("c"), full),
        (0, Complete("", "a"), "done"),
        (0, Send("c"), "sent"),
        (0, Count(""), "1/0/1"),
    ];
    queue.play("queue", &steps);

    let mut topic = Bed::new(limits);
    topic
        .namespace
        .put_topic(&entity(), NEVER, false, second(0))
        .unwrap();
    for name in ["s", "t"] {
        let (name, settings) = (Name::subscription(name).unwrap(), Settings::default());
        topic
            .namespace
            .put_subscription(&entity(), &name, settings, false, second(0))
            .unwrap();
    }
    let steps = [
        (0, Send("a"), "sent"),
        (0, Send("b"), full),
        (0, Take("s"), "a×1"),
        (0, Send("b"), "sent"),
        (0, Count("s"), "1/0/0"),
        (0, Count("t"), "2/0/0"),
    ];
    topic.play("topic", &steps);
}

#[test]
fn bytes_are_bounded_and_given_back() {
    let limits = Limits {
        bytes: 10,
        message_bytes: 20,
        ..Limits::default()
    };
    let mut bed = Bed::new(limits);
    bed.namespace
        .put_queue(&entity(), Settings::default(), false, second(0))
        .unwrap();
    let too_large = Message {
        body: vec![0; 20].into(),
        ..message("a")
    };
    let refused = bed
        .namespace
        .send(&entity(), too_large, second(0))
        .unwrap_err();
    assert_eq!(
        refused,
        Failure::TooLarge {
            size: 21,
            limit: 20
        }
    );
    // Each has five bytes: its identifier and its body.
    let steps = [
        (0, Send("a"), "sent"),
        (0, SendFor("b", 9), "sent"),
        (
            0,
            Send("c"),
            "QuotaExceeded: 'e' holds 10 of at most 10 bytes: receive messages first",
        ),
        (0, Lock(""), "a×1"),
        (0, Unlock("", "a"), "done"),
        (0, Take(""), "a×2"),
        (0, Send("c"), "sent"),
        (9, Take(""), "c×1"),
        (9, Take(""), "b×1"),
    ];
    bed.play("bytes", &steps);
    let Some(Found::Queue(queue)) = bed.namespace.find(&entity(), second(9)) else {
        panic!("it is a queue");
    };
    assert_eq!(queue.bytes(), 0);
}

#[test]
fn the_life_of_entities() {
    let mut namespace = Namespace::new(
        Limits {
            entities: 3,
            ..Limits::default()
        },
        0,
    );
    let name = |text| Name::entity(text).unwrap();
    let (queue, topic, other) = (name("queue"), name("topic"), name("other"));
    let subscription = Name::subscription("s").unwrap();
    let settings = Settings::default;
    let now = second(0);

    namespace.put_queue(&queue, settings(), false, now).unwrap();
    namespace.put_topic(&topic, NEVER, false, now).unwrap();
    namespace
        .put_subscription(&topic, &subscription, settings(), false, now)
        .unwrap();
    let quota = |held| Failure::QuotaExceeded {
        path: "the namespace".to_owned(),
        held,
        limit: 3,
        unit: "entities",
    };
    let exists = |path: &str| Failure::Exists(path.to_owned());
    let missing = |path: &str| Failure::NoSuchEntity(path.to_owned());
    let refused = [
        (
            namespace.put_queue(&other, settings(), false, now),
            quota(3),
        ),
        (namespace.put_topic(&other, NEVER, false, now), quota(3)),
        (
            namespace.put_queue(&queue, settings(), false, now),
            exists("queue"),
        ),
        (
            namespace.put_queue(&topic, settings(), true, now),
            exists("topic"),
        ),
        (
            namespace.put_topic(&other, NEVER, true, now),
            missing("other"),
        ),
        (
            namespace.put_subscription(&topic, &subscription, settings(), false, now),
            exists("topic/subscriptions/s"),
        ),
        (namespace.delete(&other), missing("other")),
        (namespace.send(&other, message("a"), now), missing("other")),
    ];
    for (result, failure) in refused {
        assert_eq!(result, Err(failure));
    }
}

#[test]
fn an_entity_is_changed_found_and_deleted() {
    let mut namespace = Namespace::new(Limits::default(), 0);
    let (queue, topic) = (
        Name::entity("queue").unwrap(),
        Name::entity("topic").unwrap(),
    );
    let subscription = Name::subscription("s").unwrap();
    let settings = Settings::default;
    let now = second(0);
    namespace.put_queue(&queue, settings(), false, now).unwrap();
    namespace.put_topic(&topic, NEVER, false, now).unwrap();
    namespace
        .put_subscription(&topic, &subscription, settings(), false, now)
        .unwrap();
    let longer = Settings {
        max_delivery_count: 99,
        ..settings()
    };
    namespace
        .put_queue(&queue, longer.clone(), true, second(3))
        .unwrap();
    let Some(Found::Queue(found)) = namespace.find(&queue, now) else {
        panic!("it is a queue");
    };
    assert_eq!(
        (found.settings(), found.dates().updated),
        (&longer, second(3))
    );
    let names: Vec<_> = namespace
        .all(now)
        .map(|(name, _)| name.to_string())
        .collect();
    assert_eq!(names, ["queue", "topic"]);
    namespace
        .delete_subscription(&topic, &subscription)
        .unwrap();
    namespace.delete(&queue).unwrap();
    assert!(namespace.find(&queue, now).is_none());
    assert!(
        namespace
            .delete_subscription(&topic, &subscription)
            .is_err()
    );
}

#[test]
fn settings_out_of_range() {
    let default = Settings::default;
    let seconds = Duration::from_secs;
    let cases = [
        (
            Settings {
                lock_duration: seconds(0),
                ..default()
            },
            Some("LockDuration"),
        ),
        (
            Settings {
                lock_duration: seconds(301),
                ..default()
            },
            Some("LockDuration"),
        ),
        (
            Settings {
                lock_duration: seconds(300),
                ..default()
            },
            None,
        ),
        (
            Settings {
                max_delivery_count: 0,
                ..default()
            },
            Some("MaxDeliveryCount"),
        ),
        (
            Settings {
                max_delivery_count: 2001,
                ..default()
            },
            Some("MaxDeliveryCount"),
        ),
        (
            Settings {
                default_time_to_live: seconds(0),
                ..default()
            },
            Some("DefaultMessageTimeToLive"),
        ),
    ];
    for (settings, wrong) in cases {
        let key = match settings.check() {
            Err(Failure::InvalidSetting { key, .. }) => Some(key),
            other => other.map_or_else(|failure| panic!("{failure}"), |()| None),
        };
        assert_eq!(key, wrong, "{settings:?}");
    }
}
