//! `rabbitmq`.

use super::{Constraint, Key, Kind, Presence, Role, Scaler};

pub(super) const SCALER: Scaler = Scaler {
    names: &["rabbitmq"],
    reads: "By `protocol: http` (the management plugin) `GET /api/queues/VHOST/QUEUE`: the messages, ready \
            and unacknowledged, or with `excludeUnacknowledged` those that are ready; in other modes the \
            rates of `message_stats`. With `useRegex` every queue whose name matches, put together by \
            `operation`. By `protocol: amqp` a passive `queue.declare`: the messages that are ready.",
    differs: "in the modes with a quotient a rate of zero counts as one a second, so that what waits \
              without a consumer is not an infinite amount; by http, messages that are unacknowledged keep \
              the last replica, and the rates are there for `targetLatency`.",
    fixed_target: None,
    reads_target: false,
    keys: KEYS,
    constraints: &[
        Constraint::Needs("cert", &["key"]),
        Constraint::Needs("key", &["cert"]),
    ],
};

const fn source(name: &'static str, kind: Kind, presence: Presence, meaning: &'static str) -> Key {
    Key {
        name,
        kind,
        presence,
        role: Role::Source,
        meaning,
    }
}

const KEYS: &[Key] = &[
    source(
        "host",
        Kind::Url,
        Presence::Required,
        "`http://user:password@host:15672/vhost` or `amqp://user:password@host:5672/vhost`",
    ),
    source(
        "queueName",
        Kind::Text,
        Presence::Required,
        "the queue, or a pattern",
    ),
    source(
        "protocol",
        Kind::Choice(&["auto", "http", "amqp"]),
        Presence::Default("auto"),
        "`auto` is what `host` begins with",
    ),
    source(
        "mode",
        Kind::Choice(&[
            "QueueLength",
            "MessageRate",
            "DeliverGetRate",
            "PublishedToDeliveredRatio",
            "ExpectedQueueConsumptionTime",
        ]),
        Presence::Default("QueueLength"),
        "the messages; those published, or delivered, in a second; the one over the other; or messages \
         over those delivered in a second. All but the first need `protocol: http`",
    ),
    Key {
        name: "value",
        kind: Kind::Positive,
        presence: Presence::Default("20"),
        role: Role::Target,
        meaning: "how much of it one replica is there for",
    },
    Key {
        name: "queueLength",
        kind: Kind::Positive,
        presence: Presence::Optional,
        role: Role::Target,
        meaning: "KEDA's older name of `value`",
    },
    Key {
        name: "activationValue",
        kind: Kind::Number,
        presence: Presence::Default("0"),
        role: Role::Activation,
        meaning: "above this the revision is woken; by `MessageRate` also if there are more messages",
    },
    Key::TARGET_LATENCY,
    source(
        "vhostName",
        Kind::Text,
        Presence::Optional,
        "the virtual host, instead of the one in `host`",
    ),
    source(
        "excludeUnacknowledged",
        Kind::Boolean,
        Presence::Default("false"),
        "only messages that are ready",
    ),
    source(
        "useRegex",
        Kind::Boolean,
        Presence::Default("false"),
        "`queueName` is a regular expression; needs `protocol: http`",
    ),
    source(
        "pageSize",
        Kind::Whole,
        Presence::Default("100"),
        "the most queues that may match; more is an error",
    ),
    source(
        "operation",
        Kind::Choice(&["sum", "max", "avg"]),
        Presence::Default("sum"),
        "what is made of the queues that match",
    ),
    source(
        "username",
        Kind::Secret,
        Presence::Optional,
        "instead of the one in `host`",
    ),
    source(
        "password",
        Kind::Secret,
        Presence::Optional,
        "instead of the one in `host`",
    ),
    source(
        "tls",
        Kind::Choice(&["enable", "disable"]),
        Presence::Default("disable"),
        "TLS with what follows; `https` and `amqps` have it by themselves",
    ),
    source(
        "ca",
        Kind::Pem,
        Presence::Optional,
        "roots beside those of the system",
    ),
    source(
        "cert",
        Kind::Pem,
        Presence::Optional,
        "the client's certificate",
    ),
    source("key", Kind::Pem, Presence::Optional, "its key"),
    source(
        "unsafeSsl",
        Kind::Boolean,
        Presence::Default("false"),
        "take any certificate of the server",
    ),
    Key {
        name: "timeout",
        kind: Kind::Whole,
        presence: Presence::Optional,
        role: Role::Ignored,
        meaning: "every read has 5 s",
    },
    Key {
        name: "keyPassword",
        kind: Kind::Secret,
        presence: Presence::Optional,
        role: Role::Ignored,
        meaning: "give the key without a password",
    },
    Key {
        name: "workloadIdentityResource",
        kind: Kind::Text,
        presence: Presence::Optional,
        role: Role::Ignored,
        meaning: "there are no workload identities",
    },
];
