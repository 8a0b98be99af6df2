//! The keys of `rabbitmq`.

use crate::scaler::{Key, Kind, Presence, Role};

pub(super) const KEYS: &[Key] = &[
    Key {
        name: "host",
        kind: Kind::Url,
        presence: Presence::Required,
        role: Role::Source,
        meaning: "`http://USER:PASSWORD@HOST:PORT/VHOST` of the management plugin, or `amqp://…`; \
                  `https` and `amqps` with TLS. What is before the last `/` of an `http` path comes \
                  before `/api`; without a virtual host it is `/`",
    },
    Key {
        name: "protocol",
        kind: Kind::Choice(&["auto", "http", "amqp"]),
        presence: Presence::Default("auto"),
        role: Role::Source,
        meaning: "how the server is asked; `auto` is as the address says",
    },
    Key {
        name: "queueName",
        kind: Kind::Text,
        presence: Presence::Required,
        role: Role::Source,
        meaning: "the queue",
    },
    Key {
        name: "mode",
        kind: Kind::Choice(&[
            "QueueLength",
            "MessageRate",
            "DeliverGetRate",
            "PublishedToDeliveredRatio",
            "ExpectedQueueConsumptionTime",
        ]),
        presence: Presence::Default("QueueLength"),
        role: Role::Source,
        meaning: "which number: messages; messages published a second; messages delivered a second; \
                  the ratio of these two; or the seconds until the queue is empty. All but the first \
                  by `http` only. `MessageRate` wakes a revision for messages that are there, too",
    },
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
        meaning: "an old name of `value`, without `mode`",
    },
    Key {
        name: "activationValue",
        kind: Kind::Number,
        presence: Presence::Default("0"),
        role: Role::Activation,
        meaning: "above this value the revision is woken",
    },
    Key::TARGET_LATENCY,
    Key {
        name: "excludeUnacknowledged",
        kind: Kind::Boolean,
        presence: Presence::Default("false"),
        role: Role::Source,
        meaning: "whether only messages that wait count, by `http`; by `amqp` no others ever do",
    },
    Key {
        name: "vhostName",
        kind: Kind::Text,
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "the virtual host, instead of the one in the address",
    },
    Key {
        name: "useRegex",
        kind: Kind::Boolean,
        presence: Presence::Default("false"),
        role: Role::Source,
        meaning: "whether `queueName` is a regular expression, as RabbitMQ matches it, to any part \
                  of a name; by `http` only",
    },
    Key {
        name: "pageSize",
        kind: Kind::Whole,
        presence: Presence::Default("100"),
        role: Role::Source,
        meaning: "how many queues may match, up to RabbitMQ's 500; more are an error",
    },
    Key {
        name: "operation",
        kind: Kind::Choice(&["sum", "max", "avg"]),
        presence: Presence::Default("sum"),
        role: Role::Source,
        meaning: "what is made of their numbers; an average of messages is rounded down",
    },
    Key {
        name: "timeout",
        kind: Kind::Duration,
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "how long an answer may take, up to the 5 s that all may; a number without a unit is \
                  milliseconds, and KEDA takes it by `http` only",
    },
    Key {
        name: "username",
        kind: Kind::Text,
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "the user, instead of the one in the address",
    },
    Key {
        name: "password",
        kind: Kind::Secret,
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "the user's password",
    },
    Key {
        name: "tls",
        kind: Kind::Choice(&["enable", "disable"]),
        presence: Presence::Default("disable"),
        role: Role::Source,
        meaning: "with `enable`, a `cert` and no password, the certificate is the user by `amqps`. \
                  It is the address that says whether there is TLS",
    },
    Key {
        name: "unsafeSsl",
        kind: Kind::Boolean,
        presence: Presence::Default("false"),
        role: Role::Source,
        meaning: "whether any certificate of the server will do",
    },
    Key {
        name: "ca",
        kind: Kind::Pem,
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "a certificate that the server's may be signed by, beside those of the system",
    },
    Key {
        name: "cert",
        kind: Kind::Pem,
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "the client's certificate",
    },
    Key {
        name: "key",
        kind: Kind::Pem,
        presence: Presence::Optional,
        role: Role::Source,
        meaning: "its key",
    },
    Key {
        name: "keyPassword",
        kind: Kind::Secret,
        presence: Presence::Optional,
        role: Role::Ignored,
        meaning: "give a key that is not encrypted",
    },
    Key {
        name: "workloadIdentityResource",
        kind: Kind::Text,
        presence: Presence::Optional,
        role: Role::Ignored,
        meaning: "a pod's identity is not used; give `username` and `password`",
    },
    Key {
        name: "oauthTokenURI",
        kind: Kind::Text,
        presence: Presence::Optional,
        role: Role::Ignored,
        meaning: "OAuth 2 is not used; give `username` and `password`",
    },
    Key {
        name: "clientID",
        kind: Kind::Text,
        presence: Presence::Optional,
        role: Role::Ignored,
        meaning: "goes with `oauthTokenURI`",
    },
    Key {
        name: "clientSecret",
        kind: Kind::Secret,
        presence: Presence::Optional,
        role: Role::Ignored,
        meaning: "goes with `oauthTokenURI`",
    },
    Key {
        name: "scopes",
        kind: Kind::Text,
        presence: Presence::Optional,
        role: Role::Ignored,
        meaning: "goes with `oauthTokenURI`",
    },
    Key {
        name: "endpointParams",
        kind: Kind::Text,
        presence: Presence::Optional,
        role: Role::Ignored,
        meaning: "goes with `oauthTokenURI`",
    },
];
