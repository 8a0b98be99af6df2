//! `rabbitmq`.

mod keys;

use super::{Constraint, Scaler};

pub(super) const SCALER: Scaler = Scaler {
    names: &["rabbitmq"],
    reads: "With an `http` address, by `GET /api/queues/VHOST/QUEUE` of the management plugin: \
            `messages`, which is those that wait and those that are unacknowledged, and the rates of \
            `message_stats`; with `useRegex` by `GET /api/queues/VHOST?use_regex=true&name=QUEUE`. With \
            an `amqp` address, by a passive `queue.declare`: the messages that wait.",
    differs: "A queue that the management plugin has not counted yet is unknown, where KEDA reads 0; of \
              several, it is left out. In the mode `ExpectedQueueConsumptionTime` a queue from which \
              nothing is delivered keeps its revision awake only while messages wait or come, where KEDA \
              never lets it go to zero, and the time is never negative. `ca`, `cert`, `key` and \
              `unsafeSsl` count whenever they are given. Credentials are a user's or, by AMQP, a \
              certificate's: neither OAuth 2 nor a pod's identity is used.",
    fixed_target: None,
    // Where nothing is delivered, two modes read the activation value.
    reads_target: true,
    keys: keys::KEYS,
    constraints: &[
        Constraint::AtMostOne(&["value", "queueLength"]),
        Constraint::AtMostOne(&["mode", "queueLength"]),
        Constraint::Needs("mode", &["value"]),
        Constraint::Needs("value", &["mode"]),
        Constraint::Needs("username", &["password"]),
        Constraint::Needs("password", &["username"]),
        Constraint::Needs("cert", &["key"]),
        Constraint::Needs("key", &["cert"]),
    ],
};
