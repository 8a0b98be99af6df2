//! Locks, deliveries, expiration and schedules of queues.

use super::Step::*;
use super::*;

const LOCKS: &[(&str, Steps)] = &[
    (
        "nothing there",
        &[
            (0, Lock(""), "none"),
            (0, Take(""), "none"),
            (0, Due(""), "never"),
            (0, Count(""), "0/0/0"),
        ],
    ),
    (
        "first in, first out",
        &[
            (0, Send("a"), "sent"),
            (0, Send("b"), "sent"),
            (0, Count(""), "2/0/0"),
            (1, Take(""), "a×1"),
            (1, Take(""), "b×1"),
            (1, Take(""), "none"),
            (1, Count(""), "0/0/0"),
        ],
    ),
    (
        "a locked message is active, and nobody else gets it",
        &[
            (0, Send("a"), "sent"),
            (0, Lock(""), "a×1"),
            (0, Due(""), "60"),
            (0, Lock(""), "none"),
            (0, Take(""), "none"),
            (0, Count(""), "1/0/0"),
            (59, Complete("", "a"), "done"),
            (59, Count(""), "0/0/0"),
            (59, Complete("", "a"), "lost"),
        ],
    ),
    (
        "an unlocked message is the first again",
        &[
            (0, Send("a"), "sent"),
            (0, Send("b"), "sent"),
            (0, Lock(""), "a×1"),
            (0, Lock(""), "b×1"),
            (1, Unlock("", "b"), "done"),
            (2, Unlock("", "a"), "done"),
            (3, Lock(""), "a×2"),
            (3, Complete("", "b"), "lost"),
        ],
    ),
    (
        "a lock ends by itself",
        &[
            (0, Send("a"), "sent"),
            (0, Lock(""), "a×1"),
            (59, Lock(""), "none"),
            (60, Complete("", "a"), "lost"),
            (60, Lock(""), "a×2"),
            (60, Due(""), "120"),
        ],
    ),
    (
        "a renewed lock holds for longer",
        &[
            (0, Send("a"), "sent"),
            (0, Lock(""), "a×1"),
            (50, Renew("", "a"), "until 110"),
            (109, Take(""), "none"),
            (109, Complete("", "a"), "done"),
            (120, Renew("", "a"), "lost"),
        ],
    ),
];

const TIMES: &[(&str, Steps)] = &[
    (
        "a scheduled message becomes active when it is due",
        &[
            (0, SendFor("late", 30), "sent"),
            (0, SendFor("later", 40), "sent"),
            (0, SendFor("past", -5), "sent"),
            (0, Count(""), "1/0/2"),
            (0, Take(""), "past×1"),
            (29, Take(""), "none"),
            (29, Due(""), "30"),
            (30, Count(""), "1/0/1"),
            (35, Send("now"), "sent"),
            (40, Take(""), "late×1"),
            (40, Take(""), "now×1"),
            (40, Take(""), "later×1"),
        ],
    ),
    (
        "an expired message is dropped, but not while it is locked",
        &[
            (0, SendLiving("a", 10), "sent"),
            (0, SendLiving("b", 10), "sent"),
            (0, SendLiving("c", 100), "sent"),
            (0, Lock(""), "a×1"),
            (0, Due(""), "10"),
            (10, Count(""), "2/0/0"),
            (11, Complete("", "a"), "done"),
            (11, Lock(""), "c×1"),
            (70, Unlock("", "c"), "done"),
            (100, Count(""), "0/0/0"),
        ],
    ),
    (
        "an expired message that is given back is dropped",
        &[
            (0, SendLiving("a", 10), "sent"),
            (0, Lock(""), "a×1"),
            (20, Unlock("", "a"), "done"),
            (20, Count(""), "0/0/0"),
        ],
    ),
    (
        "a scheduled message lives from when it became active",
        &[
            (0, SendFor("a", 30), "sent"),
            (30, Due(""), "30"),
            (95, Lock(""), "a×1"),
        ],
    ),
];

const DEAD_LETTERS: &[(&str, Steps)] = &[
    (
        "after the last delivery",
        &[
            (0, Send("a"), "sent"),
            (0, Lock(""), "a×1"),
            (1, Unlock("", "a"), "done"),
            (1, Lock(""), "a×2"),
            (2, Unlock("", "a"), "done"),
            (2, Count(""), "0/1/0"),
            (2, Lock(""), "none"),
            (2, Lock("dead"), "a×3 MaxDeliveryCountExceeded"),
            (2, Count(""), "0/1/0"),
            (3, Complete("dead", "a"), "done"),
            (3, Count(""), "0/0/0"),
        ],
    ),
    (
        "after the last lock has ended",
        &[
            (0, Send("a"), "sent"),
            (0, Lock(""), "a×1"),
            (10, Lock(""), "a×2"),
            (20, Count(""), "0/1/0"),
            (20, Complete("", "a"), "lost"),
            (20, Take("dead"), "a×3 MaxDeliveryCountExceeded"),
            (20, Take("dead"), "none"),
        ],
    ),
    (
        "after the time to live",
        &[
            (0, Send("a"), "sent"),
            (0, SendLiving("b", 5), "sent"),
            (0, SendLiving("c", 500), "sent"),
            (5, Count(""), "2/1/0"),
            (99, Count(""), "2/1/0"),
            (100, Count(""), "0/3/0"),
            (100, Take("dead"), "a×1 TTLExpiredException"),
        ],
    ),
    (
        "a dead letter does not die again",
        &[
            (0, SendLiving("a", 5), "sent"),
            (5, Lock("dead"), "a×1 TTLExpiredException"),
            (6, Unlock("dead", "a"), "done"),
            (6, Lock("dead"), "a×2 TTLExpiredException"),
            (16, Lock("dead"), "a×3 TTLExpiredException"),
            (26, Lock("dead"), "a×4 TTLExpiredException"),
            (26, Renew("dead", "a"), "until 36"),
            (999, Count(""), "0/1/0"),
        ],
    ),
    (
        "a lock of the queue is none of its dead letters",
        &[
            (0, Send("a"), "sent"),
            (0, Lock(""), "a×1"),
            (1, Complete("dead", "a"), "lost"),
            (1, Complete("", "a"), "done"),
        ],
    ),
];

#[test]
fn a_queue_with_the_default_settings() {
    for (case, steps) in LOCKS.iter().chain(TIMES) {
        Bed::queue(Settings::default()).play(case, steps);
    }
}

#[test]
fn dead_letters() {
    let settings = Settings {
        lock_duration: Duration::from_secs(10),
        max_delivery_count: 2,
        default_time_to_live: Duration::from_secs(100),
        dead_letter_on_expiration: true,
    };
    for (case, steps) in DEAD_LETTERS {
        Bed::queue(settings.clone()).play(case, steps);
    }
}

#[test]
fn what_a_receiver_is_told() {
    let mut bed = Bed::queue(Settings::default());
    let sent = Message {
        time_to_live: Some(Duration::from_secs(90)),
        scheduled: Some(second(5)),
        ..message("a")
    };
    bed.namespace
        .send(&entity(), sent.clone(), second(0))
        .unwrap();
    let received = bed
        .namespace
        .receive(&source(""), Receive::PeekLock, second(8));
    let received = received.unwrap().unwrap();
    let (token, until) = received.lock.unwrap();
    assert_eq!((received.sequence, received.enqueued_sequence), (2, 0));
    assert_eq!((received.enqueued, until), (second(5), second(68)));
    assert_eq!(received.time_to_live, Duration::from_secs(90));
    assert_eq!((received.deliveries, &*received.message), (1, &sent));

    // A message is settled by its sequence number as well as by its identifier, and by no other.
    let settle = |bed: &mut Bed, text| {
        let lock = (text, token);
        bed.namespace
            .settle(&source(""), lock, Settle::Renew, second(9))
            .is_ok()
    };
    let cases = [("a", true), ("2", true), ("b", false), ("1", false)];
    for (text, settled) in cases {
        assert_eq!(settle(&mut bed, text), settled, "{text}");
    }
    assert_eq!(token.to_string().parse(), Ok(token));
}
