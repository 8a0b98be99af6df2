//! Topics and their subscriptions.

use super::Step::*;
use super::*;

fn topic() -> Bed {
    let mut bed = Bed::new(Limits::default());
    bed.namespace
        .put_topic(&entity(), Duration::from_secs(100), false, second(0))
        .unwrap();
    for name in ["s", "t"] {
        let name = Name::subscription(name).unwrap();
        let settings = Settings {
            max_delivery_count: 1,
            ..Settings::default()
        };
        bed.namespace
            .put_subscription(&entity(), &name, settings, false, second(0))
            .unwrap();
    }
    bed
}

#[test]
fn each_subscription_has_the_message() {
    let cases: &[(&str, Steps)] = &[
        (
            "independently",
            &[
                (0, Send("a"), "sent"),
                (0, Count("s"), "1/0/0"),
                (0, Count("t"), "1/0/0"),
                (0, Take("s"), "a×1"),
                (0, Take("s"), "none"),
                (0, Lock("t"), "a×1"),
                (0, Complete("s", "a"), "lost"),
                (1, Unlock("t", "a"), "done"),
                (1, Count("t"), "0/1/0"),
                (1, Count("s"), "0/0/0"),
                (1, Take("t/dead"), "a×2 MaxDeliveryCountExceeded"),
            ],
        ),
        (
            "a scheduled one is the topic's until it is due",
            &[
                (0, SendFor("a", 30), "sent"),
                (0, Count(""), "0/0/1"),
                (0, Count("s"), "0/0/0"),
                (0, Due("s"), "30"),
                (30, Count(""), "0/0/0"),
                (30, Take("s"), "a×1"),
                (30, Take("t"), "a×1"),
            ],
        ),
        (
            "for as long as the topic lets it live",
            &[
                (0, Send("a"), "sent"),
                (99, Count("s"), "1/0/0"),
                (100, Count("s"), "0/0/0"),
            ],
        ),
        (
            "a topic itself gives none",
            &[
                (
                    0,
                    Lock(""),
                    "'e' is a topic, and this request is for a queue or a subscription",
                ),
                (
                    0,
                    Lock("x"),
                    "the messaging entity 'e/subscriptions/x' could not be found: create it \
                            first, or correct the path",
                ),
            ],
        ),
    ];
    for (case, steps) in cases {
        topic().play(case, steps);
    }
}

#[test]
fn a_subscription_tells_the_number_in_the_topic() {
    let mut bed = topic();
    bed.play("before", &[(0, Send("a"), "sent")]);
    let late = Name::subscription("late").unwrap();
    let (topic, settings) = (entity(), Settings::default());
    bed.namespace
        .put_subscription(&topic, &late, settings, false, second(0))
        .unwrap();
    bed.play("after", &[(0, Send("b"), "sent")]);
    let received = bed
        .namespace
        .receive(&source("late"), Receive::AndDelete, second(0));
    let received = received.unwrap().unwrap();
    assert_eq!((received.sequence, received.enqueued_sequence), (1, 2));
}
