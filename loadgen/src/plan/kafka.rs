//! Topics of Kafka.

use ebbtide_brokers::kafka::Mechanism;

use super::Secret;

/// A topic, and how its brokers are connected to.
#[derive(Clone, Debug)]
pub(crate) struct KafkaTopic {
    /// Brokers to begin with, `HOST:PORT` each, with commas.
    pub(crate) servers: Secret,
    /// Its name.
    pub(crate) topic: String,
    /// The partition that all messages go to; all of them in turn, if there is none.
    pub(crate) partition: Option<i32>,
    /// Who logs in; nobody, if there is none.
    pub(crate) login: Option<KafkaLogin>,
    /// TLS, if it is wanted.
    pub(crate) tls: Option<KafkaTls>,
}

/// Who logs in, and how.
#[derive(Clone, Debug)]
pub(crate) struct KafkaLogin {
    pub(crate) mechanism: Mechanism,
    pub(crate) user: Secret,
    pub(crate) password: Secret,
}

/// What secures connections, in PEM.
#[derive(Clone, Debug)]
pub(crate) struct KafkaTls {
    /// Roots beside those of the system.
    pub(crate) ca: Option<Secret>,
    /// The client's certificate.
    pub(crate) cert: Option<Secret>,
    /// Its key.
    pub(crate) key: Option<Secret>,
    /// Whether any certificate of a broker will do.
    pub(crate) any_server: bool,
}
